//! Which trouble of the logs is told of: what lasts is tried again several times a second.

use std::{
    collections::HashMap,
    mem::Discriminant,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kernel::{Clock, OrganizationId, StoreError, Timestamp};

/// For how long nothing more is told of the same trouble of the same log.
const QUIET: Duration = Duration::from_secs(60);

/// The most troubles that are remembered. Of as many in one minute no more are told; the metrics count
/// them all.
const MOST: usize = 1_000;

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Trouble {
    /// The log could not be worked on, in this way.
    Work(Discriminant<StoreError>),
    /// This sink took nothing.
    Delivery(&'static str),
}

impl From<&StoreError> for Trouble {
    fn from(error: &StoreError) -> Self {
        Self::Work(std::mem::discriminant(error))
    }
}

/// What was told of last, and when.
pub(super) struct Told {
    clock: Arc<dyn Clock>,
    last: Mutex<HashMap<(OrganizationId, Trouble), Timestamp>>,
}

impl Told {
    pub(super) fn by(clock: Arc<dyn Clock>) -> Self {
        Self { clock, last: Mutex::default() }
    }

    /// Whether this is to be told now: at first, and then at most once a minute. If so, it counts as
    /// told.
    pub(super) fn takes(&self, organization: OrganizationId, trouble: Trouble) -> bool {
        let now = self.clock.now();
        let is_quiet = |told: &Timestamp| now.since(*told) < QUIET;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (organization, trouble);
        if last.get(&key).is_some_and(is_quiet) {
            return false;
        }
        if last.len() >= MOST {
            last.retain(|_, told| is_quiet(told));
        }
        if last.len() >= MOST {
            return false;
        }
        last.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use contracts::sample::Machine;

    use super::*;

    const SINK: Trouble = Trouble::Delivery("a sink");

    fn told() -> (Told, Machine) {
        let machine = Machine::default();
        (Told::by(machine.clock.clone()), machine)
    }

    #[test]
    fn what_lasts_is_told_at_first_and_then_once_a_minute() {
        let (told, machine) = told();
        let log = machine.organization_id();
        assert!(told.takes(log, SINK));
        for _ in 0..3 {
            machine.wait(Duration::from_secs(10));
            assert!(!told.takes(log, SINK));
        }
        machine.wait(Duration::from_secs(30));
        assert!(told.takes(log, SINK));
        assert!(!told.takes(log, SINK));
    }

    #[test]
    fn the_noise_of_one_log_hides_neither_another_nor_another_trouble() {
        let (told, machine) = told();
        let log = machine.organization_id();
        assert!(told.takes(log, SINK));
        let conflict = Trouble::from(&StoreError::Conflict);
        let corrupt = Trouble::from(&StoreError::Corrupt { table: "a", column: "b" });
        for trouble in [conflict, corrupt, Trouble::Delivery("another")] {
            assert!(told.takes(log, trouble), "{trouble:?}");
            assert!(!told.takes(log, trouble), "{trouble:?}");
        }
        assert!(told.takes(machine.organization_id(), SINK));
    }

    #[test]
    fn no_more_is_remembered_than_a_minute_may_tell() {
        let (told, machine) = told();
        let heard = (0..MOST + 10).filter(|_| told.takes(machine.organization_id(), SINK)).count();
        assert_eq!(heard, MOST);
        machine.wait(QUIET);
        assert!(told.takes(machine.organization_id(), SINK));
        assert_eq!(told.last.lock().unwrap().len(), 1);
    }
}
