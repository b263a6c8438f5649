//! Checkpoints and events on their way out of the store, to where its administrator cannot write.

use async_trait::async_trait;
use kernel::{OrganizationId, Timestamp};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    merkle::Hash,
    sequence::{Breach, LeafRecord},
};

/// It did not leave; it will be tried again.
#[derive(Debug, Error)]
#[error("`{sink}` did not take it")]
pub struct DeliveryFailed {
    /// Which sink.
    pub sink: &'static str,
    /// Why.
    #[source]
    pub source: kernel::store::Source,
}

/// Where checkpoints go.
#[async_trait]
pub trait CheckpointSink: Send + Sync {
    /// Takes a checkpoint; it is safe there when this returns.
    ///
    /// # Errors
    /// [`DeliveryFailed`]
    async fn deliver(
        &self,
        checkpoint: &SignedCheckpoint,
        at: Timestamp,
    ) -> Result<(), DeliveryFailed>;
}

/// Where events go as they are sequenced: at least once each, and in order.
#[async_trait]
pub trait EventSink: Send + Sync {
    /// Takes the events of a run of leaves; they are safe there when this returns.
    ///
    /// # Errors
    /// [`DeliveryFailed`]
    async fn deliver(&self, leaves: &[LeafRecord]) -> Result<(), DeliveryFailed>;
}

/// What a witness is asked to sign (C2SP tlog-witness).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessRequest {
    /// The size of the log that the witness saw last, as far as is known.
    pub old_size: u64,
    /// The proof that the checkpoint continues it.
    pub proof: Vec<Hash>,
    /// The checkpoint.
    pub checkpoint: SignedCheckpoint,
}

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAnswer {
    /// It signed. These are its signature lines.
    Cosigned(String),
    /// It saw another size last: this one.
    OtherSize(u64),
    /// It refuses: what it saw and what it was shown are not one log, or it does not know the log.
    Refused(String),
}

/// Somebody else who watches that logs only grow.
#[async_trait]
pub trait Witness: Send + Sync {
    /// Asks for a signature.
    ///
    /// # Errors
    /// [`DeliveryFailed`] where the witness is out of reach.
    async fn add_checkpoint(
        &self,
        request: &WitnessRequest,
    ) -> Result<WitnessAnswer, DeliveryFailed>;
}

/// What is known of checkpoints that have left, by this process and by what it finds outside.
#[async_trait]
pub trait Outside: Send + Sync {
    /// The logs of which a checkpoint is known to have left.
    fn known(&self) -> Vec<OrganizationId>;

    /// The newest checkpoint of a log that is known to have left, unless an operator acknowledged that
    /// the log has gone back since.
    fn newest(&self, organization: OrganizationId) -> Option<Checkpoint>;

    /// Keeps in mind that this one has left.
    fn left(&self, checkpoint: &Checkpoint);

    /// Looks outside again, where others may have written since: asked before a log is halted, which an
    /// operator may have acknowledged just now. Where it cannot be looked, what was known is known.
    async fn look_again(&self) {}
}

/// Holds a log against a checkpoint that left. `root` is the log's at the size of that checkpoint; of
/// a log that is smaller there is none.
///
/// # Errors
/// [`Breach::Regression`] and [`Breach::Fork`]
pub fn hold_against(left: &Checkpoint, size: u64, root: Option<Hash>) -> Result<(), Breach> {
    match root {
        None => Err(Breach::Regression { left: left.size, size }),
        Some(root) if root != left.root => Err(Breach::Fork { size: left.size }),
        Some(_) => Ok(()),
    }
}
