//! What is kept of a log: its leaves, and how far it has come.

use kernel::{EventId, Timestamp};

use crate::{
    checkpoint::{LogOrigin, SignedCheckpoint},
    log::{EventRecord, Place},
    merkle::{Hash, StoredHash},
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
