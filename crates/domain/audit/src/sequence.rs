//! How events get into the log: in turns, each a transaction of one log that nobody else is in.
//!
//! A turn either extends the log by events that are committed and have no place yet, or signs what
//! earlier turns committed. Signing reads everything again: what is signed is what the store holds,
//! and not what this process believes to have written.

mod ports;
mod state;

use kernel::{EventId, Timestamp};
use thiserror::Error;

pub use self::{
    ports::{LogReader, Logs, Turn, Wanted},
    state::{Extension, Fence, Leaf, LeafRecord, LogState, SequencerId, Trimmed},
};
use crate::{
    checkpoint::{Checkpoint, LogOrigin},
    entry::{self, bytes_of, commitment_of, is_out_of_order},
    log::{EventRecord, Place},
    merkle::{Frontier, StoredHash, leaf_hash},
};

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
