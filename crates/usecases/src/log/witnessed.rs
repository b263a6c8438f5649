//! What this process remembers of deliveries that are not over: nothing of it must outlive it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kernel::{OrganizationId, Timestamp};

/// How long a witness is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(5);

/// One log's deliveries.
#[derive(Debug, Clone, Copy, Default)]
struct Delivery {
    /// Which size the sinks have.
    sinks: u64,
    /// Which size the witness saw last, as far as it told.
    witness: u64,
    /// Before when the witness is not asked again.
    not_before: Option<Timestamp>,
}

/// How far deliveries have come, log by log.
#[derive(Debug, Default)]
pub(super) struct Witnessed(Mutex<BTreeMap<OrganizationId, Delivery>>);

impl Witnessed {
    fn read<T>(&self, organization: OrganizationId, read: impl FnOnce(&Delivery) -> T) -> T {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        read(&all.get(&organization).copied().unwrap_or_default())
    }

    fn write(&self, organization: OrganizationId, write: impl FnOnce(&mut Delivery)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write(all.entry(organization).or_default());
    }

    /// Which size this process gave to the sinks.
    pub(super) fn sinks(&self, organization: OrganizationId) -> u64 {
        self.read(organization, |delivery| delivery.sinks)
    }

    /// Keeps that the sinks have this size.
    pub(super) fn sinks_have(&self, organization: OrganizationId, size: u64) {
        self.write(organization, |delivery| delivery.sinks = size);
    }

    /// Which size the witness saw last, as far as is known.
    pub(super) fn witness(&self, organization: OrganizationId) -> u64 {
        self.read(organization, |delivery| delivery.witness)
    }

    /// Keeps that the witness saw this size.
    pub(super) fn witness_saw(&self, organization: OrganizationId, size: u64) {
        self.write(organization, |delivery| {
            (delivery.witness, delivery.not_before) = (size, None);
        });
    }

    /// Leaves the witness alone for a while.
    pub(super) fn pause(&self, organization: OrganizationId, now: Timestamp) {
        self.write(organization, |delivery| delivery.not_before = Some(now.plus(PAUSE)));
    }

    /// Whether the witness is left alone.
    pub(super) fn pauses(&self, organization: OrganizationId, now: Timestamp) -> bool {
        self.read(organization, |delivery| delivery.not_before.is_some_and(|until| now < until))
    }
}
