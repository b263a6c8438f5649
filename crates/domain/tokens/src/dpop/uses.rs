//! The port to whatever remembers which proofs were used.

use async_trait::async_trait;
use jose::SingleUse;
use kernel::{OrganizationId, StoreError, Timestamp};

use super::nonce::Epoch;

/// What became of an attempt to use a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofUse {
    /// It was not used before, and is now.
    First {
        /// The epoch that the next nonce should carry.
        next: Epoch,
    },
    /// It was used before.
    Again,
    /// It is of another epoch: nobody knows whether it was used, and it cannot be any more.
    OtherEpoch {
        /// The epoch that the next nonce should carry.
        next: Epoch,
    },
}

/// Remembers which proofs were used, on all replicas together.
///
/// # What must hold
/// Of many that use one proof of one epoch at the same time, wherever they ask, one is first. What
/// is forgotten before it is over takes its epoch with it.
#[async_trait]
pub trait ProofUses: Send + Sync {
    /// The epoch that nonces should carry now.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn epoch(&self, now: Timestamp) -> Result<Epoch, StoreError>;

    /// Uses a proof whose nonce is of this epoch.
    ///
    /// # Errors
    /// [`StoreError`]; nobody knows then whether it was used, and it must count as used.
    async fn use_once(
        &self,
        organization: OrganizationId,
        epoch: Epoch,
        single_use: &SingleUse,
        now: Timestamp,
    ) -> Result<ProofUse, StoreError>;
}
