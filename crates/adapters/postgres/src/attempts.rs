//! Attempts to connect, while the server does not answer.
//!
//! A server that is frozen takes connections into its queue and says nothing. If every request made
//! one and gave it up, the server would find hundreds of them when it goes on, and serve those dead
//! ones first. So after an attempt that got no answer there is one at a time, and everybody else is
//! refused at once.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use tokio::sync::Mutex;

/// The attempts of one pool.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    unanswered: AtomicBool,
    turn: Mutex<()>,
}

impl Attempts {
    /// Makes an attempt. One that is given up midway counts as unanswered.
    pub(crate) async fn make<T>(
        &self,
        attempt: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        let one_at_a_time = self.unanswered.load(Ordering::Relaxed);
        let _turn = match (one_at_a_time, self.turn.try_lock()) {
            (false, _) => None,
            (true, Ok(turn)) => Some(turn),
            (true, Err(_)) => return Err(silent()),
        };
        let pending = Pending { attempts: self, answered: false };
        let made = attempt.await;
        pending.answered();
        made
    }
}

/// An attempt under way.
struct Pending<'a> {
    attempts: &'a Attempts,
    answered: bool,
}

impl Pending<'_> {
    /// A refusal is an answer too.
    fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.attempts.unanswered.store(!self.answered, Ordering::Relaxed);
    }
}

fn silent() -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"))
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn while_the_server_is_silent_one_tries_and_the_others_are_refused_at_once() {
        let attempts = Attempts::default();
        let silence = || attempts.make(pending::<Result<(), sqlx::Error>>());
        let mut first: Vec<_> = (0..3).map(|_| Box::pin(silence())).collect();
        // Nobody knows yet: all of them try.
        assert!(first.iter_mut().all(|one| one.now_or_never().is_none()));
        drop(first);
        let mut one = Box::pin(silence());
        assert!((&mut one).now_or_never().is_none());
        for _ in 0..50 {
            assert!(matches!(silence().now_or_never(), Some(Err(sqlx::Error::Io(_)))));
        }
        drop(one);
        assert!(attempts.make(ready(Ok(()))).await.is_ok());
        let mut all: Vec<_> = (0..3).map(|_| Box::pin(silence())).collect();
        assert!(all.iter_mut().all(|one| one.now_or_never().is_none()));
    }

    #[tokio::test]
    async fn a_refusal_is_an_answer() {
        let attempts = Attempts::default();
        drop(attempts.make(pending::<Result<(), sqlx::Error>>()).now_or_never());
        let refused = ready(Err::<(), _>(sqlx::Error::PoolClosed));
        assert!(attempts.make(refused).await.is_err());
        assert!(!attempts.unanswered.load(Ordering::Relaxed));
    }
}
