//! Waiting for what another process does, where nothing tells us that it did: asking often, and not for ever.

use std::sync::mpsc;
use std::time::Duration;

const PAUSE: Duration = Duration::from_millis(5);

/// How often a server is asked before it is given up: a minute, for a machine that is busy with other tests.
pub(crate) const LONG: u32 = 12_000;

/// How often the kernel is asked before we believe that a signal has no effect: ten seconds.
pub(crate) const SHORT: u32 = 2_000;

/// Asks until the answer is yes, at most so many times. False where it never was.
pub(crate) fn until(tries: u32, mut asked: impl FnMut() -> bool) -> bool {
    // Nobody ever sends: what ends the wait is its bound.
    let (_kept, silence) = mpsc::channel::<()>();
    for _ in 0..tries {
        if asked() {
            return true;
        }
        let _ = silence.recv_timeout(PAUSE);
    }
    false
}
