//! The asynchronous runtime of one command, and what runs beside its work.

use std::{fmt, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use tokio::{
    runtime,
    task::{JoinHandle, JoinSet},
    time::interval,
};

use crate::storage::Storage;

/// How long the store's own work may take to finish what is queued, once nothing more can come.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// The least time between two beginnings of work that panics.
const BETWEEN_BEGINNINGS: Duration = Duration::from_millis(500);

/// Runs a command's work to its end.
///
/// # Errors
/// When no runtime can be had.
pub fn run<F: Future>(work: F) -> std::io::Result<F::Output> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let output = runtime.block_on(work);
    // The work is done: nothing that still runs may hold the end up.
    runtime.shutdown_background();
    Ok(output)
}

/// The work behind a store, before it runs, and what must be held until it has ended: another
/// process must not open the database before the last write.
pub struct BehindTheStore {
    work: BoxFuture<'static, ()>,
    held: Option<Storage>,
}

impl fmt::Debug for BehindTheStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BehindTheStore").field("held", &self.held).finish_non_exhaustive()
    }
}

impl BehindTheStore {
    /// This work, and this storage held for as long.
    pub fn new(work: impl Future<Output = ()> + Send + 'static, held: Option<Storage>) -> Self {
        Self { work: work.boxed(), held }
    }

    /// Starts it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the composition root is where tasks start")]
    pub fn start(self) -> Company {
        let store = tokio::spawn(self.work);
        Company { store, followers: JoinSet::new(), held: self.held }
    }
}

/// What runs beside the requests.
#[derive(Debug)]
pub struct Company {
    store: JoinHandle<()>,
    followers: JoinSet<()>,
    held: Option<Storage>,
}

impl Company {
    /// Adds work that goes on until the end. Where it panics, it is begun anew.
    pub fn accompany<F>(&mut self, name: &'static str, work: impl Fn() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.followers.spawn(async move {
            let (mut times, mut beginnings) = (0_u64, interval(BETWEEN_BEGINNINGS));
            loop {
                // Whatever made it panic must not keep a core busy.
                beginnings.tick().await;
                if AssertUnwindSafe(work()).catch_unwind().await.is_ok() {
                    return;
                }
                times = times.saturating_add(1);
                tracing::error!(name, times, "work beside the requests panicked; it begins anew");
            }
        });
    }

    /// Adds work that goes on until the end, and cannot be begun anew.
    pub fn join_in(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.followers.spawn(work);
    }

    /// Done when the work behind the store ends while the store is in use: it panicked, and without
    /// it nothing can be written.
    pub async fn lost(&mut self) {
        if let Err(error) = (&mut self.store).await {
            tracing::error!(error = &error as &dyn std::error::Error, "the store's work panicked");
        }
    }

    /// Ends the followers, and waits until the store has written what was queued. That ends once
    /// every handle of the store is gone.
    pub async fn finish(mut self) {
        self.followers.shutdown().await;
        if tokio::time::timeout(LAST_WRITES, self.store).await.is_err() {
            tracing::error!("the store's writer did not finish in time");
        }
        drop(self.held);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn cs_02_work_that_panics_begins_anew() {
        let mut company = BehindTheStore::new(async {}, None).start();
        let (runs, done) = (Arc::new(AtomicU32::new(0)), Arc::new(Semaphore::new(0)));
        let all_done = done.clone();
        company.accompany("shaky", move || {
            let (runs, done) = (runs.clone(), done.clone());
            async move {
                assert!(runs.fetch_add(1, Ordering::Relaxed) >= 2, "the first two runs panic");
                done.add_permits(1);
            }
        });
        let _third = all_done.acquire().await.unwrap();
        company.finish().await;
    }

    #[tokio::test]
    async fn a_store_whose_work_panics_is_lost() {
        let mut company = BehindTheStore::new(async { panic!("shaky") }, None).start();
        company.lost().await;
    }
}
