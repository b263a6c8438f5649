//! The machine's clock, which never runs backwards here.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use kernel::{Clock, Timestamp};

/// The latest instant that anybody in this process was told.
static TOLD: Told = Told::nothing();

/// Tells the machine's time. When that is set back, time stands still here until the machine has
/// caught up: a token that expired, or a window that closed, must not come back to life because
/// somebody corrected a clock. All of them in a process tell the same time.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one adapter that reads the machine's clock"
        )]
        let read = SystemTime::now();
        TOLD.at_least(micros_of(read))
    }
}

/// Microseconds since 1970; a machine that believes itself before that is told that it is 1970.
fn micros_of(read: SystemTime) -> i64 {
    let since = read.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The highest reading so far, in microseconds.
#[derive(Debug)]
struct Told(AtomicI64);

impl Told {
    const fn nothing() -> Self {
        Self(AtomicI64::new(0))
    }

    /// This reading, or the highest one so far.
    fn at_least(&self, micros: i64) -> Timestamp {
        // Relaxed is enough: readings of one value alone are compared, and those have one order.
        let before = self.0.fetch_max(micros, Ordering::Relaxed);
        let micros = u64::try_from(before.max(micros)).unwrap_or(0);
        EPOCH.plus(Duration::from_micros(micros))
    }
}

const EPOCH: Timestamp = match Timestamp::from_unix_micros(0) {
    Ok(epoch) => epoch,
    Err(_) => panic!("1970 is an instant"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ck_02_a_step_back_holds_the_time_still() {
        let told = Told::nothing();
        let hour = 3_600_000_000;
        let noon = told.at_least(12 * hour);
        assert_eq!(told.at_least(11 * hour), noon);
        assert_eq!(told.at_least(12 * hour + 1).unix_micros(), 12 * hour + 1);
    }

    #[test]
    fn time_passes_and_never_backwards() {
        let first = SystemClock.now();
        let after_2020 = Timestamp::from_unix_micros(1_577_836_800_000_000).unwrap();
        assert!(first > after_2020);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| {
                    let told: Vec<_> = (0..1_000).map(|_| SystemClock.now()).collect();
                    assert!(told.is_sorted());
                    told.last().copied()
                })
            })
            .collect();
        for thread in threads {
            assert!(thread.join().unwrap() >= Some(first));
        }
    }

    #[test]
    fn a_machine_that_is_out_of_its_mind_gets_an_instant_all_the_same() {
        assert_eq!(micros_of(UNIX_EPOCH - Duration::from_secs(1)), 0);
        assert_eq!(Told::nothing().at_least(-5).unix_micros(), 0);
        let last = Told::nothing().at_least(i64::MAX);
        assert!(last.to_string().starts_with("9999-12-31"));
    }
}
