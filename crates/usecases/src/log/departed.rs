//! What this process remembers of deliveries that are not over. Nothing of it must outlive it: what is
//! over stands in the store.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use audit::{Hash, LogState, SignedCheckpoint};
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
    /// What the store said of exports at the last look.
    stored: u64,
}

/// How far deliveries have come: a few numbers for each log.
#[derive(Debug, Default)]
pub(super) struct Departed(Mutex<BTreeMap<OrganizationId, Delivery>>);

impl Departed {
    fn with<T>(&self, read: impl FnOnce(&mut BTreeMap<OrganizationId, Delivery>) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at what the store says now. Where it says less than before, an older state was put back,
    /// and nothing that is remembered is true of the log that goes on from there.
    pub(super) fn look(&self, organization: OrganizationId, state: &LogState) {
        self.keep(organization, |delivery| {
            if state.exported < delivery.stored {
                *delivery = Delivery::default();
            }
            delivery.stored = state.exported;
        });
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

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> OrganizationId {
        "00000000-0000-7000-8000-000000000001".parse().unwrap()
    }

    fn stored(exported: u64) -> LogState {
        LogState { exported, ..LogState::default() }
    }

    #[test]
    fn what_is_remembered_outlives_looks_at_a_log_that_grows() {
        let departed = Departed::default();
        for exported in [0, 10, 10, 25] {
            departed.look(log(), &stored(exported));
            departed.keep(log(), |delivery| delivery.exported = 30);
        }
        departed.look(log(), &stored(25));
        assert_eq!(departed.of(log()).exported, 30);
    }

    #[test]
    fn au_07_nothing_is_remembered_of_a_log_that_has_gone_back() {
        let departed = Departed::default();
        departed.look(log(), &stored(25));
        departed.keep(log(), |delivery| {
            (delivery.exported, delivery.seen) = (30, 30);
            delivery.sinks = Some((30, Hash::of(b"x")));
        });
        departed.look(log(), &stored(8));
        let delivery = departed.of(log());
        assert_eq!((delivery.exported, delivery.seen, delivery.sinks), (0, 0, None));
    }
}
