//! One proof: what it must say, and of what (RFC 9449 sections 4.2 and 4.3).

use std::{iter, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use jose::{Algorithm, Compact, Header, Jwk, KeyId, SignatureVerifier, SingleUse};
use kernel::Timestamp;
use ring::digest;
use serde_json::{Map, Value};
use thiserror::Error;

use super::{ALGORITHMS, target};
use crate::policy::CLOCK_SKEW;

/// `typ`
const KIND: &str = "dpop+jwt";

/// How old a proof may be.
const MAX_AGE: Duration = Duration::from_secs(60);

/// A proof is good until the end of the second in which it is that old.
const SECOND: Duration = Duration::from_secs(1);

/// The longest `jti`, in characters.
const MAX_ID: usize = 256;

/// The request that a proof came with.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its URL.
    pub url: &'a str,
    /// The other URL by which this server is asked the same, if there is one.
    pub alias: Option<&'a str>,
    /// The token that was shown with it; none where one is asked for.
    pub token: Option<&'a str>,
}

/// A proof of this request. Whether it is the first time that it is shown, its nonce and a memory
/// have to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    key: KeyId,
    id: String,
    /// From when on it is refused for its age.
    over: Timestamp,
    nonce: Option<String>,
}

/// The rule that a refused proof breaks. It quotes nothing of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidProof {
    /// There is none, there are several, or it is no JWT of this server's rules.
    #[error("the DPoP header must hold one signed JWT, once")]
    Form,
    /// It is a JWT for something else.
    #[error("its `typ` must be `dpop+jwt`")]
    Kind,
    /// It is signed in a way that is not taken.
    #[error("its `alg` must be ES256, EdDSA or PS256")]
    Algorithm,
    /// The key in it is none that could have signed it.
    #[error("its `jwk` must be the public key of its `alg`, without any private member")]
    Key,
    /// Its key did not sign it.
    #[error("its signature does not hold")]
    Signature,
    /// A claim is not there, or of another type.
    #[error("its `{0}` is missing, too long, or of another type")]
    Claim(&'static str),
    /// It is of another method.
    #[error("its `htm` must be the method of the request")]
    Method,
    /// It is of another URL.
    #[error("its `htu` must be the URL of the request")]
    Url,
    /// It is too old, or not of this time.
    #[error("its `iat` must be now: at most 60 seconds ago, and 10 ahead")]
    Time,
    /// It is of another token, or of none, or of one where there is none.
    #[error(
        "its `ath` must be the SHA-256 of the token that is shown, and is nowhere but with one"
    )]
    Token,
    /// It was used already.
    #[error("it was used before")]
    Used,
}

impl Proof {
    /// Reads a proof and holds it against the request that it came with.
    ///
    /// # Errors
    /// [`InvalidProof`]
    pub fn verify(
        proof: &str,
        shown: &Shown<'_>,
        verifier: &dyn SignatureVerifier,
        now: Timestamp,
    ) -> Result<Self, InvalidProof> {
        let object = Compact::parse(proof).map_err(|_| InvalidProof::Form)?;
        let key = signed_by(&object, verifier)?;
        let claims = object.claims();
        if text(claims, "htm")? != shown.method {
            return Err(InvalidProof::Method);
        }
        let target = text(claims, "htu")?;
        if !iter::once(shown.url).chain(shown.alias).any(|url| target::is_same(target, url)) {
            return Err(InvalidProof::Url);
        }
        let issued_at = claims.get("iat").and_then(Value::as_i64);
        let over = over(issued_at.ok_or(InvalidProof::Claim("iat"))?, now)?;
        let hash = optional(claims, "ath")?;
        if hash != shown.token.map(hash_of).as_deref() {
            return Err(InvalidProof::Token);
        }
        let nonce = optional(claims, "nonce")?.map(str::to_owned);
        Ok(Self { key: key.thumbprint(), id: id(claims)?.to_owned(), over, nonce })
    }

    /// The key that it proves to be held: its thumbprint, `jkt`.
    #[must_use]
    pub const fn key(&self) -> &KeyId {
        &self.key
    }

    /// The nonce in it, unread.
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }

    /// What can be done with it once.
    #[must_use]
    pub fn single_use(&self) -> SingleUse {
        SingleUse::new("proof", self.key.as_str(), &self.id, self.over)
    }
}

/// The key in the header, if it signed the whole, in a way that is taken.
fn signed_by(object: &Compact<'_>, verifier: &dyn SignatureVerifier) -> Result<Jwk, InvalidProof> {
    let header = object.header();
    if !header.is_of(KIND) {
        return Err(InvalidProof::Kind);
    }
    if !ALGORITHMS.contains(&header.algorithm) {
        return Err(InvalidProof::Algorithm);
    }
    let key = key_in(header).filter(|key| verifier.accepts(key)).ok_or(InvalidProof::Key)?;
    if verifier.verifies(&key, object.signed().as_bytes(), object.signature()) {
        Ok(key)
    } else {
        Err(InvalidProof::Signature)
    }
}

/// The key in the header. An RSA key names its padding seldom there: the header has done so.
fn key_in(header: &Header) -> Option<Jwk> {
    let mut members = header.jwk.clone()?;
    members.entry("alg").or_insert_with(|| Algorithm::name(header.algorithm).into());
    Jwk::parse(&members).ok().filter(|key| key.algorithm() == header.algorithm)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, InvalidProof> {
    claims.get(name).and_then(Value::as_str).ok_or(InvalidProof::Claim(name))
}

fn optional<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, InvalidProof> {
    if claims.contains_key(name) { text(claims, name).map(Some) } else { Ok(None) }
}

fn id(claims: &Map<String, Value>) -> Result<&str, InvalidProof> {
    let id = text(claims, "jti")?;
    let is_bounded = !id.is_empty() && id.chars().count() <= MAX_ID;
    is_bounded.then_some(id).ok_or(InvalidProof::Claim("jti"))
}

/// Until when a proof of this time is good, if it is good now; in whole seconds, as the claim is.
fn over(issued_at: i64, now: Timestamp) -> Result<Timestamp, InvalidProof> {
    let age = now.unix_seconds().saturating_sub(issued_at);
    if !(-seconds(CLOCK_SKEW)..=seconds(MAX_AGE)).contains(&age) {
        return Err(InvalidProof::Time);
    }
    let issued_at = Timestamp::from_unix_micros(issued_at.saturating_mul(1_000_000));
    issued_at.map(|issued_at| issued_at.plus(MAX_AGE).plus(SECOND)).map_err(|_| InvalidProof::Time)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// `ath` of a token (RFC 9449 section 4.2).
fn hash_of(token: &str) -> String {
    BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests;
