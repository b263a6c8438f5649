//! The ports of this crate: stores of keys and revocations, and whoever holds the private keys.

use std::future::Future;

use jose::{Algorithm, Jwk, KeyId};
use kernel::{EntropyUnavailable, StoreError, TokenId, store::Source};
use thiserror::Error;

use crate::{
    damaged::DamagedKey,
    key::{SealedPrivateKey, SigningKey},
};

/// Nothing was signed.
#[derive(Debug, Error)]
pub enum SigningFailed {
    /// The private key could not be used: an operator's matter.
    #[error("the signing key cannot be used")]
    Unusable(#[source] Source),
    /// No key signs now, or no more the one that was to. It is seen to at once.
    #[error("no signing key is active")]
    NoneSigns,
    /// As many wait for a signature as may. A little later there is room again.
    #[error("too many signatures are waited for")]
    Busy,
}

impl SigningFailed {
    /// Wraps whatever kept the key from signing.
    pub fn new(source: impl Into<Source>) -> Self {
        Self::Unusable(source.into())
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

    /// The algorithms that tokens are or will soon be signed with: those of the keys that verifiers
    /// should know, the one that signs first.
    fn signing_algorithms(&self) -> Vec<Algorithm> {
        let mut found: Vec<_> = self.active().into_iter().map(|(_, algorithm)| algorithm).collect();
        let published = self.published();
        let known = |algorithm| published.iter().any(|key| key.algorithm() == algorithm);
        for algorithm in Algorithm::ALL.into_iter().filter(|one| known(*one)) {
            if !found.contains(&algorithm) {
                found.push(algorithm);
            }
        }
        found
    }
}

/// Makes key pairs and seals their private half.
pub trait KeyFactory: Send + Sync {
    /// Makes one. It is asynchronous since a key that takes long to make must not hold up a thread
    /// that serves requests.
    ///
    /// # Errors
    /// When there is no randomness.
    fn generate(
        &self,
        algorithm: Algorithm,
    ) -> impl Future<Output = Result<(Jwk, SealedPrivateKey), EntropyUnavailable>> + Send;

    /// Whether this key can be used: its private half opens, and belongs to its public one.
    fn opens(&self, key: &SigningKey) -> bool;
}

/// What a store holds of signing keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeptKeys {
    /// Those of which everything is there, in the order in which they were made.
    pub whole: Vec<SigningKey>,
    /// The rest. One row that cannot be read must not keep the others from signing.
    pub damaged: Vec<DamagedKey>,
}

/// The installation's signing keys, to read. Writing is [`Apply`](audit::Apply) of a change.
pub trait SigningKeys: Send {
    /// All of them, those that are over included.
    ///
    /// # Errors
    /// [`StoreError`]
    fn signing_keys(&mut self) -> impl Future<Output = Result<KeptKeys, StoreError>> + Send;
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
