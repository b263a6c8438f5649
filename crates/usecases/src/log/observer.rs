//! Whoever wants to know how the log is doing: metrics, alarms.

use std::time::Duration;

use audit::{delivery::DeliveryFailed, sequence::Breach};
use kernel::{OrganizationId, StoreError};

/// Told of what the sequencer does. It must not wait for anything.
pub trait LogObserver: Send + Sync {
    /// So many events got their places.
    fn sequenced(&self, events: usize);

    /// A checkpoint was signed; the oldest event that is new in it was written so long before.
    fn signed(&self, delay: Duration);

    /// A log must not be signed any more.
    fn halted(&self, organization: OrganizationId, breach: &Breach);

    /// A log could not be worked on; it will be tried again.
    fn failed(&self, organization: OrganizationId, error: &StoreError);

    /// A checkpoint or events have left.
    fn left(&self);

    /// A checkpoint or events have not left; it will be tried again.
    fn stayed(&self, organization: OrganizationId, error: &DeliveryFailed);

    /// A witness signed too.
    fn cosigned(&self, organization: OrganizationId);

    /// A witness refuses to sign: what it saw before is not the beginning of this log.
    fn contested(&self, organization: OrganizationId, reason: &str);
}

/// Nobody wants to know.
#[derive(Debug, Clone, Copy)]
pub struct Unobserved;

impl LogObserver for Unobserved {
    fn sequenced(&self, _: usize) {}
    fn signed(&self, _: Duration) {}
    fn halted(&self, _: OrganizationId, _: &Breach) {}
    fn failed(&self, _: OrganizationId, _: &StoreError) {}
    fn left(&self) {}
    fn stayed(&self, _: OrganizationId, _: &DeliveryFailed) {}
    fn cosigned(&self, _: OrganizationId) {}
    fn contested(&self, _: OrganizationId, _: &str) {}
}
