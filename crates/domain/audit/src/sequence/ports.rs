//! What a store of logs does.

use std::future::Future;

use kernel::{EventId, OrganizationId, StoreError};

use super::state::{Extension, Leaf, LeafRecord, LogState, SequencerId};
use crate::{checkpoint::SignedCheckpoint, log::EventRecord, merkle::Tiles};

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
