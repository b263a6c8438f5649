//! How events get into the log: in turns, each a transaction of one log that nobody else is in.
//!
//! A turn either extends the log by events that are committed and have no place yet, or signs what
//! earlier turns committed. Signing reads everything again: what is signed is what the store holds,
//! and not what this process believes to have written.

use std::future::Future;

use kernel::{EventId, OrganizationId, StoreError, Timestamp};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, LogOrigin, SignedCheckpoint},
    entry::{self, bytes_of, commitment_of, is_out_of_order},
    log::{EventRecord, Place},
    merkle::{Frontier, Hash, StoredHash, Tiles, leaf_hash},
};

/// A leaf as it is stored, without the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Its place.
    pub place: Place,
    /// Its event.
    pub event: EventId,
    /// The commitment to the event's personal data.
    pub commitment: Hash,
    /// Its hash.
    pub hash: Hash,
}

/// A leaf, and its event where the content is there.
#[derive(Debug, Clone, PartialEq)]
pub struct LeafRecord {
    /// The leaf.
    pub leaf: Leaf,
    /// The event. `None` once its content is erased, or where it cannot be read.
    pub event: Option<EventRecord>,
}

/// How far a log has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogState {
    /// Its name. `None` before its first leaf.
    pub origin: Option<LogOrigin>,
    /// How many leaves it has.
    pub size: u64,
    /// The time of its latest event.
    pub latest: Option<Timestamp>,
    /// The newest checkpoint.
    pub signed: Option<SignedCheckpoint>,
    /// Up to which position checkpoints have left the store.
    pub delivered: u64,
    /// Up to which position events were exported to others.
    pub exported: u64,
    /// Up to which position content may be erased, and personal data.
    pub trimmed: Trimmed,
    /// Why nothing may be signed until an operator acknowledges it.
    pub halted: Option<String>,
}

impl LogState {
    /// How many leaves the newest checkpoint covers.
    #[must_use]
    pub fn signed_size(&self) -> u64 {
        self.signed.as_ref().map_or(0, |signed| signed.checkpoint.size)
    }
}

/// Up to which position what may be erased: exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Trimmed {
    /// Content.
    pub content: u64,
    /// Personal data; at least as far as content.
    pub personal_data: u64,
}

/// What a turn adds to a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// Its name.
    pub origin: LogOrigin,
    /// The leaves, in order.
    pub leaves: Vec<Leaf>,
    /// The stored hashes of higher levels that they complete.
    pub above: Vec<StoredHash>,
    /// How many leaves the log has then.
    pub size: u64,
    /// The time of its latest event then.
    pub latest: Option<Timestamp>,
}

impl Extension {
    /// How many leaves the log must have before it. `None` where it gives others their places than the
    /// events that were taken out of those that wait, or in another order: whoever gets a place leaves
    /// those that wait, and nobody else.
    #[must_use]
    pub fn follows(&self, taken: impl IntoIterator<Item = EventId>) -> Option<u64> {
        if !self.leaves.iter().map(|leaf| leaf.event).eq(taken) {
            return None;
        }
        self.size.checked_sub(u64::try_from(self.leaves.len()).ok()?)
    }
}

/// Names one sequencer among those of all replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SequencerId(pub u128);

/// The number of a lease: each new holder of a log has a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub u64);

/// A store of logs.
pub trait Logs: Send + Sync {
    /// A transaction in which a log is extended or signed.
    type Turn: Turn;

    /// The logs that have events without a place, leaves that no checkpoint covers, or checkpoints and
    /// events that are still to leave, and that are not halted: at most so many, those that wait
    /// longest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn waiting(
        &self,
        wanted: Wanted,
    ) -> impl Future<Output = Result<Vec<OrganizationId>, StoreError>> + Send;

    /// Some of the logs that there are: those after this one in the order of ids, at most so many.
    ///
    /// # Errors
    /// [`StoreError`]
    fn some(
        &self,
        after: Option<OrganizationId>,
        most: u32,
    ) -> impl Future<Output = Result<Vec<OrganizationId>, StoreError>> + Send;

    /// The logs that are halted, and why each is: at most so many, in the order of ids.
    ///
    /// # Errors
    /// [`StoreError`]
    fn halted(
        &self,
        most: u32,
    ) -> impl Future<Output = Result<Vec<(OrganizationId, String)>, StoreError>> + Send;

    /// Erases what may be: of so many events at most, from the start of the log on. Gives back of how
    /// many; zero once everything is erased that may be.
    ///
    /// # Errors
    /// [`StoreError`]
    fn erase(
        &self,
        organization: OrganizationId,
        most: u32,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Begins a turn in this log, under a lease that this sequencer takes or renews. `None` where
    /// another one holds it, or is in a turn.
    ///
    /// # Errors
    /// [`StoreError`]
    fn turn(
        &self,
        organization: OrganizationId,
        sequencer: SequencerId,
    ) -> impl Future<Output = Result<Option<Self::Turn>, StoreError>> + Send;
}

