//! The port of this crate: whoever can check a signature.

use crate::jwk::Jwk;

/// Checks signatures by keys of others. Nothing is kept: keys come with the request or the record.
pub trait SignatureVerifier: Send + Sync {
    /// Whether the key can be used at all: a point may have the right size and lie off its curve.
    fn accepts(&self, key: &Jwk) -> bool;

    /// Whether the signature holds, by the key's own algorithm.
    fn verifies(&self, key: &Jwk, message: &[u8], signature: &[u8]) -> bool;
}
