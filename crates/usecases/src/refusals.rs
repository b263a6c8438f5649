//! Keeps what was refused: the first of a minute by an event each, the rest by one that counts them.

use std::{
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
};

use audit::{Asker, Counted, Event, Notes, Refusals, Verdict, note};
use futures_util::{StreamExt, lock, stream};
use kernel::{OrganizationId, StoreError};
use tenancy::Scope;

use crate::provider::IdentityProvider;

/// How many counts are on their way to the store at a time: it writes those of one moment together.
const AT_A_TIME: usize = 64;

/// What was refused and is not in the log yet.
#[derive(Debug)]
pub(crate) struct RefusalCounts {
    refusals: Mutex<Refusals>,
    /// Held while counts are written: whoever writes the last ones waits for those on their way.
    turn: lock::Mutex<()>,
}

impl RefusalCounts {
    pub(crate) const fn new(platform: OrganizationId, told_per_minute: NonZeroU32) -> Self {
        let refusals = Refusals::new(platform, told_per_minute);
        Self { refusals: Mutex::new(refusals), turn: lock::Mutex::new(()) }
    }

    fn lock(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, G> IdentityProvider<S, G> {
    /// Counts a refusal that is not told by itself, however few there were.
    pub(crate) fn count_refusal(&self, scope: &Scope, event: &Event) {
        self.counts.lock().count(scope, event, self.now());
    }
}

impl<S, G> IdentityProvider<S, G>
where
    S: Notes,
{
    /// Keeps a refusal: durable when this returns where it is one of the first of its asker, and
    /// otherwise counted.
    pub(crate) async fn note_refusal(
        &self,
        scope: &Scope,
        event: &Event,
        asker: Asker,
    ) -> Result<(), StoreError> {
        match self.weigh_refusal(scope, event, asker) {
            Verdict::Tell => note(&self.parts.store, scope, event).await.map(|_| ()),
            Verdict::Count => Ok(()),
        }
    }

    fn weigh_refusal(&self, scope: &Scope, event: &Event, asker: Asker) -> Verdict {
        let now = self.now();
        let mut refusals = self.counts.lock();
        let verdict = refusals.weigh(event.action(), asker, now);
        match verdict {
            Verdict::Tell => {}
            Verdict::Count => refusals.count(scope, event, now),
        }
        verdict
    }

    /// Writes the counts whose minute is over. To be called every few seconds. What cannot be
    /// written is kept for the next time.
    ///
    /// # Errors
    /// [`StoreError`] where any could not be written.
    pub async fn note_counted(&self) -> Result<(), StoreError> {
        let _turn = self.counts.turn.lock().await;
        let due = self.counts.lock().due(self.now());
        self.write_counts(due).await
    }

    /// Writes all counts, for a server that ends.
    ///
    /// # Errors
    /// [`StoreError`] where any could not be written.
    pub async fn note_all_counted(&self) -> Result<(), StoreError> {
        let _turn = self.counts.turn.lock().await;
        let all = self.counts.lock().all();
        self.write_counts(all).await
    }

    async fn write_counts(&self, counts: Vec<Counted>) -> Result<(), StoreError> {
        let mut writing = stream::iter(counts)
            .map(|counted| async move {
                let (scope, event) = (counted.scope(), counted.event());
                let written = note(&self.parts.store, &scope, &event).await;
                written.map_err(|error| (counted, error))
            })
            .buffer_unordered(AT_A_TIME);
        let mut outcome = Ok(());
        while let Some(written) = writing.next().await {
            if let Err((counted, error)) = written {
                self.counts.lock().put_back(counted);
                outcome = Err(error);
            }
        }
        outcome
    }
}