/// The log of one organization, to read.
pub trait LogReader: Tiles {
    /// How far it has come. That of a log without a leaf where there is none yet.
    ///
    /// # Errors
    /// [`StoreError`]
    fn log_state(&mut self) -> impl Future<Output = Result<LogState, StoreError>> + Send;

    /// The leaf of an event, also of one whose content is erased. `None` where it has no place yet, or
    /// does not exist.
    ///
    /// # Errors
    /// [`StoreError`]
    fn leaf_of(
        &mut self,
        event: EventId,
    ) -> impl Future<Output = Result<Option<Leaf>, StoreError>> + Send;

    /// The leaves from this position on, in order, at most so many.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where one is of no possible form.
    fn leaves(
        &mut self,
        from: u64,
        most: u32,
    ) -> impl Future<Output = Result<Vec<LeafRecord>, StoreError>> + Send;
}

/// What else than sequencing and signing makes a log wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whether checkpoints leave the store.
    pub deliveries: bool,
    /// Whether events are exported.
    pub exports: bool,
    /// The most logs to name.
    pub most: u32,
}

/// A turn: a transaction in one log, which nobody else can be in. Dropping it undoes everything.
///
/// A sequencer that was stopped midway finds its transaction gone when it wakes: whatever it then
/// does here fails, so that it can neither extend nor sign.
pub trait Turn: LogReader + Sized {
    /// Whose log it is.
    fn organization(&self) -> OrganizationId;

    /// How far the log had come when the turn began.
    fn state(&self) -> &LogState;

    /// Events that are committed and have no place yet, in the order in which they are to get one:
    /// about so many, as whole groups that were written together.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] where one is gone that was written.
    fn unsequenced(
        &mut self,
        about: u32,
    ) -> impl Future<Output = Result<Vec<EventRecord>, StoreError>> + Send;

    /// Gives the events of the last [`Turn::unsequenced`] their places.
    ///
    /// # Errors
    /// [`StoreError`]
    fn extend(
        &mut self,
        extension: &Extension,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps a checkpoint as the newest.
    ///
    /// # Errors
    /// [`StoreError`]
    fn publish(
        &mut self,
        checkpoint: &SignedCheckpoint,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps that checkpoints up to this size have left.
    ///
    /// # Errors
    /// [`StoreError`]
    fn delivered(&mut self, size: u64) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps that events below this position were exported.
    ///
    /// # Errors
    /// [`StoreError`]
    fn exported(&mut self, position: u64) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps that nothing may be signed, and why.
    ///
    /// # Errors
    /// [`StoreError`]
    fn halt(&mut self, reason: &str) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Makes everything durable.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of it is kept then, or, where the store was lost meanwhile, it is not
    /// known whether it was.
    fn commit(self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Why a log must not be signed. Its text names what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Breach {
    /// The tree over what was signed before has another root now.
    #[error(
        "the stored hashes of the first {size} positions do not lead to the root that was signed: \
         the log was changed in the store"
    )]
    Rewritten {
        /// How many leaves the last checkpoint covers.
        size: u64,
    },
    /// A leaf does not hash to what is stored for it.
    #[error(
        "the event at position {position} does not hash to its leaf: it was changed in the store"
    )]
    Leaf {
        /// Where.
        position: u64,
    },
    /// A leaf is missing, doubled, or at another position.
    #[error("there is no leaf at position {position}: the log was changed in the store")]
    Gap {
        /// Where.
        position: u64,
    },
    /// The content of an event is gone, or cannot be read, before it was signed.
    #[error(
        "the content of the event at position {position} is gone or cannot be read: the log was \
         changed in the store, or the event is of a later release"
    )]
    Content {
        /// Where.
        position: u64,
    },
    /// A stored hash of a higher level is not the root over the tile below it.
    #[error("the stored hash {index} of level {level} is not the root over its tile")]
    StoredHash {
        /// Its level.
        level: u8,
        /// Its place there.
        index: u64,
    },
    /// An event announces an erasure that the log's row knows nothing of.
    #[error(
        "event `{event}` announces an erasure that the log knows nothing of: no server wrote it"
    )]
    Announcement {
        /// Which event.
        event: EventId,
    },
    /// The newest checkpoint in the store is not one of ours.
    #[error("the newest checkpoint in the store does not verify: it was changed there")]
    Checkpoint,
    /// A checkpoint that left is greater than the log is now.
    #[error(
        "a checkpoint of size {left} has left, and the log has {size} positions: an older state of \
         the store was put back"
    )]
    Regression {
        /// The size of the checkpoint that left.
        left: u64,
        /// How many leaves there are.
        size: u64,
    },
    /// A checkpoint that left has another root than the log had at its size.
    #[error(
        "a checkpoint of size {size} has left whose root is not that of the log at this size: the \
         log is another one"
    )]
    Fork {
        /// The size of the checkpoint that left.
        size: u64,
    },
}

