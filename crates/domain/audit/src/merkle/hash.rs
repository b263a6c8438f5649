//! Hashes, and the two ways in which they are made.

use std::{fmt, str::FromStr};

use data_encoding::BASE64;
use ring::digest::{Context, SHA256, digest};
use thiserror::Error;

/// Text or bytes that are no SHA-256 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a hash of 32 bytes in Base64")]
pub struct InvalidHash;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// How many bytes it has.
    pub const LENGTH: usize = 32;

    /// The hash of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_digest(&digest(&SHA256, bytes))
    }

    /// The hash that has these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    fn from_digest(digest: &ring::digest::Digest) -> Self {
        let mut bytes = [0; Self::LENGTH];
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = InvalidHash;

    fn try_from(bytes: &[u8]) -> Result<Self, InvalidHash> {
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl FromStr for Hash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| InvalidHash)?;
        Self::try_from(bytes.as_slice())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a leaf with this content (RFC 9162, section 2.1.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    prefixed(0, &[entry])
}

/// The hash of a node over these two (RFC 9162, section 2.1.1). Its prefix differs from a leaf's, so
/// that no leaf can be passed off as a node.
#[must_use]
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    prefixed(1, &[&left.0, &right.0])
}

/// The root over no leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::of(&[])
}

fn prefixed(prefix: u8, parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[prefix]);
    parts.iter().for_each(|part| context.update(part));
    Hash::from_digest(&context.finish())
}
