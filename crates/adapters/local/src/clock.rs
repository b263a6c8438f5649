//! The machine's clock, which never runs backwards here, and never stands still.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use kernel::{Clock, Timestamp};

/// Tells the machine's time.
///
/// When that is set back, time goes on here at half its pace until the machine has caught up. A
/// token that expired, or a window that closed, must not come back to life because somebody
/// corrected a clock; and one that is good must still come to its end.
///
/// A process has one, shared: two would each have to learn of the correction.
#[derive(Debug)]
pub struct SystemClock(Mutex<Told>);

impl SystemClock {
    /// The machine's clock.
    #[must_use]
    pub fn new() -> Self {
        let (wall, steady) = read();
        Self(Mutex::new(Told { micros: wall, steady }))
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        // Read inside the lock: a reading that waited for it could be older than one told since.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, steady) = read();
        *told = told.then(wall, steady);
        told.instant()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one adapter that reads the machine's clocks")]
fn read() -> (i64, Instant) {
    (micros_of(SystemTime::now()), Instant::now())
}

/// Microseconds since 1970; a machine that believes itself before that is told that it is 1970.
fn micros_of(read: SystemTime) -> i64 {
    let since = read.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// What was told last, and when by the clock that nobody can set.
#[derive(Debug, Clone, Copy)]
struct Told {
    micros: i64,
    steady: Instant,
}

impl Told {
    /// What to tell next: the wall clock's reading, or, where that lies behind, half of the time
    /// that has passed since.
    fn then(self, wall: i64, steady: Instant) -> Self {
        let passed = steady.saturating_duration_since(self.steady) / 2;
        let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        Self { micros: wall.max(self.micros.saturating_add(passed)), steady }
    }

    fn instant(self) -> Timestamp {
        const EPOCH: Timestamp = match Timestamp::from_unix_micros(0) {
            Ok(epoch) => epoch,
            Err(_) => panic!("1970 is an instant"),
        };
        EPOCH.plus(Duration::from_micros(u64::try_from(self.micros).unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    #[expect(clippy::disallowed_methods, reason = "an instant to count from, never waited for")]
    fn noon() -> Told {
        Told { micros: 12 * HOUR, steady: Instant::now() }
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 3_600)
    }

    #[test]
    fn ck_02_after_a_step_back_time_goes_on_at_half_its_pace_until_the_machine_has_caught_up() {
        let noon = noon();
        let stepped_back = noon.then(11 * HOUR, noon.steady);
        assert_eq!(stepped_back.micros, 12 * HOUR);
        let later = stepped_back.then(12 * HOUR, noon.steady + hours(1));
        assert_eq!(later.micros, 12 * HOUR + HOUR / 2);
        let caught_up = later.then(14 * HOUR, noon.steady + hours(3));
        assert_eq!(caught_up.micros, 14 * HOUR);
    }

    #[test]
    fn ck_02_while_the_machines_clock_stands_still_time_goes_on_at_half_its_pace() {
        let noon = noon();
        let stopped = noon.then(12 * HOUR, noon.steady + hours(1));
        let stopped = stopped.then(12 * HOUR, noon.steady + hours(2));
        assert_eq!(stopped.micros, 13 * HOUR);
    }

    #[test]
    fn ck_02_after_a_step_forward_and_back_time_never_goes_back() {
        let noon = noon();
        let ahead = noon.then(13 * HOUR, noon.steady);
        let back = ahead.then(12 * HOUR, noon.steady);
        assert_eq!(back.micros, 13 * HOUR);
    }

    #[test]
    fn a_step_forward_is_followed_at_once() {
        let noon = noon();
        assert_eq!(noon.then(13 * HOUR, noon.steady).micros, 13 * HOUR);
    }

    #[test]
    fn time_passes_and_never_backwards() {
        let clock = SystemClock::new();
        let first = clock.now();
        let after_2020 = Timestamp::from_unix_micros(1_577_836_800_000_000).unwrap();
        assert!(first > after_2020);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let told: Vec<_> = (0..1_000).map(|_| clock.now()).collect();
                    assert!(told.is_sorted() && told.last() >= Some(&first));
                });
            }
        });
    }

    #[test]
    fn a_machine_that_is_out_of_its_mind_gets_an_instant_all_the_same() {
        assert_eq!(micros_of(UNIX_EPOCH - Duration::from_secs(1)), 0);
        let told = |micros| Told { micros, ..noon() }.instant();
        assert_eq!(told(-5).unix_micros(), 0);
        assert!(told(i64::MAX).to_string().starts_with("9999-12-31"));
    }
}
