//! A public key (RFC 7517), in the members that identify it.

use data_encoding::BASE64URL_NOPAD;
use ring::digest;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::{algorithm::Algorithm, key_id::KeyId};

/// A public key. It has no private members by its type, and exactly one algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Jwk {
    /// A point on P-256 (RFC 7518 section 6.2). Whether it lies on the curve, a
    /// [`SignatureVerifier`](crate::SignatureVerifier) knows.
    P256 {
        /// The first coordinate.
        x: [u8; 32],
        /// The second.
        y: [u8; 32],
    },
    /// A point for Ed25519 (RFC 8037 section 2).
    Ed25519 {
        /// The point, compressed.
        x: [u8; 32],
    },
    /// A modulus of 2,048 to 4,096 bits (RFC 7518 section 6.3). The exponent is always 65,537.
    Rsa {
        /// The modulus, most significant byte first, without leading zeros.
        modulus: Vec<u8>,
        /// What it signs with: the same key must not serve both paddings.
        padding: Padding,
    },
}

/// How an RSA key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// PKCS #1 v1.5: `RS256`.
    Pkcs1,
    /// PSS: `PS256`.
    Pss,
}

/// Why a JSON object is no public key that is taken. Its text names members and quotes none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidJwk {
    /// It holds a private member, or a symmetric key. It must be considered lost.
    #[error("it holds a private key; register the public half alone, and use this key no more")]
    Private,
    /// It is of a type, or on a curve, that is not taken.
    #[error("`kty` must be `EC` with `crv` `P-256`, `OKP` with `crv` `Ed25519`, or `RSA`")]
    Kind,
    /// Its algorithm is missing where it must be named, or is not its type's.
    #[error(
        "`alg` must be that of the key: `ES256`, `EdDSA`, and for an `RSA` key, `RS256` or `PS256`"
    )]
    Algorithm,
    /// It is meant for something else than checking signatures.
    #[error("`use` must be `sig`, and `key_ops` must be `verify` alone, where they are given")]
    Use,
    /// A coordinate or a modulus is missing, of another size, or not in canonical base64url.
    #[error("its `x`, `y` or `n` is missing, of another size, or not in base64url")]
    Member,
    /// A modulus is too short to be safe, or longer than anybody needs.
    #[error("`n` must have 2048 to 4096 bits")]
    Size,
    /// An exponent of another size.
    #[error("`e` must be `AQAB`, which is 65537")]
    Exponent,
    /// A point by which a signature holds for whatever was signed.
    #[error("the point is of a small order: anybody could sign for it")]
    Weak,
}

/// The members that no public key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// 65,537.
const EXPONENT: &str = "AQAB";

impl Jwk {
    /// Reads a public key. Members that say nothing about the key itself (`kid`, `x5t`, …) are left
    /// to the caller.
    ///
    /// # Errors
    /// [`InvalidJwk`]
    pub fn parse(members: &Map<String, Value>) -> Result<Self, InvalidJwk> {
        if PRIVATE.iter().any(|name| members.contains_key(*name)) {
            return Err(InvalidJwk::Private);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let key = match (text("kty"), text("crv")) {
            (Some("EC"), Some("P-256")) => {
                Self::P256 { x: coordinate(text("x"))?, y: coordinate(text("y"))? }
            }
            (Some("OKP"), Some("Ed25519")) => Self::Ed25519 { x: strong(coordinate(text("x"))?)? },
            (Some("RSA"), None) => Self::rsa(text("n"), text("e"), text("alg"))?,
            (Some(_) | None, Some(_) | None) => return Err(InvalidJwk::Kind),
        };
        let named = |alg: &Value| alg.as_str().and_then(Algorithm::parse);
        if members.get("alg").is_some_and(|alg| named(alg) != Some(key.algorithm())) {
            return Err(InvalidJwk::Algorithm);
        }
        if is_for_signatures(members) { Ok(key) } else { Err(InvalidJwk::Use) }
    }

    fn rsa(n: Option<&str>, e: Option<&str>, alg: Option<&str>) -> Result<Self, InvalidJwk> {
        let padding = match alg.and_then(Algorithm::parse) {
            Some(Algorithm::Rs256) => Padding::Pkcs1,
            Some(Algorithm::Ps256) => Padding::Pss,
            Some(Algorithm::Es256 | Algorithm::EdDsa) | None => return Err(InvalidJwk::Algorithm),
        };
        if e != Some(EXPONENT) {
            return Err(InvalidJwk::Exponent);
        }
        modulus(&decode(n)?).map(|modulus| Self::Rsa { modulus, padding })
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256 { .. } => Algorithm::Es256,
            Self::Ed25519 { .. } => Algorithm::EdDsa,
            Self::Rsa { padding: Padding::Pkcs1, .. } => Algorithm::Rs256,
            Self::Rsa { padding: Padding::Pss, .. } => Algorithm::Ps256,
        }
    }

