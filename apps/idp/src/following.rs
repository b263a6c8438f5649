//! Following the changes of other replicas: looks at the feed four times a second, and at once when
//! somebody hints that something changed.

use std::{sync::Arc, time::Duration};

use audit::{ChangeFeed, ChangeHints, Hearing, News, ResourceKind};
use kernel::OrganizationId;
use tokens::SigningKeys;
use tokio::{
    select,
    time::{Interval, MissedTickBehavior, interval},
};
use usecases::Known;

use crate::compose::{Announcer, Provider, Store};

/// How often the feed is looked at without a hint. Copies count for a second from the beginning of
/// a look, so that three may fail before one is missed.
const REGULARLY: Duration = Duration::from_millis(250);

/// The least time between two looks, however many hints there are.
const AT_MOST: Duration = Duration::from_millis(20);

/// Who follows.
pub struct Follower<S> {
    /// Whose copies of records and keys are kept up to date.
    pub provider: Arc<Provider<S>>,
    /// The copies of records.
    pub known: Arc<Known>,
    /// The organization from which signing keys are read.
    pub platform: OrganizationId,
    /// The clock by which the age of a look is told.
    pub clock: Arc<dyn kernel::Clock>,
    /// Hints from other replicas.
    pub hints: Option<Arc<dyn ChangeHints>>,
}

impl<S> std::fmt::Debug for Follower<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower").field("platform", &self.platform).finish_non_exhaustive()
    }
}

impl<S: Store> Follower<S> {
    /// Follows for ever.
    pub async fn follow(self, mut feed: S::Feed) {
        let mut ears = Ears::new(self.hints.clone());
        let mut blind = false;
        loop {
            let looked_at = self.clock.now();
            match feed.news().await {
                Ok(news) => {
                    self.known.learn(looked_at, &news);
                    if may_concern_keys(&news) {
                        self.renew_keys().await;
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

    /// Reads the signing keys anew. Where that fails, the keys at hand stay.
    async fn renew_keys(&self) {
        let renewed = async {
            let mut view = self.provider.store().view(self.platform).await?;
            view.signing_keys().await
        };
        match renewed.await {
            Ok(keys) => {
                if let Err(error) = self.provider.signer().replace(&keys) {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the signing keys of another replica cannot be opened");
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the signing keys cannot be read anew");
            }
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
    hearing: Option<Box<dyn Hearing>>,
    regular: Interval,
    at_most: Interval,
}

impl Ears {
    fn new(hints: Option<Arc<dyn ChangeHints>>) -> Self {
        Self { hints, hearing: None, regular: every(REGULARLY), at_most: every(AT_MOST) }
    }

    async fn wait(&mut self) {
        self.at_most.tick().await;
        if self.hearing.is_none() {
            self.listen().await;
        }
        let Self { hearing, regular, .. } = self;
        let Some(ear) = hearing else {
            regular.tick().await;
            return;
        };
        let heard = select! {
            _ = regular.tick() => Ok(()),
            heard = ear.heard() => heard,
        };
        if heard.is_err() {
            *hearing = None;
        }
    }

    /// Begins to listen, where there is anything to listen to and it answers.
    async fn listen(&mut self) {
        if let Some(hints) = &self.hints {
            select! {
                listening = hints.listen() => self.hearing = listening.ok(),
                _ = self.regular.tick() => {}
            }
        }
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    // After a look that took long, the next comes after a whole interval and not at once.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
