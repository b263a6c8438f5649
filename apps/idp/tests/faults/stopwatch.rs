//! The machine's clock, by which answers are timed.

use std::time::{Duration, Instant};

/// Now.
#[expect(clippy::disallowed_methods, reason = "how long the real server takes is what is tested")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// What somebody did, and how long it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = now();
    let done = work();
    (done, begun.elapsed())
}

/// Asks until the answer is yes, and returns how long after `since` the asking began that was
/// answered so. Each question is a request, which takes its time by itself.
#[track_caller]
pub(crate) fn until(
    since: Instant,
    patience: Duration,
    mut asked: impl FnMut() -> bool,
) -> Duration {
    loop {
        let begun = now();
        if asked() {
            return begun.duration_since(since);
        }
        let waited = begun.duration_since(since);
        assert!(waited <= patience, "still not so after {waited:?}");
    }
}

/// The machine's time, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "what a client signs is good at the machine's time")]
pub(crate) fn unix_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}