    /// The members that a thumbprint covers (RFC 7638 section 3.2), in its order.
    fn members(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match self {
            Self::P256 { x, y } => {
                json!({ "crv": "P-256", "kty": "EC", "x": encode(x), "y": encode(y) })
            }
            Self::Ed25519 { x } => json!({ "crv": "Ed25519", "kty": "OKP", "x": encode(x) }),
            Self::Rsa { modulus, .. } => {
                json!({ "e": EXPONENT, "kty": "RSA", "n": encode(modulus) })
            }
        }
    }

    /// Its id: the SHA-256 thumbprint of RFC 7638.
    #[must_use]
    pub fn thumbprint(&self) -> KeyId {
        let digest = digest::digest(&digest::SHA256, self.members().to_string().as_bytes());
        KeyId::of_digest(digest.as_ref())
    }

    /// The key in JSON, with `alg` and `use`, and without an id.
    #[must_use]
    pub fn to_members(&self) -> Map<String, Value> {
        let Value::Object(mut members) = self.members() else { return Map::new() };
        members.insert("alg".to_owned(), self.algorithm().name().into());
        members.insert("use".to_owned(), "sig".into());
        members
    }

    /// The key as it stands in a published set: its id is its thumbprint.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = self.to_members();
        members.insert("kid".to_owned(), self.thumbprint().as_str().into());
        Value::Object(members)
    }

    /// What a store keeps beside the algorithm: both coordinates, the point, or the modulus.
    #[must_use]
    pub fn to_raw(&self) -> Vec<u8> {
        match self {
            Self::P256 { x, y } => [*x, *y].concat(),
            Self::Ed25519 { x } => x.to_vec(),
            Self::Rsa { modulus, .. } => modulus.clone(),
        }
    }

    /// The key of which a store kept this. `None` where it is none.
    #[must_use]
    pub fn from_raw(algorithm: Algorithm, raw: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Es256 => {
                let (x, y) = raw.split_first_chunk()?;
                Some(Self::P256 { x: *x, y: y.try_into().ok()? })
            }
            Algorithm::EdDsa => Some(Self::Ed25519 { x: strong(raw.try_into().ok()?).ok()? }),
            Algorithm::Rs256 => {
                Some(Self::Rsa { modulus: modulus(raw).ok()?, padding: Padding::Pkcs1 })
            }
            Algorithm::Ps256 => {
                Some(Self::Rsa { modulus: modulus(raw).ok()?, padding: Padding::Pss })
            }
        }
    }
}

/// Where a use is given it is this one (RFC 7517 sections 4.2 and 4.3).
fn is_for_signatures(members: &Map<String, Value>) -> bool {
    members.get("use").is_none_or(|named| named == "sig")
        && members.get("key_ops").is_none_or(|named| *named == json!(["verify"]))
}

fn decode(text: Option<&str>) -> Result<Vec<u8>, InvalidJwk> {
    let text = text.ok_or(InvalidJwk::Member)?;
    BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| InvalidJwk::Member)
}

fn coordinate(text: Option<&str>) -> Result<[u8; 32], InvalidJwk> {
    decode(text)?.try_into().map_err(|_| InvalidJwk::Member)
}

/// A modulus that is odd, of a size that is taken, and begins with its highest byte.
fn modulus(bytes: &[u8]) -> Result<Vec<u8>, InvalidJwk> {
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return Err(InvalidJwk::Member);
    };
    if *first == 0 || last % 2 == 0 {
        return Err(InvalidJwk::Member);
    }
    let unused = usize::try_from(first.leading_zeros()).unwrap_or(0);
    let bits = bytes.len().saturating_mul(8) - unused;
    if (2_048..=4_096).contains(&bits) { Ok(bytes.to_vec()) } else { Err(InvalidJwk::Size) }
}

/// The points whose order divides eight, without the bit that tells their sign, in every encoding
/// that a reader might take: 0, 1, -1, the two of order eight, and what is 0 and 1 past the prime.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    near_the_prime(0xec),
    near_the_prime(0xed),
    near_the_prime(0xee),
];

/// The number whose lowest byte is this, and that is 2^255 - 19 or one off it.
const fn near_the_prime(lowest: u8) -> [u8; 32] {
    let mut number = [0xff; 32];
    number[0] = lowest;
    number[31] = 0x7f;
    number
}

fn strong(point: [u8; 32]) -> Result<[u8; 32], InvalidJwk> {
    let mut unsigned = point;
    unsigned[31] &= 0x7f;
    if SMALL_ORDER.contains(&unsigned) {
        return Err(InvalidJwk::Weak);
    }
    if is_past_the_prime(&unsigned) { Err(InvalidJwk::Member) } else { Ok(point) }
}

/// A number has one encoding (RFC 8032 section 5.1.3). The least significant byte is the first.
fn is_past_the_prime(number: &[u8; 32]) -> bool {
    number.iter().rev().ge(near_the_prime(0xed).iter().rev())
}

#[cfg(test)]
mod tests;
