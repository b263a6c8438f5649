//! The floors: servers of the same stack that do the least, for the server's figures to be ratios of.
//!
//! `hello` reads a form and answers 900 bytes. `sign` reads a form, compares the keyed hash of the
//! secret in it, makes the claims of a token, signs them and answers: what a token costs where nothing
//! is looked up, limited, noted or told. `verify` reads a form, verifies the token in it and answers 900
//! bytes: what telling of a token costs where its signature is not known yet, and nothing else is asked.
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
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
        KeyPair, ParsedPublicKey, RSA_PKCS1_SHA256, RsaKeyPair,
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

/// How many bytes an answer has whose token and scope are empty.
const WITHOUT_STRINGS: usize = 69;

/// Who signs.
enum Signer {
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

impl Request {
    /// As everybody sends it.
    fn sample() -> Self {
        Self {
            grant_type: "client_credentials".to_owned(),
            client_id: "018bcfe5-687b-7001-8203-040506070809".to_owned(),
            client_secret: "a secret".to_owned(),
            scope: "agents:read".to_owned(),
        }
    }
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

#[derive(Deserialize)]
struct Question {
    token: String,
}

/// The floors.
#[derive(Debug)]
pub struct Floors {
    /// One a path: `/hello`, `/sign/` with the name of each algorithm, and `/verify`.
    pub router: Router,
    /// A token that `/verify` takes.
    pub token: String,
}

/// Makes the floors.
///
/// # Errors
/// Where no keys can be made.
pub fn floors() -> anyhow::Result<Floors> {
    let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).context("a key")?;
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, es256.public_key().as_ref())?;
    let ed25519 = Ed25519KeyPair::generate().context("a key")?;
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).context("a key")?;
    let verify = post(verify).with_state(Arc::new(key));
    let mut router = Router::new().route("/hello", post(hello)).route("/verify", verify);
    let mut token = None;
    for signer in [
        Signer::Es256(es256, SystemRandom::new()),
        Signer::EdDsa(ed25519),
        Signer::Rs256(rsa, SystemRandom::new()),
    ] {
        let path = format!("/sign/{}", signer.name());
        let header = format!(r#"{{"alg":"{}","typ":"at+jwt","kid":"a key"}}"#, signer.name());
        let pepper = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let desk = Desk { signer, pepper, header: BASE64URL_NOPAD.encode(header.as_bytes()) };
        if token.is_none() {
            // That of ES256, which is the first.
            token = Some(desk.answer(Request::sample())?.access_token);
        }
        router = router.route(&path, post(sign).with_state(Arc::new(desk)));
    }
    Ok(Floors { router, token: token.context("no signer")? })
}

async fn hello(Form(request): Form<Request>) -> Json<Answer> {
    Json(greeting(request.scope))
}

fn greeting(scope: String) -> Answer {
    let access_token = "a".repeat(HELLO_BYTES.saturating_sub(scope.len() + WITHOUT_STRINGS));
    Answer { access_token, token_type: "Bearer", expires_in: 300, scope }
}

async fn verify(
    State(key): State<Arc<ParsedPublicKey>>,
    Form(question): Form<Question>,
) -> Response {
    let signed = question.token.rsplit_once('.');
    let is_good = signed.is_some_and(|(message, signature)| {
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes());
        signature.is_ok_and(|signature| key.verify_sig(message.as_bytes(), &signature).is_ok())
    });
    match is_good {
        true => Json(greeting("agents:read".to_owned())).into_response(),
        false => StatusCode::BAD_REQUEST.into_response(),
    }
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

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::header::CONTENT_TYPE};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    async fn asked(path: &str, form: &str) -> (StatusCode, Vec<u8>) {
        let Floors { router, token } = floors().unwrap();
        let request = axum::http::Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(form.replace("TOKEN", &token)))
            .unwrap();
        let answer = router.oneshot(request).await.unwrap();
        (answer.status(), answer.into_body().collect().await.unwrap().to_bytes().to_vec())
    }

    const FORM: &str =
        "grant_type=client_credentials&client_id=a&client_secret=b&scope=agents%3Aread";

    #[tokio::test]
    async fn hello_and_verify_answer_as_many_bytes_as_they_say() {
        for (path, form) in [("/hello", FORM), ("/verify", "token=TOKEN")] {
            let (status, body) = asked(path, form).await;
            assert_eq!((status, body.len()), (StatusCode::OK, HELLO_BYTES), "{path}");
        }
    }

    #[tokio::test]
    async fn a_token_that_the_floor_has_not_signed_is_refused() {
        let (status, _) = asked("/verify", "token=TOKENx").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn each_algorithm_signs() {
        for name in ["ES256", "EdDSA", "RS256"] {
            let (status, body) = asked(&format!("/sign/{name}"), FORM).await;
            assert_eq!(status, StatusCode::OK, "{name}");
            assert!(body.starts_with(br#"{"access_token":"ey"#), "{name}");
        }
    }
}
