//! The sequencer: looks for logs that wait, and gives each a turn.

use std::sync::Arc;

use audit::{
    CheckpointSigner, LogReader, Logs, SequencerId, Transactor,
    delivery::{CheckpointSink, EventSink, Outside, Witness},
    sequence::Wanted,
};
use futures_util::{StreamExt, stream};
use kernel::{Clock, OrganizationId, StoreError};

use super::{observer::LogObserver, witnessed::Witnessed};

/// How many logs are worked on at a time.
const AT_A_TIME: usize = 4;

/// How many logs one look names.
const MOST: u32 = 256;

/// What a look at the logs led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Round {
    /// There was nothing to do.
    Idle,
    /// Everything that waited was done.
    Done,
    /// There is more to do at once.
    More,
}

/// Where checkpoints and events go.
#[derive(Clone, Default)]
pub struct Outlets {
    /// Takers of checkpoints.
    pub checkpoints: Vec<Arc<dyn CheckpointSink>>,
    /// Who else watches that logs only grow.
    pub witness: Option<Arc<dyn Witness>>,
    /// Takers of events.
    pub events: Vec<Arc<dyn EventSink>>,
}

/// What a sequencer is made of.
pub struct SequencerParts<S> {
    /// Where the logs are.
    pub store: S,
    /// Who it is among the sequencers of all replicas.
    pub id: SequencerId,
    /// Who signs checkpoints.
    pub signer: Arc<dyn CheckpointSigner>,
    /// What the server is known as; part of the name of each log that begins.
    pub issuer: String,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What is known of checkpoints that have left.
    pub outside: Arc<dyn Outside>,
    /// Where checkpoints and events go.
    pub outlets: Outlets,
    /// Whoever wants to know.
    pub observer: Arc<dyn LogObserver>,
}

/// Gives events their places, signs checkpoints, and sends out what is to leave.
pub struct Sequencer<S> {
    pub(super) parts: SequencerParts<S>,
    pub(super) witnessed: Witnessed,
}

impl<S> std::fmt::Debug for Sequencer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sequencer").field("id", &self.parts.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Outlets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlets")
            .field("checkpoints", &self.checkpoints.len())
            .finish_non_exhaustive()
    }
}

impl<S> std::fmt::Debug for SequencerParts<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SequencerParts").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<S> Sequencer<S> {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: SequencerParts<S>) -> Self {
        Self { parts, witnessed: Witnessed::default() }
    }

    pub(super) fn wanted(&self) -> Wanted {
        let outlets = &self.parts.outlets;
        Wanted {
            deliveries: !outlets.checkpoints.is_empty() || outlets.witness.is_some(),
            exports: !outlets.events.is_empty(),
            most: MOST,
        }
    }
}

impl<S> Sequencer<S>
where
    S: Logs + Transactor,
    S::View: LogReader,
{
    /// Looks once at the logs that wait, and does in each what there is to do.
    ///
    /// A log that fails is told of to the observer, and keeps no other from its turn.
    ///
    /// # Errors
    /// [`StoreError`] where the look itself failed.
    pub async fn round(&self) -> Result<Round, StoreError> {
        let waiting = self.parts.store.waiting(self.wanted()).await?;
        let all_named = waiting.len() < usize::try_from(MOST).unwrap_or(usize::MAX);
        let seen = if all_named { Round::Idle } else { Round::More };
        let turns = stream::iter(waiting).map(|organization| self.attend(organization));
        // All to their ends: a turn that is dropped midway costs a connection.
        Ok(turns.buffer_unordered(AT_A_TIME).fold(seen, async |one, other| one.max(other)).await)
    }

    /// Holds every log of which a checkpoint has left against that checkpoint, and halts those that
    /// have gone back or are other logs now. For the start of a server: such a log may have nothing to
    /// do, and would not be looked at before its next event.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hold_all(&self) -> Result<(), StoreError> {
        for organization in self.parts.outside.known() {
            self.hold(organization).await?;
        }
        Ok(())
    }

    async fn attend(&self, organization: OrganizationId) -> Round {
        match self.work(organization).await {
            Ok(done) => done,
            Err(error) => {
                self.parts.observer.failed(organization, &error);
                Round::Idle
            }
        }
    }

    async fn work(&self, organization: OrganizationId) -> Result<Round, StoreError> {
        let extended = self.extend(organization).await?;
        let signed = self.cover(organization).await?;
        let left = self.leave(organization).await?;
        Ok(if signed || left { extended.max(Round::Done) } else { extended })
    }
}
