//! A bounded number of places for work that would hold up a thread that serves requests.

use std::{num::NonZeroUsize, sync::Arc, thread::available_parallelism};

use tokio::{runtime::Handle, sync::Semaphore};

/// Places at which work is done one beside the other; what finds none free waits.
#[derive(Debug, Clone)]
pub(crate) struct Bench(Arc<Semaphore>);

impl Bench {
    /// One place.
    pub(crate) fn of_one() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// As many as the machine has cores: more would only take turns.
    pub(crate) fn of_the_machine() -> Self {
        let cores = available_parallelism().map_or(1, NonZeroUsize::get);
        Self(Arc::new(Semaphore::new(cores)))
    }

    /// Does the work on a thread for such work. `None` where there is none: outside of a runtime,
    /// and when it ends.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let threads = Handle::try_current().ok()?;
        let place = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let working = threads.spawn_blocking(move || {
            let done = work();
            // Here and not with the caller, who may go away while the work goes on.
            drop(place);
            done
        });
        working.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{
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
        let done: Vec<_> = join_all(all).await.into_iter().map(Option::unwrap).collect();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_goes_away_leaves_the_place_taken_until_the_work_is_done() {
        let bench = Bench::of_one();
        let (go_on, told) = mpsc::channel::<()>();
        let left = tokio::time::timeout(Duration::ZERO, bench.work(move || told.recv().is_ok()));
        assert!(left.await.is_err());
        assert!(bench.0.available_permits() == 0, "the place is free though its work goes on");
        go_on.send(()).unwrap();
        assert_eq!(bench.work(|| 7).await, Some(7));
    }

    #[test]
    fn outside_of_a_runtime_nothing_is_done_and_nothing_panics() {
        assert_eq!(Bench::of_the_machine().work(|| 7).now_or_never(), Some(None));
    }
}
