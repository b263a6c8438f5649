//! Proofs that were used, in the store of record: for replicas that share nothing faster.

use ::tokens::{
    ProofUses,
    dpop::{Epoch, ProofUse},
};
use async_trait::async_trait;
use jose::{SingleUse, SingleUses};
use kernel::{OrganizationId, StoreError, Timestamp};

/// Remembers in the store. What is lost there is lost with everything else, so it
/// has one epoch for ever.
#[derive(Debug, Clone)]
pub struct RecordedProofs<S>(S);

impl<S> RecordedProofs<S> {
    /// Remembers in this store.
    pub const fn new(store: S) -> Self {
        Self(store)
    }
}

#[async_trait]
impl<S> ProofUses for RecordedProofs<S>
where
    S: SingleUses,
{
    async fn epoch(&self, _: Timestamp) -> Result<Epoch, StoreError> {
        Ok(Epoch::OF_RECORD)
    }

    async fn use_once(
        &self,
        organization: OrganizationId,
        epoch: Epoch,
        single_use: &SingleUse,
        now: Timestamp,
    ) -> Result<ProofUse, StoreError> {
        let next = Epoch::OF_RECORD;
        if epoch != next {
            return Ok(ProofUse::OtherEpoch { next });
        }
        match self.0.use_once(organization, single_use, now).await? {
            true => Ok(ProofUse::First { next }),
            false => Ok(ProofUse::Again),
        }
    }
}
