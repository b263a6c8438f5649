//! Logs that are left alone for a moment: there was nothing to do in them, or they failed, and others
//! wait that a look would not name as long as it names these.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kernel::{OrganizationId, Timestamp};

/// How many logs rest at most. More than so many that fail at once are an outage, and are tried again
/// with the others.
const MOST: usize = 10_000;

/// How long a log that failed rests.
pub(super) const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// The logs that rest, each until its time.
#[derive(Debug, Default)]
pub(super) struct Resting(Mutex<BTreeMap<OrganizationId, Timestamp>>);

impl Resting {
    fn with<T>(&self, read: impl FnOnce(&mut BTreeMap<OrganizationId, Timestamp>) -> T) -> T {
        read(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many rest now.
    pub(super) fn count(&self, now: Timestamp) -> usize {
        self.with(|resting| {
            resting.retain(|_, until| now < *until);
            resting.len()
        })
    }

    /// Whether this one does.
    pub(super) fn has(&self, organization: OrganizationId) -> bool {
        self.with(|resting| resting.contains_key(&organization))
    }

    /// Lets all of them rest no longer.
    pub(super) fn end(&self) {
        self.with(BTreeMap::clear);
    }

    /// Leaves it alone until then.
    pub(super) fn add(&self, organization: OrganizationId, until: Timestamp) {
        self.with(|resting| {
            if resting.len() < MOST {
                resting.insert(organization, until);
            }
        });
    }
}
