//! A bounded number of places for work that would hold up a thread that serves requests.

use std::{num::NonZeroUsize, sync::Arc, thread::available_parallelism};

use thiserror::Error;
use tokio::{runtime::Handle, sync::Semaphore};

/// How many may wait for each place. A signature of RSA takes some four hundred microseconds, so
/// that the last of them waits for four tenths of a second; whoever comes then is told to come
/// again, rather than that all wait for longer and longer.
const WAITING_FOR_EACH: usize = 1_000;

/// Why work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NotDone {
    /// As many wait as may.
    #[error("too much work is waiting")]
    Busy,
    /// There is no thread for it: outside of a runtime, and when that ends.
    #[error("the server is about to end")]
    Ending,
}

/// Places at which work is done one beside the other; what finds none free waits, if not too much
/// waits already.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    places: Arc<Semaphore>,
    /// Room for whoever works or waits.
    room: Arc<Semaphore>,
}

impl Bench {
    /// One place.
    pub(crate) fn of_one() -> Self {
        Self::of(1, WAITING_FOR_EACH)
    }

    /// As many as the machine has cores: more would only take turns.
    pub(crate) fn of_the_machine() -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        Self::of(cores, cores.saturating_mul(WAITING_FOR_EACH))
    }

    /// So many places, and room for so many to wait.
    pub(crate) fn of(places: usize, waiting: usize) -> Self {
        let semaphore = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self { places: semaphore(places), room: semaphore(places.saturating_add(waiting)) }
    }

    /// Does the work on a thread for such work.
    ///
    /// # Errors
    /// [`NotDone`]
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let threads = Handle::try_current().map_err(|_| NotDone::Ending)?;
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| NotDone::Busy)?;
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(|_| NotDone::Ending)?;
        let working = threads.spawn_blocking(move || {
            let done = work();
            // Here and not with the caller, who may go away while the work goes on.
            drop((place, room));
            done
        });
        working.await.map_err(|_| NotDone::Ending)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        sync::{
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };

    use futures_util::{FutureExt, future::join_all};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_is_done_at_once_than_there_are_places() {
        let bench = Bench::of_one();
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all = (0..20).map(|number| {
            let (running, most) = (running.clone(), most.clone());
            bench.work(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                running.fetch_sub(1, Ordering::SeqCst);
                number
            })
        });
        let done: Vec<_> = join_all(all).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_goes_away_leaves_the_place_taken_until_the_work_is_done() {
        let bench = Bench::of_one();
        let (go_on, told) = mpsc::channel::<()>();
        let left = tokio::time::timeout(Duration::ZERO, bench.work(move || told.recv().is_ok()));
        assert!(left.await.is_err());
        assert!(bench.places.available_permits() == 0, "the place is free though its work goes on");
        go_on.send(()).unwrap();
        assert_eq!(bench.work(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn whoever_finds_no_room_to_wait_is_told_so_at_once() {
        let bench = Bench::of(1, 2);
        let (go_on, told) = mpsc::channel::<()>();
        let working = bench.work(move || told.recv().is_ok());
        let (first, second) = (bench.work(|| true), bench.work(|| true));
        let (mut working, mut first, mut second) = (pin!(working), pin!(first), pin!(second));
        assert_eq!(working.as_mut().now_or_never(), None);
        assert_eq!(first.as_mut().now_or_never(), None);
        {
            let goes_away = pin!(bench.work(|| true));
            assert_eq!(goes_away.now_or_never(), None);
        }
        assert_eq!(second.as_mut().now_or_never(), None, "who went away left room");
        assert_eq!(bench.work(|| true).now_or_never(), Some(Err(NotDone::Busy)));
        go_on.send(()).unwrap();
        assert_eq!([working.await, first.await, second.await], [Ok(true); 3]);
        assert_eq!(bench.work(|| 7).await, Ok(7), "there is room again");
    }

    #[test]
    fn outside_of_a_runtime_nothing_is_done_and_nothing_panics() {
        assert_eq!(Bench::of_the_machine().work(|| 7).now_or_never(), Some(Err(NotDone::Ending)));
    }
}
