//! What this process remembers of deliveries that are not over. Nothing of it must outlive it: what is
//! over stands in the store.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use audit::{Hash, SignedCheckpoint};
use kernel::OrganizationId;

/// Size and root of a checkpoint: a log that has gone back has other roots, and its checkpoints leave
/// again.
pub(super) type Mark = (u64, Hash);

/// The mark of a checkpoint.
pub(super) const fn mark(signed: &SignedCheckpoint) -> Mark {
    (signed.checkpoint.size, signed.checkpoint.root)
}

/// How far one log has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Delivery {
    /// Which checkpoint the sinks have.
    pub(super) sinks: Option<Mark>,
    /// Before which position the takers of events have all of them.
    pub(super) exported: u64,
    /// Of which checkpoint the witness has answered, if only by a refusal.
    pub(super) answered: Option<Mark>,
    /// Which size the witness saw last, as far as it told.
    pub(super) seen: u64,
}

/// How far deliveries have come: a few numbers for each log.
#[derive(Debug, Default)]
pub(super) struct Departed(Mutex<BTreeMap<OrganizationId, Delivery>>);

impl Departed {
    fn with<T>(&self, read: impl FnOnce(&mut BTreeMap<OrganizationId, Delivery>) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How far a log has come.
    pub(super) fn of(&self, organization: OrganizationId) -> Delivery {
        self.with(|logs| logs.get(&organization).copied().unwrap_or_default())
    }

    /// Keeps how far a log has come.
    pub(super) fn keep(&self, organization: OrganizationId, change: impl FnOnce(&mut Delivery)) {
        self.with(|logs| change(logs.entry(organization).or_default()));
    }
}
