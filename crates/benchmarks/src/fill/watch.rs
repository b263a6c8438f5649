//! Who watches the sequencer while a store is filled: whatever goes wrong is told at once.
#![expect(clippy::print_stderr, reason = "whoever fills a store is to see what goes wrong")]

use std::time::Duration;

use audit::{delivery::DeliveryFailed, sequence::Breach};
use kernel::{OrganizationId, StoreError};
use usecases::log::LogObserver;

/// Tells of trouble, and of nothing else.
pub(super) struct Watch;

impl LogObserver for Watch {
    fn sequenced(&self, _: usize) {}

    fn signed(&self, _: Duration) {}

    fn halted(&self, _: OrganizationId, breach: &Breach) {
        eprintln!("the log was halted: {breach:?}");
    }

    fn failed(&self, _: OrganizationId, error: &StoreError) {
        eprintln!("a turn failed: {error:?}");
    }

    fn left(&self) {}

    fn stayed(&self, _: OrganizationId, failed: &DeliveryFailed) {
        eprintln!("a checkpoint did not leave: {failed:?}");
    }

    fn cosigned(&self, _: OrganizationId) {}

    fn contested(&self, _: OrganizationId, reason: &str) {
        eprintln!("a checkpoint is contested: {reason}");
    }
}
