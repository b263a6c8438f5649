//! Every reader of what callers send, fed with anything at all.
//!
//! # What it is for
//! Each function here takes bytes and must neither panic nor run long; where what it read can be
//! written again, it must be the same. Tests feed them a corpus and what a few thousand changes make of
//! it; `cargo xtask fuzz` lets a fuzzer look for more, for as long as one likes.
//!
//! # Order to read it in
//! [`TARGETS`] is the list.
#![expect(clippy::panic, reason = "what is found is told by a panic")]
#![expect(clippy::missing_panics_doc, reason = "likewise")]

use credentials::PresentedAssertion;
use jose::{Compact, Jwk, SignatureVerifier};
use kernel::{ScopeSet, Timestamp};
use tokens::{
    Algorithm, KeyId, Signer,
    dpop::{Proof, Shown},
    jws,
    port::SigningFailed,
};

/// A reader that takes anything.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: [(&str, Target); 9] = [
    ("jws", read_jws),
    ("access_token", read_access_token),
    ("assertion", read_assertion),
    ("proof", read_proof),
    ("form", read_form),
    ("basic", read_basic),
    ("scope", read_scope),
    ("page", read_page),
    ("json", read_json),
];

/// Takes every signature for right, so that all that comes behind it is reached.
struct Credulous;

impl SignatureVerifier for Credulous {
    fn accepts(&self, _: &Jwk) -> bool {
        true
    }

    fn verifies(&self, _: &Jwk, _: &[u8], _: &[u8]) -> bool {
        true
    }
}

impl Signer for Credulous {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        None
    }

    fn algorithm(&self, _: &KeyId) -> Option<Algorithm> {
        Some(Algorithm::Es256)
    }

    async fn sign(&self, _: &KeyId, _: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Err(SigningFailed::new("nothing is signed here"))
    }

    fn verifies(&self, _: &KeyId, _: &[u8], _: &[u8]) -> bool {
        true
    }

    fn published(&self) -> Vec<Jwk> {
        Vec::new()
    }
}

/// When all of it happens: 2026-11-21.
fn now() -> Timestamp {
    Timestamp::from_unix_micros(1_795_248_000_000_000).unwrap_or_else(|_| panic!("it is one"))
}

fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

/// A signed object; a key in its header is read too.
pub fn read_jws(bytes: &[u8]) {
    let Some(object) = text(bytes).and_then(|text| Compact::parse(text).ok()) else { return };
    assert_eq!(text(bytes).map(|text| text.starts_with(object.signed())), Some(true));
    assert!(Algorithm::ALL.contains(&object.header().algorithm));
    if let Some(Ok(key)) = object.header().jwk.as_ref().map(Jwk::parse) {
        assert_eq!(Jwk::parse(&key.to_members()), Ok(key.clone()));
        assert_eq!(Jwk::from_raw(key.algorithm(), &key.to_raw()), Some(key));
    }
}

/// A token of this server's, whoever signed it.
pub fn read_access_token(bytes: &[u8]) {
    let issuer = "https://idp.example.com".parse().unwrap_or_else(|_| panic!("it is one"));
    let Some(text) = text(bytes) else { return };
    if let Ok(token) = jws::verify(text, &issuer, &Credulous) {
        let claims = token.claims();
        assert!(claims.issued_at < claims.expires_at);
        assert_eq!(claims.issuer, issuer.as_str());
    }
}

/// A client's assertion.
pub fn read_assertion(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(assertion) = PresentedAssertion::read(text) {
        let at = ("https://idp.example.com", now());
        assert!(assertion.check(at, &[], &Credulous).is_err(), "it has no key");
    }
}

/// A proof of a key, whoever signed it.
pub fn read_proof(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let url = "https://idp.example.com/api/v1/token";
    for token in [None, Some("token")] {
        let shown = Shown { method: "POST", url, alias: None, token };
        if let Ok(proof) = Proof::verify(text, &shown, &Credulous, now()) {
            assert!(KeyId::parse(proof.key().as_str()).is_some());
        }
    }
}

/// A form of an OAuth endpoint.
pub fn read_form(bytes: &[u8]) {
    let scopes = http_api::readers::form(bytes);
    assert!(scopes.is_none_or(|scopes| scopes <= 1), "a parameter that came twice was let through");
}

/// The credentials of HTTP Basic.
pub fn read_basic(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Some((id, secret)) = http_api::readers::basic(text) {
        assert!(!id.is_empty() && !secret.is_empty());
        assert!(!id.contains(char::is_control) && !secret.contains(char::is_control));
    }
}

/// A scope.
pub fn read_scope(bytes: &[u8]) {
    let Some(Ok(scope)) = text(bytes).map(str::parse::<ScopeSet>) else { return };
    let written = scope.to_string();
    if !written.is_empty() {
        assert_eq!(written.parse(), Ok(scope));
    }
}

/// A query that asks for a page.
pub fn read_page(bytes: &[u8]) {
    if let Some(text) = text(bytes) {
        let _ = http_api::readers::page(text);
        let _ = http_api::readers::percent_decoded(text);
    }
}

/// A body of JSON.
pub fn read_json(bytes: &[u8]) {
    let is_strict = jose::json::object(bytes).is_ok();
    // What one reader takes for an object with each name once, the other does: neither lets through
    // what the other refuses for that.
    if http_api::readers::json(bytes) {
        assert!(bytes.contains(&b'{'));
    }
    if is_strict {
        assert!(text(bytes).is_some());
    }
}
