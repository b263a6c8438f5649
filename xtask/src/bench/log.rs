//! That every answer left its event: a server that forgets is fast, and makes no figure.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::api;
use super::server::Server;

/// How long the checkpoint over the last event may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(200);

/// A log that has not grown for so long does not grow: longer than a sequencer rests, and its turns take.
const STILL: Duration = Duration::from_millis(500);

/// The size that a log had, as its signed checkpoint tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Log(u64);

impl Log {
    /// The size that it has once it no longer grows: what was asked before may still get its place. The
    /// token may read audit logs.
    pub(crate) fn before(server: &Server, token: &str) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut size = api::size_of_the_log(server, token)?;
        loop {
            thread::sleep(STILL);
            let now = api::size_of_the_log(server, token)?;
            if now == size {
                return Ok(Self(size));
            }
            ensure!(began.elapsed() < PATIENCE, "the log grows though nobody asks for anything");
            size = now;
        }
    }

    /// Since then so many answers came, and at most so many requests were sent whose answer nobody
    /// waited for.
    pub(crate) fn must_have_grown(
        self,
        server: &Server,
        token: &str,
        answers: u64,
        in_flight: u32,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let events = api::size_of_the_log(server, token)?.saturating_sub(self.0);
            if is_complete(answers, in_flight, events)? {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "of {answers} answers only {events} left an event");
            thread::sleep(LOOK);
        }
    }
}

/// Whether each answer left an event.
///
/// # Errors
/// Where there are more than anybody asked for.
fn is_complete(answers: u64, in_flight: u32, events: u64) -> anyhow::Result<bool> {
    ensure!(events <= answers + u64::from(in_flight), "{answers} answers left {events} events");
    Ok(events >= answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_its_event_is_not_passed_over() {
        assert!(!is_complete(1_000, 64, 999).unwrap());
        assert!(is_complete(1_000, 64, 1_000).unwrap());
    }

    #[test]
    fn what_was_in_flight_at_the_end_may_have_left_its_event_and_nothing_else_may() {
        assert!(is_complete(1_000, 64, 1_064).unwrap());
        let error = is_complete(1_000, 64, 1_065).unwrap_err().to_string();
        assert_eq!(error, "1000 answers left 1065 events");
    }
}