/// Gives events their places behind a log of which `frontier` is the edge.
///
/// # Errors
/// Gives back the id of an event without personal data's salt: it cannot be committed to.
pub fn extend(
    origin: LogOrigin,
    (frontier, latest): (&mut Frontier, Option<Timestamp>),
    events: &[EventRecord],
) -> Result<Extension, EventId> {
    let mut extension = Extension {
        origin,
        leaves: Vec::with_capacity(events.len()),
        above: Vec::new(),
        size: 0,
        latest,
    };
    for event in events {
        let out_of_order = is_out_of_order(event.timestamp, extension.latest);
        let commitment = commitment_of(event).ok_or(event.id)?;
        let hash = leaf_hash(&bytes_of(event, commitment, out_of_order));
        let place = Place { position: frontier.size(), out_of_order };
        extension.leaves.push(Leaf { place, event: event.id, commitment, hash });
        extension.latest = extension.latest.max(Some(event.timestamp));
        frontier.push(hash, |stored| {
            if stored.level > 0 {
                extension.above.push(stored);
            }
        });
    }
    extension.size = frontier.size();
    Ok(extension)
}

/// Reads leaves back one after the other, and holds each against what it should be.
#[derive(Debug)]
pub struct Rehash {
    frontier: Frontier,
    above: Vec<StoredHash>,
}

impl Rehash {
    /// From behind the leaves that the last checkpoint covers, of which `frontier` was read.
    ///
    /// # Errors
    /// [`Breach::Rewritten`]
    pub fn behind(frontier: Frontier, signed: Option<&Checkpoint>) -> Result<Self, Breach> {
        match signed {
            Some(signed) if signed.root != frontier.root() => {
                Err(Breach::Rewritten { size: signed.size })
            }
            Some(_) | None => Ok(Self { frontier, above: Vec::new() }),
        }
    }

    /// Takes the next leaf.
    ///
    /// # Errors
    /// [`Breach`]
    pub fn push(&mut self, record: &LeafRecord) -> Result<(), Breach> {
        let position = self.frontier.size();
        if record.leaf.place.position != position {
            return Err(Breach::Gap { position });
        }
        let event = record.event.as_ref().ok_or(Breach::Content { position })?;
        let is_whole = event.id == record.leaf.event
            && commitment_of(event) == Some(record.leaf.commitment)
            && entry::hash_of(event, &record.leaf) == record.leaf.hash;
        if !is_whole {
            return Err(Breach::Leaf { position });
        }
        let above = &mut self.above;
        self.frontier.push(record.leaf.hash, |stored| {
            if stored.level > 0 {
                above.push(stored);
            }
        });
        Ok(())
    }

    /// How many leaves were taken so far, those before the last checkpoint included.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The stored hashes of higher levels that the store must hold for what was taken.
    #[must_use]
    pub fn above(&self) -> &[StoredHash] {
        &self.above
    }

    /// The checkpoint of what was taken.
    #[must_use]
    pub fn checkpoint(self, origin: LogOrigin) -> Checkpoint {
        Checkpoint { origin, size: self.frontier.size(), root: self.frontier.root() }
    }
}

#[cfg(test)]
mod tests;
