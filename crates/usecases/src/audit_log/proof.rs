//! Proofs that an event is in the log, and that the log only grew.

use audit::{
    Hash, LogReader, SignedCheckpoint, Transactor,
    merkle::{consistency_proof, inclusion_proof, root_at},
};
use kernel::{EventId, StoreError};
use thiserror::Error;

use crate::{caller::Caller, provider::IdentityProvider};

/// Why there is no proof.
#[derive(Debug, Error)]
pub enum ProofError {
    /// There is no such event in the caller's organization.
    #[error("there is no such event here")]
    Unknown,
    /// No checkpoint covers the event yet.
    #[error("no checkpoint covers the event yet")]
    Uncovered,
    /// There was no checkpoint of this size, or the sizes are in the wrong order.
    #[error("must be a whole number from {least} to {most}")]
    Size {
        /// Which of the sizes asked for.
        field: SizeField,
        /// The least that could be asked for.
        least: u64,
        /// The most that could be asked for.
        most: u64,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A size that a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeField {
    /// Of the tree that an event is in.
    Size,
    /// Of the older tree.
    From,
    /// Of the newer tree.
    To,
}

/// That an event is in the log (RFC 9162, section 2.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The event.
    pub event: EventId,
    /// Where it lies.
    pub position: u64,
    /// The hash of its leaf.
    pub leaf_hash: Hash,
    /// The size of the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
    /// The hashes that lead from the leaf to the root.
    pub hashes: Vec<Hash>,
    /// The checkpoint of this size, where it is the newest.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// That the log of one size continues that of another (RFC 9162, section 2.1.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// Size and root of the older tree.
    pub from: (u64, Hash),
    /// Size and root of the newer tree.
    pub to: (u64, Hash),
    /// The hashes that lead to both roots.
    pub hashes: Vec<Hash>,
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: LogReader,
{
    /// Proves that an event is in the log of the caller's organization: in the tree of this size, or of
    /// the newest checkpoint's.
    ///
    /// # Errors
    /// [`ProofError`]
    pub async fn prove_inclusion(
        &self,
        caller: &Caller,
        event: EventId,
        size: Option<u64>,
    ) -> Result<InclusionProof, ProofError>
    where
        S::View: audit::AuditLog,
    {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let Some(leaf) = view.leaf_of(event).await? else {
            let is_known = audit::AuditLog::event(&mut view, event).await?.is_some();
            return Err(if is_known { ProofError::Uncovered } else { ProofError::Unknown });
        };
        let state = view.log_state().await?;
        let (position, most) = (leaf.place.position, state.signed_size());
        if position >= most {
            return Err(ProofError::Uncovered);
        }
        let size =
            within(SizeField::Size, size.unwrap_or(most), (position.saturating_add(1), most))?;
        Ok(InclusionProof {
            event,
            position,
            leaf_hash: leaf.hash,
            size,
            root: root_at(&mut view, size).await?,
            hashes: inclusion_proof(&mut view, position, size).await?,
            checkpoint: state.signed.filter(|signed| signed.checkpoint.size == size),
        })
    }

    /// Proves that the log of the caller's organization only grew from one size to the other, or to the
    /// newest checkpoint's.
    ///
    /// # Errors
    /// [`ProofError::Size`] and [`ProofError::Store`]
    pub async fn prove_consistency(
        &self,
        caller: &Caller,
        from: u64,
        to: Option<u64>,
    ) -> Result<ConsistencyProof, ProofError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let most = view.log_state().await?.signed_size();
        let to = within(SizeField::To, to.unwrap_or(most), (0, most))?;
        let from = within(SizeField::From, from, (0, to))?;
        Ok(ConsistencyProof {
            from: (from, root_at(&mut view, from).await?),
            to: (to, root_at(&mut view, to).await?),
            hashes: consistency_proof(&mut view, from, to).await?,
        })
    }
}

fn within(field: SizeField, size: u64, (least, most): (u64, u64)) -> Result<u64, ProofError> {
    if (least..=most).contains(&size) {
        return Ok(size);
    }
    Err(ProofError::Size { field, least, most })
}
