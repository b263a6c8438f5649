//! A signer and a client for this crate's tests: no cryptography, so that only the rules are tested.

use kernel::{Entropy, EntropyUnavailable, Secret, Standing, Timestamp};
use ring::hmac;

use crate::{
    Algorithm, Client, Issuer, Jwk, KeyId, Lifetime, Signer, TokenPolicy, TokenRequest,
    UnsignedToken, issue::issue, jws, port::SigningFailed,
};

pub(crate) struct Fixed(pub(crate) u8);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(self.0);
        Ok(())
    }
}

/// One key, whose "signature" is a keyed hash.
pub(crate) struct OneKey;

impl OneKey {
    pub(crate) fn id() -> KeyId {
        Jwk::P256 { x: [1; 32], y: [2; 32] }.thumbprint()
    }

    pub(crate) fn mac(message: &[u8]) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[5; 32]), message).as_ref().to_vec()
    }
}

impl Signer for OneKey {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        Some((Self::id(), Algorithm::Es256))
    }

    fn algorithm(&self, key: &KeyId) -> Option<Algorithm> {
        (*key == Self::id()).then_some(Algorithm::Es256)
    }

    async fn sign(&self, _: &KeyId, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(Self::mac(message))
    }

    fn verifies(&self, _: &KeyId, message: &[u8], signature: &[u8]) -> bool {
        Self::mac(message) == signature
    }

    fn published(&self) -> Vec<Jwk> {
        Vec::new()
    }
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_micros(millis * 1_000).unwrap()
}

pub(crate) fn issuer() -> Issuer {
    "https://idp.example.com".parse().unwrap()
}

pub(crate) fn client() -> Client {
    Client {
        agent: "018bcfe5-687b-7001-8203-040506070809".parse().unwrap(),
        organization: "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap(),
        agent_type: "custom",
        credential: "018bcfe5-687b-7001-8203-04050607080b".parse().unwrap(),
        grantable: "agents:read resume:read".parse().unwrap(),
        standing: Standing::GOOD,
        dpop_bound: false,
    }
}

pub(crate) fn issued(client: &Client, request: TokenRequest, now: Timestamp) -> UnsignedToken {
    let policy = TokenPolicy { issuer: issuer(), lifetime: Lifetime::default() };
    let registered = request.resources.iter().cloned().collect();
    issue(request, client, &registered, &policy, now, &Fixed(7)).unwrap()
}

pub(crate) fn signed(token: &UnsignedToken) -> Secret {
    let claims = jws::WireClaims::from(token.claims());
    let key = (&OneKey::id(), Algorithm::Es256);
    let input = jws::signing_input(jws::Kind::AccessToken, &claims, key).unwrap();
    let signature = OneKey::mac(input.as_bytes());
    Secret::from(jws::assemble(input, &signature))
}
