//! The floors: servers of the same stack that do the least, for the server's figures to be ratios of.
//!
//! `hello` reads a form and answers 900 bytes. `sign` reads a form, compares the keyed hash of the
//! secret in it, makes the claims of a token, signs them and answers: what a token costs where nothing
//! is looked up, limited, noted or told.
#![expect(
    clippy::disallowed_methods,
    reason = "the floor takes the time and its randomness as they come"
)]

use std::{sync::Arc, time::SystemTime};

use anyhow::Context;
use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use axum::{
    Form, Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use serde::{Deserialize, Serialize};

/// How many bytes the body of `hello` has: as many as the answer to a token request.
const HELLO_BYTES: usize = 900;

/// Who signs.
#[derive(Debug)]
pub enum Signer {
    /// `ES256`
    Es256(EcdsaKeyPair, SystemRandom),
    /// `EdDSA`
    EdDsa(Ed25519KeyPair),
    /// `RS256`, with 2,048 bits.
    Rs256(RsaKeyPair, SystemRandom),
}

impl Signer {
    /// Signs this, by the key that was parsed once.
    ///
    /// # Errors
    /// Where the cryptographic library refuses.
    fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        Ok(match self {
            Self::Es256(pair, random) => {
                pair.sign(random, message).context("signing")?.as_ref().to_vec()
            }
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair, _) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let hash = digest(&SHA256, message);
                pair.sign_digest(&RSA_PKCS1_SHA256, &hash, &mut signature).context("signing")?;
                signature
            }
        })
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Es256(..) => "ES256",
            Self::EdDsa(_) => "EdDSA",
            Self::Rs256(..) => "RS256",
        }
    }
}

/// What `sign` has at hand.
struct Desk {
    signer: Signer,
    pepper: hmac::Key,
    header: String,
}

#[derive(Deserialize)]
struct Request {
    grant_type: String,
    client_id: String,
    client_secret: String,
    scope: String,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'static str,
    sub: &'a str,
    aud: &'static str,
    client_id: &'a str,
    scope: &'a str,
    iat: u64,
    nbf: u64,
    exp: u64,
    jti: u64,
    organization_id: &'static str,
    agent_type: &'static str,
    credential_id: &'static str,
}

#[derive(Serialize)]
struct Answer {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
}

/// The floors, one a path: `/hello`, and `/sign/` with the name of each algorithm.
///
/// # Errors
/// Where no keys can be made.
pub fn router() -> anyhow::Result<Router> {
    let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).context("a key")?;
    let ed25519 = Ed25519KeyPair::generate().context("a key")?;
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).context("a key")?;
    let mut router = Router::new().route("/hello", post(hello));
    for signer in [
        Signer::Es256(es256, SystemRandom::new()),
        Signer::EdDsa(ed25519),
        Signer::Rs256(rsa, SystemRandom::new()),
    ] {
        let path = format!("/sign/{}", signer.name());
        let header = format!(r#"{{"alg":"{}","typ":"at+jwt","kid":"a key"}}"#, signer.name());
        let pepper = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let desk = Desk { signer, pepper, header: BASE64URL_NOPAD.encode(header.as_bytes()) };
        router = router.route(&path, post(sign).with_state(Arc::new(desk)));
    }
    Ok(router)
}

async fn hello(Form(request): Form<Request>) -> Json<Answer> {
    let length = HELLO_BYTES.saturating_sub(request.client_id.len() + request.scope.len() + 90);
    let access_token = "a".repeat(length);
    Json(Answer { access_token, token_type: "Bearer", expires_in: 300, scope: request.scope })
}

async fn sign(State(desk): State<Arc<Desk>>, Form(request): Form<Request>) -> Response {
    match desk.answer(request) {
        Ok(answer) => Json(answer).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Desk {
    fn answer(&self, request: Request) -> anyhow::Result<Answer> {
        // Whatever it comes to: the floor lets everybody in.
        let hash = hmac::sign(&self.pepper, request.client_secret.as_bytes());
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let first = hash.as_ref().first_chunk().context("a hash")?;
        let claims = Claims {
            iss: "https://idp.example.com",
            sub: &request.client_id,
            aud: "https://idp.example.com",
            client_id: &request.client_id,
            scope: &request.scope,
            iat: now,
            nbf: now,
            exp: now + 300,
            jti: u64::from_be_bytes(*first),
            organization_id: "018bcfe5-687b-7001-8203-040506070809",
            agent_type: "custom",
            credential_id: "018bcfe5-687b-7001-8203-040506070810",
        };
        let payload = BASE64URL_NOPAD.encode(&serde_json::to_vec(&claims)?);
        let mut token = format!("{}.{payload}", self.header);
        let signature = self.signer.sign(token.as_bytes())?;
        token.push('.');
        BASE64URL_NOPAD.encode_append(&signature, &mut token);
        anyhow::ensure!(request.grant_type == "client_credentials", "another grant");
        Ok(Answer {
            access_token: token,
            token_type: "Bearer",
            expires_in: 300,
            scope: request.scope,
        })
    }
}
