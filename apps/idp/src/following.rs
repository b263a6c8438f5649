//! Following the changes of other replicas: looks at the feed four times a second, and at once when
//! somebody hints that something changed.

use std::{sync::Arc, time::Duration};

use audit::{ChangeFeed, ChangeHints, Hearing, News, ResourceKind};
use futures_util::future::{BoxFuture, FutureExt, pending};
use kernel::StoreError;
use tokio::{
    select,
    time::{Interval, MissedTickBehavior, interval},
};
use usecases::Known;

use crate::{
    compose::{Announcer, Store},
    rotating::KeysAtHand,
};

/// How often the feed is looked at without a hint. Copies count for a second from the beginning of
/// a look, so that three may fail before one is missed.
const REGULARLY: Duration = Duration::from_millis(250);

/// The least time between two looks, however many hints there are.
const AT_MOST: Duration = Duration::from_millis(20);

/// Who follows.
pub struct Follower<S> {
    /// The signing keys.
    pub keys: Arc<KeysAtHand<S>>,
    /// The copies of records.
    pub known: Arc<Known>,
    /// The clock by which the age of a look is told.
    pub clock: Arc<dyn kernel::Clock>,
    /// Hints from other replicas.
    pub hints: Option<Arc<dyn ChangeHints>>,
}

impl<S> std::fmt::Debug for Follower<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").finish_non_exhaustive()
    }
}

impl<S: Store> Follower<S> {
    /// Follows for ever.
    pub async fn follow(self, mut feed: S::Feed) {
        let mut ears = Ears::new(self.hints.clone());
        let (mut blind, mut keys_are_due) = (false, false);
        loop {
            let looked_at = self.clock.now();
            match feed.news().await {
                Ok(news) => {
                    // Before the keys: reading them may take its time, and what the feed told of is
                    // not good for as long as that.
                    self.known.hear(&news);
                    // The feed tells once: what cannot be read now is read after the next look.
                    keys_are_due |= may_concern_keys(&news);
                    keys_are_due = keys_are_due && !self.keys.renew().await;
                    // Copies count only with keys beside them that are as new.
                    if !keys_are_due {
                        self.known.refresh(looked_at);
                    }
                    blind = false;
                }
                // Once for an outage: until the next look that succeeds, no copy is used.
                Err(error) if !blind => {
                    blind = true;
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the changes of other replicas cannot be seen");
                }
                Err(_) => {}
            }
            ears.wait().await;
        }
    }
}

/// Tells other replicas of changes of this one, for ever. A hint that is lost costs them a quarter of
/// a second.
pub async fn announce(hints: Arc<dyn ChangeHints>, announcer: Arc<Announcer>) {
    loop {
        announcer.changed().await;
        if let Err(error) = hints.announce().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "no hint was given");
        }
    }
}

fn may_concern_keys(news: &News) -> bool {
    match news {
        News::Unknown => true,
        News::Changes(changes) => {
            changes.iter().any(|change| change.resource.kind == ResourceKind::SigningKey)
        }
    }
}

/// What ends the waiting for the next look.
struct Ears {
    hints: Option<Arc<dyn ChangeHints>>,
    ear: Ear,
    regular: Interval,
    at_most: Interval,
}

/// A listener to hints, or how far one has come.
enum Ear {
    Deaf,
    Opening(BoxFuture<'static, Result<Box<dyn Hearing>, StoreError>>),
    Open(Box<dyn Hearing>),
}

impl Ears {
    fn new(hints: Option<Arc<dyn ChangeHints>>) -> Self {
        let (regular, at_most) = (every(REGULARLY), every(AT_MOST));
        Self { hints, ear: Ear::Deaf, regular, at_most }
    }

    async fn wait(&mut self) {
        self.at_most.tick().await;
        if let (Ear::Deaf, Some(hints)) = (&self.ear, self.hints.clone()) {
            self.ear = Ear::Opening(async move { hints.listen().await }.boxed());
        }
        select! {
            _ = self.regular.tick() => {}
            () = self.ear.heard() => {}
        }
    }
}

impl Ear {
    /// Waits for a hint. When the listening begins or ends one may have been missed, which is as
    /// good as a hint; where it cannot begin, only time tells.
    async fn heard(&mut self) {
        let opened = match self {
            Self::Deaf => pending().await,
            Self::Opening(opening) => opening.await.ok(),
            Self::Open(hearing) => {
                if hearing.heard().await.is_err() {
                    *self = Self::Deaf;
                }
                return;
            }
        };
        let Some(hearing) = opened else {
            *self = Self::Deaf;
            pending().await
        };
        *self = Self::Open(hearing);
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    // After a look that took long, the next comes after a whole interval and not at once.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

#[cfg(test)]
mod tests {
    use local::LocalHints;
    use tokio::time::timeout;

    use super::*;

    /// Hints that nobody can listen to.
    struct Away;

    #[async_trait::async_trait]
    impl ChangeHints for Away {
        async fn announce(&self) -> Result<(), StoreError> {
            Err(StoreError::unavailable("away"))
        }

        async fn listen(&self) -> Result<Box<dyn Hearing>, StoreError> {
            Err(StoreError::unavailable("away"))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_can_be_listened_to_looks_stay_regular() {
        for hints in [None, Some(Arc::new(Away) as Arc<dyn ChangeHints>)] {
            let mut ears = Ears::new(hints);
            let looks = async {
                for _ in 0..40 {
                    ears.wait().await;
                }
            };
            let ten_seconds = REGULARLY * 40 + AT_MOST * 2;
            assert!(timeout(ten_seconds, looks).await.is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_hint_ends_the_waiting_and_a_flood_of_them_is_slowed_down() {
        let hints = Arc::new(LocalHints::default());
        let mut ears = Ears::new(Some(hints.clone()));
        // The first look and the beginning of the listening.
        ears.wait().await;
        ears.wait().await;
        let flooded = async {
            for _ in 0..50 {
                hints.announce().await.unwrap();
                ears.wait().await;
            }
        };
        let flooded = timeout(REGULARLY * 50, flooded);
        assert!(flooded.await.is_ok(), "hints are not heard");
        let more = async {
            for _ in 0..50 {
                hints.announce().await.unwrap();
                ears.wait().await;
            }
        };
        assert!(timeout(AT_MOST * 40, more).await.is_err(), "hints make looks without end");
    }
}
