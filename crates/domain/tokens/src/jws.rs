//! The token's form: a compact JWS (RFC 7515 section 3.1) of the type `at+jwt` (RFC 9068).
//!
//! Whatever this crate signs goes through one path, `sign`, and says by its type what kind it is of.
//!
//! Only tokens of our own making are read, so reading is as narrow as writing: exactly the header
//! and the claims that [`issue`](crate::issue) makes, each once, in the one canonical base64url.
//! Whatever a header could ask for beyond that (`crit`, `jku`, `jwk`, `b64`, `zip`) is refused
//! unread.

use data_encoding::BASE64URL_NOPAD;
use jose::{Algorithm, CertificateThumbprint, KeyId};
use kernel::{ScopeSet, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{
    claims::Claims,
    confirmation::Confirmation,
    issuer::Issuer,
    port::{Signer, SigningFailed},
};

/// The longest token that is read, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;

/// What a JWT of this server is. One kind is never taken for another (RFC 8725 section 3.11): they
/// bear signatures of the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An access token (RFC 9068 section 2.1).
    AccessToken,
    /// A signed answer to an introspection (RFC 9701 section 5).
    Introspection,
}

impl Kind {
    /// What stands in the header's `typ`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::Introspection => "token-introspection+jwt",
        }
    }
}

/// The header on the wire.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'a str,
}

/// The claims on the wire. The names never change.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireClaims {
    iss: String,
    sub: String,
    aud: Audience,
    client_id: String,
    organization_id: String,
    agent_type: String,
    credential_id: String,
    scope: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    cnf: Option<WireConfirmation>,
}

/// One member, which says what kind of confirmation it is (RFC 7800 section 3.1). A reader that does
/// not know it refuses the token, rather than taking it for one that is bound to nothing.
#[derive(Serialize, Deserialize)]
enum WireConfirmation {
    #[serde(rename = "jkt")]
    Key(String),
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

/// One audience is a string, several are an array (RFC 7519 section 4.1.3).
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Text that is no token of ours. Why not is for the log: a caller learns only that it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidToken {
    /// Not a compact JWS with our header and our claims.
    #[error("the token is malformed")]
    Malformed,
    /// No key of that id verifies any more, or none ever did.
    #[error("the token names no key that verifies")]
    UnknownKey,
    /// The signature does not hold.
    #[error("the token's signature does not hold")]
    Signature,
    /// Another issuer's.
    #[error("the token is of another issuer")]
    Issuer,
}

/// A token whose signature and issuer hold. Whether it is still good, [`judge`](crate::judge) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedToken {
    claims: Claims,
    key: KeyId,
}

impl VerifiedToken {
    /// The key that it was signed with.
    #[must_use]
    pub const fn key(&self) -> &KeyId {
        &self.key
    }

    /// What it says.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }
}

/// What is to be signed: header and claims, encoded and joined by a dot (RFC 7515 section 5.1).
///
/// `None` where the claims cannot be written as JSON, which text and numbers always can.
pub(crate) fn signing_input(
    kind: Kind,
    claims: &impl Serialize,
    (key, algorithm): (&KeyId, Algorithm),
) -> Option<String> {
    let header = Header { alg: algorithm.name(), kid: key.as_str(), typ: kind.name() };
    // Room for what most tokens need, with their signatures.
    let (mut json, mut input) = (Vec::with_capacity(768), String::with_capacity(1_280));
    serde_json::to_writer(&mut json, &header).ok()?;
    BASE64URL_NOPAD.encode_append(&json, &mut input);
    json.clear();
    serde_json::to_writer(&mut json, claims).ok()?;
    input.push('.');
    BASE64URL_NOPAD.encode_append(&json, &mut input);
    Some(input)
}

/// Signs what [`signing_input`] made: the one way to a JWT of any kind.
///
/// # Errors
/// [`SigningFailed`]
pub(crate) async fn sign(
    input: Option<String>,
    key: &KeyId,
    signer: &impl Signer,
) -> Result<Secret, SigningFailed> {
    let input = input.ok_or_else(SigningFailed::no_input)?;
    let signature = signer.sign(key, input.as_bytes()).await?;
    Ok(Secret::from(assemble(input, &signature)))
}

/// Joins what was signed and its signature into a token.
pub(crate) fn assemble(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    BASE64URL_NOPAD.encode_append(signature, &mut signing_input);
    signing_input
}

/// Reads a token and checks its form, its type, its key, its signature and its issuer (RFC 8725
/// section 3).
///
/// # Errors
/// [`InvalidToken`]
pub fn verify(
    token: &str,
    issuer: &Issuer,
    signer: &impl Signer,
) -> Result<VerifiedToken, InvalidToken> {
    read(token, issuer, signer, Signature::Unknown)
}

/// Whether it has to be found out that a signature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// Nobody knows.
    Unknown,
    /// It was found to hold, by the key that the token names: see [`verified`](crate::verified).
    Holds,
}

