//! Hints within this process, for one that has no other to tell.

use async_trait::async_trait;
use audit::{ChangeHints, Hearing};
use kernel::StoreError;
use tokio::sync::watch;

/// Tells those who listen in this process. A listener that is slow misses nothing and piles
/// nothing up: what was announced since it last heard is one hint.
#[derive(Debug, Default)]
pub struct LocalHints {
    announced: watch::Sender<()>,
}

impl LocalHints {
    /// Hints that nobody has announced yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl ChangeHints for LocalHints {
    async fn announce(&self) -> Result<(), StoreError> {
        self.announced.send_replace(());
        Ok(())
    }

    async fn listen(&self) -> Result<Box<dyn Hearing>, StoreError> {
        Ok(Box::new(Ear { announced: self.announced.subscribe() }))
    }
}

#[derive(Debug)]
struct Ear {
    announced: watch::Receiver<()>,
}

#[async_trait]
impl Hearing for Ear {
    async fn heard(&mut self) -> Result<(), StoreError> {
        self.announced.changed().await.map_err(StoreError::unavailable)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn listening(hints: &LocalHints) -> Box<dyn Hearing> {
        hints.listen().now_or_never().unwrap().unwrap()
    }

    fn announce(hints: &LocalHints) {
        hints.announce().now_or_never().unwrap().unwrap();
    }

    #[test]
    fn a_slow_listener_hears_any_number_of_announcements_once() {
        let hints = LocalHints::new();
        let mut ear = listening(&hints);
        for _ in 0..10_000 {
            announce(&hints);
        }
        assert!(matches!(ear.heard().now_or_never(), Some(Ok(()))));
        assert!(ear.heard().now_or_never().is_none());
    }

    #[test]
    fn listening_begins_in_silence() {
        let hints = LocalHints::new();
        announce(&hints);
        assert!(listening(&hints).heard().now_or_never().is_none());
    }

    #[test]
    fn listening_ends_with_an_error_when_nobody_can_announce_any_more() {
        let hints = LocalHints::new();
        let mut ear = listening(&hints);
        announce(&hints);
        drop(hints);
        assert!(matches!(ear.heard().now_or_never(), Some(Ok(()))));
        let ended = ear.heard().now_or_never().unwrap();
        assert!(matches!(ended, Err(StoreError::Unavailable(_))));
    }
}
