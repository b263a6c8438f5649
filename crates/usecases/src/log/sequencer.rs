//! The sequencer: looks for logs that wait, and gives each a turn.

use std::{future::Future, sync::Arc, time::Duration};

use audit::{
    CheckpointSigner, LogReader, Logs, SequencerId, Transactor,
    delivery::{CheckpointSink, EventSink, Outside, Witness},
    sequence::Wanted,
};
use futures_util::{StreamExt, stream};
use kernel::{Clock, OrganizationId, StoreError};

use super::{
    departed::Departed,
    observer::LogObserver,
    resting::{AFTER_FAILURE, Resting},
};

/// How many logs are worked on at a time.
const AT_A_TIME: usize = 4;

/// How many turns of a log in a row give events their places before a checkpoint is signed over them.
const TURNS: u32 = 8;

/// How many logs one look names.
const MOST: u32 = 256;

/// How long a log rests that somebody else keeps, or is in a turn of.
const BETWEEN_TURNS: Duration = Duration::from_millis(100);

/// How long a log rests of which nothing could be sent.
const BETWEEN_DELIVERIES: Duration = Duration::from_millis(500);

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
    pub(super) departed: Departed,
    resting: Rests,
}

impl Outlets {
    /// Whether anybody takes checkpoints.
    pub(super) fn take_checkpoints(&self) -> bool {
        !self.checkpoints.is_empty() || self.witness.is_some()
    }
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
        Self { parts, departed: Departed::default(), resting: Rests::default() }
    }
}

impl<S> Sequencer<S>
where
    S: Logs + Transactor,
    S::View: LogReader,
{
    /// Looks once at the logs that wait, gives events their places and signs. Whatever is to leave
    /// waits for [`Self::deliver`] and [`Self::consult`]: nobody outside can hold up a signature.
    ///
    /// A log that fails is told of to the observer, and keeps no other from its turn.
    ///
    /// # Errors
    /// [`StoreError`] where the look itself failed.
    pub async fn round(&self) -> Result<Round, StoreError> {
        let look = Look { deliveries: false, exports: false, rest: BETWEEN_TURNS };
        self.each(look, &self.resting.sequencing, |organization| self.sequence(organization)).await
    }

    /// Looks once at the logs of which something is to leave, and gives it to those who take it.
    ///
    /// # Errors
    /// [`StoreError`] where the look itself failed.
    pub async fn deliver(&self) -> Result<Round, StoreError> {
        let outlets = &self.parts.outlets;
        let (deliveries, exports) = (outlets.take_checkpoints(), !outlets.events.is_empty());
        if !deliveries && !exports {
            return Ok(Round::Idle);
        }
        let look = Look { deliveries, exports, rest: BETWEEN_DELIVERIES };
        self.each(look, &self.resting.delivering, |organization| self.leave(organization)).await
    }

    /// Looks once at the logs of which the witness has not seen the newest checkpoint, and asks it.
    ///
    /// # Errors
    /// [`StoreError`] where the look itself failed.
    pub async fn consult(&self) -> Result<Round, StoreError> {
        let Some(witness) = &self.parts.outlets.witness else { return Ok(Round::Idle) };
        let look = Look { deliveries: true, exports: false, rest: BETWEEN_DELIVERIES };
        let ask = |organization| self.ask(organization, &**witness);
        self.each(look, &self.resting.consulting, ask).await
    }

    /// Sequences, signs and delivers what is left, for a server that ends: at once, whatever rests.
    ///
    /// # Errors
    /// [`StoreError`] where a look failed.
    pub async fn finish(&self) -> Result<Round, StoreError> {
        self.resting.sequencing.end();
        self.resting.delivering.end();
        let sequenced = self.round().await?;
        Ok(self.deliver().await?.max(sequenced))
    }

    /// Holds every log of which a checkpoint has left against that checkpoint, and halts those that
    /// have gone back or are other logs now. For the start of a server: such a log may have nothing to
    /// do, and would not be looked at before its next event.
    ///
    /// Gives back those that another sequencer keeps; one that was killed lets go only after a while.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hold_all(&self) -> Result<Vec<OrganizationId>, StoreError> {
        self.hold_those(&self.parts.outside.known()).await
    }

    /// The same for these logs.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn hold_those(
        &self,
        logs: &[OrganizationId],
    ) -> Result<Vec<OrganizationId>, StoreError> {
        let mut kept = Vec::new();
        for organization in logs {
            match self.hold(*organization).await {
                Ok(true) => {}
                Ok(false) => kept.push(*organization),
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                // One that is damaged keeps no other from its place.
                Err(error) => {
                    self.parts.observer.failed(*organization, &error);
                    kept.push(*organization);
                }
            }
        }
        Ok(kept)
    }

    /// Works on the logs that a look names. One that has nothing to do rests for a moment, and one that
    /// fails for longer: whatever their number, they never keep others from being named.
    async fn each<F>(
        &self,
        look: Look,
        resting: &Resting,
        work: impl Fn(OrganizationId) -> F,
    ) -> Result<Round, StoreError>
    where
        F: Future<Output = Result<Option<Round>, StoreError>>,
    {
        let now = self.parts.clock.now();
        let most = u32::try_from(resting.count(now)).unwrap_or(u32::MAX).saturating_add(MOST);
        let Look { deliveries, exports, rest } = look;
        let waiting = self.parts.store.waiting(Wanted { deliveries, exports, most }).await?;
        let there_are_more = u32::try_from(waiting.len()).is_ok_and(|named| named == most);
        let turns = stream::iter(waiting).filter(|one| std::future::ready(!resting.has(*one)));
        let turns = turns.map(async |organization| {
            let done = work(organization).await.unwrap_or_else(|error| {
                self.parts.observer.failed(organization, &error);
                None
            });
            match done {
                None => resting.add(organization, now.plus(AFTER_FAILURE)),
                Some(Round::Idle) => resting.add(organization, now.plus(rest)),
                Some(Round::Done | Round::More) => {}
            }
            done.unwrap_or(Round::Idle)
        });
        // All to their ends: a turn that is dropped midway costs a connection.
        let turns = turns.buffer_unordered(AT_A_TIME);
        let done = turns.fold(Round::Idle, async |one, other| one.max(other)).await;
        // Where nothing could be done there is no hurry to try again.
        Ok(if there_are_more && done > Round::Idle { Round::More } else { done })
    }

    async fn sequence(&self, organization: OrganizationId) -> Result<Option<Round>, StoreError> {
        let mut extended = Round::Idle;
        for _ in 0..TURNS {
            // Whoever keeps the log signs it, too.
            let Some(turn) = self.extend(organization).await? else { return Ok(Some(extended)) };
            extended = turn.max(extended.min(Round::Done));
            if turn < Round::More {
                break;
            }
        }
        Ok(Some(self.cover(organization).await?.max(extended)))
    }
}

/// What a look is for.
#[derive(Debug, Clone, Copy)]
struct Look {
    deliveries: bool,
    exports: bool,
    /// How long a log rests in which there was nothing to do.
    rest: Duration,
}

/// Which logs rest from what.
#[derive(Debug, Default)]
pub(super) struct Rests {
    sequencing: Resting,
    delivering: Resting,
    consulting: Resting,
}
