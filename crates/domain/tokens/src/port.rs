//! The ports of this crate: stores of keys and revocations, and whoever holds the private keys.

use std::future::Future;

use jose::{Algorithm, Jwk, KeyId};
use kernel::{EntropyUnavailable, StoreError, TokenId, store::Source};
use thiserror::Error;

use crate::key::{SealedPrivateKey, SigningKey};

/// The private key could not be used: an operator's matter.
#[derive(Debug, Error)]
#[error("the signing key cannot be used")]
pub struct SigningFailed(#[source] Source);

impl SigningFailed {
    /// Wraps whatever kept the key from signing.
    pub fn new(source: impl Into<Source>) -> Self {
        Self(source.into())
    }

    pub(crate) fn no_input() -> Self {
        Self::new("the claims cannot be written")
    }
}

/// Holds the keys, parsed once: signs with the active one, verifies with all that are published.
pub trait Signer: Send + Sync {
    /// The key that signs now.
    fn active(&self) -> Option<(KeyId, Algorithm)>;

    /// The algorithm of a key that verifies; `None` where there is no such key.
    fn algorithm(&self, key: &KeyId) -> Option<Algorithm>;

    /// Signs. It is asynchronous since an algorithm that takes long must not hold up a thread that
    /// serves requests.
    ///
    /// # Errors
    /// [`SigningFailed`]
    fn sign(
        &self,
        key: &KeyId,
        message: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, SigningFailed>> + Send;

    /// Whether the signature holds, by the key's own algorithm.
    fn verifies(&self, key: &KeyId, message: &[u8], signature: &[u8]) -> bool;

    /// The keys that verifiers should know, in the order of their ids.
    fn published(&self) -> Vec<Jwk>;
}

/// Makes key pairs and seals their private half.
pub trait KeyFactory: Send + Sync {
    /// Makes one.
    ///
    /// # Errors
    /// When there is no randomness.
    fn generate(&self, algorithm: Algorithm)
    -> Result<(Jwk, SealedPrivateKey), EntropyUnavailable>;
}

/// The installation's signing keys, to read. Writing is [`Apply`](audit::Apply) of a change.
pub trait SigningKeys: Send {
    /// All of them, the retired ones included, in the order in which they were made.
    ///
    /// # Errors
    /// [`StoreError`]
    fn signing_keys(&mut self) -> impl Future<Output = Result<Vec<SigningKey>, StoreError>> + Send;
}

/// The organization's revoked tokens, to read. Writing is [`Apply`](audit::Apply) of a
/// [`TokenRevoked`](crate::TokenRevoked).
pub trait Revocations: Send {
    /// Whether this token was revoked.
    ///
    /// # Errors
    /// [`StoreError`]
    fn is_revoked(
        &mut self,
        token: TokenId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
