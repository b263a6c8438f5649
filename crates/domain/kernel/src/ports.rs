//! Time and randomness come from outside, so that a test decides both.

use thiserror::Error;

use crate::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// Makes randomness fit for keys and secrets.
pub trait Entropy: Send + Sync {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// When the source fails. The buffer's content is then unspecified and must not be used.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable>;
}

/// The source of randomness failed: nothing that needs an id or a secret can go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the source of randomness is not available")]
pub struct EntropyUnavailable;
