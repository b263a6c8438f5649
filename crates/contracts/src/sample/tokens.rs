//! Tokens and the keys that sign them.

use std::{collections::BTreeSet, time::Duration};

use jose::Padding;
use kernel::{AgentId, CredentialId, ExposeSecret, OrganizationId, Standing, Timestamp};
use tokens::{
    Algorithm, Client, DamagedKey, DamagedKeyEnded, Issuer, Jwk, KeyId, Lifetime, SealedPrivateKey,
    Signer, SigningKey, SigningKeyChange, TokenPolicy, TokenRequest, TokenRevoked, VerifiedToken,
    issue::issue, jws::verify, port::SigningFailed,
};

use super::Machine;

/// A key that is about to be published.
#[must_use]
pub fn key(machine: &Machine) -> SigningKeyChange {
    key_of(machine, Algorithm::Es256)
}

/// A key of that algorithm that is about to be published.
#[must_use]
pub fn key_of(machine: &Machine, algorithm: Algorithm) -> SigningKeyChange {
    let rsa = |padding| {
        // Of 2,048 bits, and odd.
        let modulus = [&[0x80], &machine.bytes::<254>()[..], &[1]].concat();
        Jwk::Rsa { modulus, padding }
    };
    let public = match algorithm {
        Algorithm::Es256 => Jwk::P256 { x: machine.bytes(), y: machine.bytes() },
        Algorithm::EdDsa => Jwk::Ed25519 { x: machine.bytes() },
        Algorithm::Rs256 => rsa(Padding::Pkcs1),
        Algorithm::Ps256 => rsa(Padding::Pss),
    };
    let private = SealedPrivateKey::new(machine.bytes::<48>().to_vec());
    SigningKey::publish(public, private, machine.now())
}

/// What ends keys before their time: one that never signed is taken back, another is compromised.
#[must_use]
pub fn ended_keys(machine: &Machine) -> [[SigningKeyChange; 2]; 2] {
    let (one, two) = (key(machine), key_of(machine, Algorithm::EdDsa));
    let withdrawn = one.after().clone().withdraw(machine.now()).unwrap();
    let compromised = two.after().clone().compromise(machine.now()).unwrap();
    [[one, withdrawn], [two, compromised]]
}

/// What ends the row of this key as if it could not be read.
#[must_use]
pub fn damaged_key_ended(key: &SigningKey, now: Timestamp) -> DamagedKeyEnded {
    let (algorithm, state) = (Some(key.algorithm()), Some(key.state().name()));
    let id = key.id().as_str().to_owned();
    DamagedKey { id, column: "public_key", algorithm, state }.end(now).unwrap()
}

/// The changes of a key's whole life.
#[must_use]
pub fn every_key(machine: &Machine) -> [SigningKeyChange; 4] {
    let published = key(machine);
    let active = published.after().clone().activate(Duration::ZERO, machine.now()).unwrap();
    let retiring = active.after().clone().retire(Duration::ZERO, machine.now()).unwrap();
    let retired = retiring.after().clone().finish(machine.now()).unwrap();
    [published, active, retiring, retired]
}

/// A token of this agent, verified. It lives for the default quarter of an hour.
pub async fn verified_token(
    machine: &Machine,
    organization: OrganizationId,
    agent: AgentId,
    credential: CredentialId,
) -> VerifiedToken {
    let issuer: Issuer = "https://idp.example.com".parse().unwrap();
    let client = Client {
        agent,
        organization,
        agent_type: "custom",
        credential,
        grantable: "resume:read".parse().unwrap(),
        standing: Standing::GOOD,
        dpop_bound: false,
    };
    let policy = TokenPolicy { issuer: issuer.clone(), lifetime: Lifetime::default() };
    let now = machine.now();
    let (request, none) = (TokenRequest::default(), BTreeSet::new());
    let token = issue(request, &client, &none, &policy, now, &*machine.entropy).unwrap();
    let id = Credulous::id();
    let signed = token.sign((&id, Algorithm::Es256), &Credulous).await.unwrap();
    verify(signed.expose_secret(), &issuer, &Credulous).unwrap()
}

/// The revocation of a token that is not over yet.
#[must_use]
pub fn revoked(token: &VerifiedToken, now: Timestamp) -> TokenRevoked {
    TokenRevoked::of(token, now).unwrap()
}

/// A signer that takes every signature for its own: how tokens are signed is no matter here.
struct Credulous;

impl Credulous {
    fn id() -> KeyId {
        Jwk::P256 { x: [1; 32], y: [2; 32] }.thumbprint()
    }
}

impl Signer for Credulous {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        Some((Self::id(), Algorithm::Es256))
    }

    fn algorithm(&self, _: &KeyId) -> Option<Algorithm> {
        Some(Algorithm::Es256)
    }

    async fn sign(&self, _: &KeyId, _: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(vec![0; 64])
    }

    fn verifies(&self, _: &KeyId, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn published(&self) -> Vec<Jwk> {
        Vec::new()
    }
}
