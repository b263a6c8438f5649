//! Audit events, and the guarantee that no change is written without its event.
//!
//! # What it is for
//! A row of record changes only together with the event that says so, and no event is kept for a
//! change that failed. Types hold that, not habit:
//!
//! - a change ([`Audited`]) is made only by its aggregate, and knows the event that it leaves;
//! - a store writes only through [`Apply::apply`], which takes an [`Entry`], and only [`record`]
//!   makes one;
//! - [`record`] takes the transaction by value, so that after an error there is none left to
//!   commit;
//! - organization, actor and request come from the `Scope` that began the transaction.
//!
//! What changes no record and must be known all the same (a token issued or refused, a denial) is
//! a [`note()`], durable before the answer leaves. [`refusals`] that come in numbers are counted.
//!
//! Events then get their places in a log of which nothing can be changed, removed or moved without
//! whoever holds an older [`checkpoint`] noticing: a Merkle tree for each organization. What is hashed
//! and signed stands in `docs/audit-format.md`.
//!
//! # Order to read it in
//! [`event`], [`catalogue`], [`journal`], [`log`], [`organization`], [`feed`]; then [`canonical`],
//! [`entry`] and [`merkle`], what is hashed and how; [`mod@note`], [`checkpoint`] and
//! [`checkpoint_key`], what is signed; [`sequence`], how events get their places; [`trim`], what is
//! erased; [`lines`], [`export`] and [`verify`], what outsiders get and how they verify it;
//! [`delivery`], [`departure`] and [`cloud_event`], what leaves the store.
#![warn(missing_docs)]

pub mod announcement;
mod bounds;
pub mod canonical;
pub mod catalogue;
pub mod checkpoint;
pub mod checkpoint_key;
pub mod cloud_event;
pub mod delivery;
pub mod departure;
pub mod entry;
pub mod event;
pub mod event_view;
pub mod export;
pub mod feed;
pub mod journal;
pub mod lines;
pub mod log;
pub mod merkle;
pub mod note;
pub mod organization;
pub mod refusals;
#[cfg(test)]
mod sample;
pub mod sequence;
pub mod trim;
pub mod verify;

pub use checkpoint::{Checkpoint, CheckpointSigner, LogOrigin, SignedCheckpoint};
pub use checkpoint_key::{
    CheckpointKey, CheckpointKeyCreated, CheckpointKeys, SealedCheckpointKey,
};
pub use event::{Action, Event, Outcome, Resource, ResourceKind};
pub use feed::{ChangeFeed, ChangeHints, ChangeListener, Changed, Hearing, News};
pub use journal::{Apply, Audited, Draft, Entry, Journal, Notes, Stamp, Transactor, note, record};
pub use log::{AuditLog, EventFilter, EventRecord, LoggedEvent, Place};
pub use merkle::{Hash, Tile, Tiles};
pub use note::VerifierKey;
pub use organization::{Directory, Organizations};
pub use refusals::{Asker, Counted, Refusals, Verdict};
pub use sequence::{LogReader, LogState, Logs, SequencerId, Trimmed, Turn};
pub use trim::{LogAcknowledged, LogTrimmed, Retention};
