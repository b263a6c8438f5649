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

/// How many counts are on their way to the store at a time: it writes those of one moment together, and
/// has room left for what requests write.
const AT_A_TIME: usize = 64;

/// The same at the end, when nobody else writes.
const AT_A_TIME_AT_THE_END: usize = 512;

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

    /// Writes counts, so many at a time. What is not written is counted again.
    async fn write(
        &self,
        store: &impl Notes,
        (counts, at_a_time): (Vec<Counted>, usize),
    ) -> Result<(), StoreError> {
        // All of them at once: whoever is dropped midway gives back those that had not begun, too.
        let writes: Vec<_> =
            counts.into_iter().map(|counted| Unwritten::new(self, counted).write(store)).collect();
        let mut writing = stream::iter(writes).buffer_unordered(at_a_time);
        let mut outcome = Ok(());
        while let Some(written) = writing.next().await {
            outcome = outcome.and(written);
        }
        outcome
    }
}

impl<S, G> IdentityProvider<S, G> {
    /// How many refusals are counted and not written yet.
    pub fn unwritten_refusals(&self) -> u64 {
        self.counts.lock().counted()
    }

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
        self.counts.write(&self.parts.store, (due, AT_A_TIME)).await
    }

    /// Writes all counts, for a server that ends. Where it is dropped midway, those that are not known
    /// to be written are kept.
    ///
    /// # Errors
    /// [`StoreError`] where any could not be written.
    pub async fn note_all_counted(&self) -> Result<(), StoreError> {
        let _turn = self.counts.turn.lock().await;
        let all = self.counts.lock().all();
        self.counts.write(&self.parts.store, (all, AT_A_TIME_AT_THE_END)).await
    }
}

/// A count on its way to the store. Dropped before it is written, it is counted again.
struct Unwritten<'a> {
    counts: &'a RefusalCounts,
    counted: Option<Counted>,
}

impl<'a> Unwritten<'a> {
    const fn new(counts: &'a RefusalCounts, counted: Counted) -> Self {
        Self { counts, counted: Some(counted) }
    }

    async fn write(mut self, store: &impl Notes) -> Result<(), StoreError> {
        let Some(counted) = &self.counted else { return Ok(()) };
        let (scope, event) = (counted.scope(), counted.event());
        note(store, &scope, &event).await?;
        self.counted = None;
        Ok(())
    }
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        if let Some(counted) = self.counted.take() {
            self.counts.lock().put_back(counted);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        pin::pin,
        sync::atomic::{AtomicUsize, Ordering},
        task::{Context, Poll, Waker},
    };

    use audit::{Action, Draft};
    use kernel::{EventId, Timestamp};
    use tenancy::{Actor, Origin};

    use super::*;

    /// A store that takes so many events, and then hangs or fails.
    struct Store {
        takes: usize,
        then_hangs: bool,
        taken: AtomicUsize,
    }

    impl Notes for Store {
        async fn keep(&self, _: &Scope, _: Draft<'_>) -> Result<EventId, StoreError> {
            let taken = self.taken.fetch_add(1, Ordering::Relaxed);
            match taken < self.takes {
                true => Ok("0192f0c1-2f3a-7b4c-8d5e-000000000000".parse().unwrap()),
                false if self.then_hangs => pending().await,
                false => Err(StoreError::unavailable("away")),
            }
        }
    }

    fn organization(number: u128) -> OrganizationId {
        format!("0192f0c1-2f3a-7b4c-8d5e-{number:012x}").parse().unwrap()
    }

    /// Counts of as many organizations, of three refusals each.
    fn counted(organizations: u128) -> RefusalCounts {
        let counts = RefusalCounts::new(organization(0), NonZeroU32::MIN);
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        for number in 0..organizations {
            let scope = Scope::new(organization(number), Actor::System, Origin::internal());
            for _ in 0..3 {
                counts.lock().count(&scope, &Event::failure(Action::AuthFailed), now);
            }
        }
        counts
    }

    fn written(counts: &RefusalCounts, store: &Store, at_a_time: usize) -> Poll<bool> {
        let all = counts.lock().all();
        let writing = pin!(counts.write(store, (all, at_a_time)));
        writing.poll(&mut Context::from_waker(Waker::noop())).map(|outcome| outcome.is_ok())
    }

    #[test]
    fn what_is_not_written_is_counted_again_whether_the_store_fails_or_the_time_is_over() {
        for (takes, then_hangs, at_a_time, expected, left) in [
            (100, false, 64, Poll::Ready(true), 0),
            (30, false, 64, Poll::Ready(false), 210),
            (30, true, 64, Poll::Pending, 210),
            (30, true, 10, Poll::Pending, 210),
            (0, true, 512, Poll::Pending, 300),
        ] {
            let counts = counted(100);
            let store = Store { takes, then_hangs, taken: AtomicUsize::new(0) };
            assert_eq!(written(&counts, &store, at_a_time), expected);
            assert_eq!(counts.lock().counted(), left, "{takes} {then_hangs}");
            let open = Store { takes: 100, then_hangs: true, taken: AtomicUsize::new(0) };
            assert_eq!(written(&counts, &open, at_a_time), Poll::Ready(true));
            assert_eq!(counts.lock().counted(), 0);
        }
    }
}
