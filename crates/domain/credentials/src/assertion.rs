//! A client's assertion (RFC 7523 sections 2.2 and 3): a statement about itself, signed with a key
//! that it registered, and good once.

use std::time::Duration;

use jose::{Compact, SignatureVerifier, SingleUse};
use kernel::{AgentId, CLOCK_SKEW, Standing, Timestamp};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{client_key::ClientKey, material::KeyMaterial};

/// The `client_assertion_type` of an assertion (RFC 7523 section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// For how long an assertion may be good at most, from when it was made.
pub const MAX_LIFETIME: Duration = Duration::from_secs(300);

/// The longest `jti`, in bytes.
const MAX_ID_LENGTH: usize = 256;

/// The types that an assertion may say it is of, in lower case. One that says nothing is taken:
/// clients did not before there was a type to say.
const KINDS: [&str; 2] = ["client-authentication+jwt", "jwt"];

/// Why an assertion lets nobody in. For the log alone: a caller learns only that it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidAssertion {
    /// It is no signed JSON object.
    #[error("the assertion is malformed")]
    Malformed,
    /// It is of another type: made for something else.
    #[error("the assertion is of another type")]
    Kind,
    /// `iss` and `sub` are missing, differ, or name no client.
    #[error("the assertion names no client, or two")]
    Client,
    /// `aud` is another than the issuer's own text.
    #[error("the assertion is for another audience")]
    Audience,
    /// `exp` is missing or over, or `iat` or `nbf` lies ahead.
    #[error("the assertion is not good at this time")]
    Time,
    /// It is good for longer than five minutes.
    #[error("the assertion is good for too long")]
    Lifetime,
    /// `jti` is missing, empty or too long.
    #[error("the assertion has no id")]
    Id,
    /// No key of the client's that is good has this id and this algorithm.
    #[error("the assertion names no key of the client's")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the assertion's signature does not hold")]
    Signature,
}

/// An assertion that was read. Nothing of it can be believed yet.
#[derive(Debug, Clone, PartialEq)]
pub struct PresentedAssertion<'a> {
    object: Compact<'a>,
    client: AgentId,
}

/// An assertion of the client that it names.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VerifiedAssertion {
    /// The key that it was signed with.
    pub key: ClientKey,
    /// By what it is known that it was used.
    pub single_use: SingleUse,
}

impl<'a> PresentedAssertion<'a> {
    /// Reads an assertion: its form, its type, and whom it names.
    ///
    /// # Errors
    /// [`InvalidAssertion`]
    pub fn read(text: &'a str) -> Result<Self, InvalidAssertion> {
        let object = Compact::parse(text).map_err(|_| InvalidAssertion::Malformed)?;
        let header = object.header();
        if header.kind.is_some() && !KINDS.iter().any(|kind| header.is_of(kind)) {
            return Err(InvalidAssertion::Kind);
        }
        let (issuer, subject) = (text_of(object.claims(), "iss"), text_of(object.claims(), "sub"));
        let client = match (issuer, subject) {
            (Some(issuer), Some(subject)) if issuer == subject => subject.parse(),
            (Some(_) | None, Some(_) | None) => return Err(InvalidAssertion::Client),
        };
        let client = client.map_err(|_| InvalidAssertion::Client)?;
        Ok(Self { object, client })
    }

    /// The client that it names.
    #[must_use]
    pub const fn client(&self) -> AgentId {
        self.client
    }

    /// Checks it for an authorization server, given the keys of the client that it names: everything
    /// but whether it was used before.
    ///
    /// The only audience is the issuer's own text (the successor of RFC 7523 section 3): one that
    /// is an array, or names an endpoint, was made for a server that could play it back here.
    ///
    /// # Errors
    /// [`InvalidAssertion`]
    pub fn check(
        &self,
        (issuer, now): (&str, Timestamp),
        keys: &[ClientKey],
        verifier: &dyn SignatureVerifier,
    ) -> Result<VerifiedAssertion, InvalidAssertion> {
        let claims = self.object.claims();
        if claims.get("aud").and_then(Value::as_str) != Some(issuer) {
            return Err(InvalidAssertion::Audience);
        }
        let over = judge_times(claims, now)?;
        let id = text_of(claims, "jti").filter(|id| (1..=MAX_ID_LENGTH).contains(&id.len()));
        let id = id.ok_or(InvalidAssertion::Id)?;
        let key = self.signed_by(keys, verifier, now)?;
        let single_use = SingleUse::new("client assertion", &self.client.to_string(), id, over);
        Ok(VerifiedAssertion { key: key.clone(), single_use })
    }

    /// The key that it was signed with. Where it names none, each of its algorithm is tried, of
    /// which there are a few.
    fn signed_by<'k>(
        &self,
        keys: &'k [ClientKey],
        verifier: &dyn SignatureVerifier,
        now: Timestamp,
    ) -> Result<&'k ClientKey, InvalidAssertion> {
        let header = self.object.header();
        let named = |key: &&ClientKey| {
            header.key.as_deref().is_none_or(|named| named == key.kid().as_str())
                && key.material().algorithm() == Some(header.algorithm)
                && key.authenticates(now) != Standing::Ended
        };
        let mut candidates = keys.iter().filter(named).peekable();
        candidates.peek().ok_or(InvalidAssertion::UnknownKey)?;
        let (message, signature) = (self.object.signed().as_bytes(), self.object.signature());
        let holds = |key: &&ClientKey| match key.material() {
            KeyMaterial::Jwk(jwk) => verifier.verifies(jwk, message, signature),
            KeyMaterial::Certificate(_) | KeyMaterial::Subject(_) => false,
        };
        candidates.find(holds).ok_or(InvalidAssertion::Signature)
    }
}

/// From when on it would be refused for its age.
fn judge_times(claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, InvalidAssertion> {
    let over = time_of(claims, "exp")?.ok_or(InvalidAssertion::Time)?;
    let made = time_of(claims, "iat")?;
    let from = time_of(claims, "nbf")?;
    let latest = now.plus(CLOCK_SKEW);
    if over <= now || [made, from].into_iter().flatten().any(|time| time > latest) {
        return Err(InvalidAssertion::Time);
    }
    if over > made.unwrap_or(latest).min(latest).plus(MAX_LIFETIME) {
        return Err(InvalidAssertion::Lifetime);
    }
    Ok(over)
}

/// A time in whole seconds (RFC 7519 section 2). One of another form, or past what a time can be, is
/// refused and not taken for absent.
fn time_of(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, InvalidAssertion> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let micros = value.as_i64().and_then(|seconds| seconds.checked_mul(1_000_000));
    let time = micros.and_then(|micros| Timestamp::from_unix_micros(micros).ok());
    time.map(Some).ok_or(InvalidAssertion::Time)
}

fn text_of<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
