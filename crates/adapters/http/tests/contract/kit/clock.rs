//! A clock that a test moves.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use kernel::{Clock, Timestamp};

/// Goes on by a microsecond each time that it is read, so that no two instants are one, and
/// otherwise only as far as it is told to.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn starting_at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.unix_micros()))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}