/// Does what [`verify`] does, and checks the signature where it is not known that it holds.
pub(crate) fn read(
    token: &str,
    issuer: &Issuer,
    signer: &impl Signer,
    signature: Signature,
) -> Result<VerifiedToken, InvalidToken> {
    let (signed, header, payload, signed_by) = split(token).ok_or(InvalidToken::Malformed)?;
    let header = decode(header)?;
    let header: Header<'_> = parse(&header)?;
    if header.typ != Kind::AccessToken.name() {
        return Err(InvalidToken::Malformed);
    }
    let key = KeyId::parse(header.kid).ok_or(InvalidToken::UnknownKey)?;
    let algorithm = signer.algorithm(&key).ok_or(InvalidToken::UnknownKey)?;
    if header.alg != algorithm.name() {
        return Err(InvalidToken::Malformed);
    }
    let holds = match signature {
        Signature::Holds => true,
        Signature::Unknown => signer.verifies(&key, signed.as_bytes(), &decode(signed_by)?),
    };
    if !holds {
        return Err(InvalidToken::Signature);
    }
    let payload = decode(payload)?;
    let wire: WireClaims = parse(&payload)?;
    if wire.iss != issuer.as_str() {
        return Err(InvalidToken::Issuer);
    }
    Claims::try_from(wire).map(|claims| VerifiedToken { claims, key })
}

/// The signed part, and the three parts. There are exactly two dots.
fn split(token: &str) -> Option<(&str, &str, &str, &str)> {
    if token.len() > MAX_LENGTH {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    (!payload.contains('.')).then_some((signed, header, payload, signature))
}

fn decode(part: &str) -> Result<Vec<u8>, InvalidToken> {
    BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| InvalidToken::Malformed)
}

fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, InvalidToken> {
    serde_json::from_slice(bytes).map_err(|_| InvalidToken::Malformed)
}

impl From<&Claims> for WireClaims {
    fn from(claims: &Claims) -> Self {
        let issued_at = claims.issued_at.unix_seconds();
        Self {
            iss: claims.issuer.clone(),
            sub: claims.agent.to_string(),
            aud: match claims.audience.as_slice() {
                [one] => Audience::One(one.clone()),
                many => Audience::Many(many.to_vec()),
            },
            client_id: claims.agent.to_string(),
            organization_id: claims.organization.to_string(),
            agent_type: claims.agent_type.clone(),
            credential_id: claims.credential.to_string(),
            scope: claims.scope.to_string(),
            iat: issued_at,
            nbf: issued_at,
            exp: claims.expires_at.unix_seconds(),
            jti: claims.id.to_string(),
            cnf: claims.confirmation.as_ref().map(WireConfirmation::from),
        }
    }
}

impl TryFrom<WireClaims> for Claims {
    type Error = InvalidToken;

    fn try_from(wire: WireClaims) -> Result<Self, InvalidToken> {
        let consistent = wire.sub == wire.client_id && wire.iat == wire.nbf && wire.iat < wire.exp;
        if !consistent {
            return Err(InvalidToken::Malformed);
        }
        Ok(Self {
            issuer: wire.iss,
            agent: field(&wire.sub)?,
            audience: match wire.aud {
                Audience::One(one) => vec![one],
                Audience::Many(many) => many,
            },
            organization: field(&wire.organization_id)?,
            agent_type: wire.agent_type,
            credential: field(&wire.credential_id)?,
            scope: scope(&wire.scope)?,
            issued_at: seconds(wire.iat)?,
            expires_at: seconds(wire.exp)?,
            id: field(&wire.jti)?,
            confirmation: wire.cnf.map(Confirmation::try_from).transpose()?,
        })
    }
}

impl From<&Confirmation> for WireConfirmation {
    fn from(confirmation: &Confirmation) -> Self {
        match confirmation {
            Confirmation::Key(key) => Self::Key(key.as_str().to_owned()),
            Confirmation::Certificate(certificate) => Self::Certificate(certificate.to_string()),
        }
    }
}

impl TryFrom<WireConfirmation> for Confirmation {
    type Error = InvalidToken;

    fn try_from(wire: WireConfirmation) -> Result<Self, InvalidToken> {
        let read = match wire {
            WireConfirmation::Key(key) => KeyId::parse(&key).map(Self::Key),
            WireConfirmation::Certificate(certificate) => {
                CertificateThumbprint::parse(&certificate).map(Self::Certificate)
            }
        };
        read.ok_or(InvalidToken::Malformed)
    }
}

fn field<T: std::str::FromStr>(text: &str) -> Result<T, InvalidToken> {
    text.parse().map_err(|_| InvalidToken::Malformed)
}

fn scope(text: &str) -> Result<ScopeSet, InvalidToken> {
    if text.is_empty() { Ok(ScopeSet::default()) } else { field(text) }
}

fn seconds(seconds: i64) -> Result<Timestamp, InvalidToken> {
    let micros = seconds.checked_mul(1_000_000).ok_or(InvalidToken::Malformed)?;
    Timestamp::from_unix_micros(micros).map_err(|_| InvalidToken::Malformed)
}

#[cfg(test)]
mod tests;
