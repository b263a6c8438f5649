//! Keeps requests from waiting for a Redis that has just failed.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kernel::Timestamp;

/// Open for a while after each failure. Then one at a time may try, until one has succeeded.
#[derive(Debug)]
pub(crate) struct Breaker {
    cool_down: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Open {
        since: Timestamp,
    },
    /// Somebody tries. What it finds decides.
    Probing {
        since: Timestamp,
    },
}

impl Breaker {
    pub(crate) fn new(cool_down: Duration) -> Self {
        Self { cool_down, state: Mutex::new(State::Closed) }
    }

    /// A pass for one call, if it may be made now.
    pub(crate) fn enter(&self, now: Timestamp) -> Option<Pass<'_>> {
        let mut state = self.state();
        match *state {
            State::Closed => Some(Pass { breaker: self, probes: None }),
            State::Open { since } if self.is_over(since, now) => {
                *state = State::Probing { since };
                Some(Pass { breaker: self, probes: Some(since) })
            }
            State::Open { .. } | State::Probing { .. } => None,
        }
    }

    /// A clock that was set back must not keep it open for as long as it was set back.
    fn is_over(&self, since: Timestamp, now: Timestamp) -> bool {
        now < since || since.plus(self.cool_down) <= now
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to make one call. One that is dropped without a word, as when its request was given
/// up, says nothing of Redis, and lets the next one try.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    breaker: &'a Breaker,
    probes: Option<Timestamp>,
}

impl Pass<'_> {
    /// Redis answered.
    pub(crate) fn succeeded(mut self) {
        // What began before another call failed says nothing of the time since.
        if self.probes.take().is_some() {
            *self.breaker.state() = State::Closed;
        }
    }

    /// Redis did not answer.
    pub(crate) fn failed(mut self, now: Timestamp) {
        self.probes = None;
        *self.breaker.state() = State::Open { since: now };
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(since) = self.probes {
            *self.breaker.state() = State::Open { since };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_unix_micros(1_700_000_000_000_000 + millis * 1_000).unwrap()
    }

    fn broken_at(millis: i64) -> Breaker {
        let breaker = Breaker::new(Duration::from_millis(500));
        breaker.enter(at(0)).unwrap().failed(at(millis));
        breaker
    }

    #[test]
    fn everybody_passes_while_nothing_fails() {
        let breaker = Breaker::new(Duration::from_millis(500));
        let passes: Vec<_> = (0..10).map(|_| breaker.enter(at(0)).unwrap()).collect();
        passes.into_iter().for_each(Pass::succeeded);
        assert!(breaker.enter(at(1)).is_some());
    }

    #[test]
    fn nobody_passes_for_a_while_after_a_failure() {
        let breaker = broken_at(10);
        assert!(breaker.enter(at(10)).is_none());
        assert!(breaker.enter(at(509)).is_none());
        assert!(breaker.enter(at(510)).is_some());
    }

    #[test]
    fn one_at_a_time_tries() {
        let breaker = broken_at(0);
        let probe = breaker.enter(at(500)).unwrap();
        assert!(breaker.enter(at(500)).is_none());
        assert!(breaker.enter(at(9_000)).is_none());
        probe.succeeded();
        assert!(breaker.enter(at(9_000)).is_some());
        assert!(breaker.enter(at(9_000)).is_some());
    }

    #[test]
    fn a_try_that_fails_begins_the_while_anew() {
        let breaker = broken_at(0);
        breaker.enter(at(500)).unwrap().failed(at(1_000));
        assert!(breaker.enter(at(1_499)).is_none());
        assert!(breaker.enter(at(1_500)).is_some());
    }

    #[test]
    fn a_try_that_is_given_up_lets_the_next_one_try() {
        let breaker = broken_at(0);
        drop(breaker.enter(at(500)));
        let next = breaker.enter(at(501));
        assert!(next.is_some());
        assert!(breaker.enter(at(501)).is_none());
    }

    #[test]
    fn a_late_success_of_what_began_before_does_not_open_the_way() {
        let breaker = Breaker::new(Duration::from_millis(500));
        let early = breaker.enter(at(0)).unwrap();
        breaker.enter(at(0)).unwrap().failed(at(5));
        early.succeeded();
        assert!(breaker.enter(at(6)).is_none());
    }

    #[test]
    fn ck_02_a_clock_that_is_set_back_does_not_keep_it_shut() {
        let breaker = broken_at(3_600_000);
        assert!(breaker.enter(at(0)).is_some());
    }
}
