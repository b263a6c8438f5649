//! Work that blocks a thread, one at a time, and for a bounded time as far as the caller can see.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{sync::Mutex, task::spawn_blocking, time::timeout};

use crate::error::OutletError;

/// How long a file or standard output may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// Something that is worked with on threads that may block.
pub(crate) struct Blocking<T> {
    inner: Arc<Mutex<T>>,
    pub(crate) limit: Duration,
}

impl<T: Send + 'static> Blocking<T> {
    pub(crate) fn new(inner: T, limit: Duration) -> Self {
        Self { inner: Arc::new(Mutex::new(inner)), limit }
    }

    /// Does the work. Work that takes too long goes on, and keeps its place: what comes after it does
    /// not take up another thread meanwhile.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut T) -> Result<R, OutletError> + Send + 'static,
    ) -> Result<R, OutletError> {
        let inner = Arc::clone(&self.inner);
        let done = async {
            let mut inner = inner.lock_owned().await;
            spawn_blocking(move || work(&mut inner)).await
        };
        match timeout(self.limit, done).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(OutletError::GivenUp),
            Err(_) => Err(OutletError::TooSlow),
        }
    }
}

impl<T> fmt::Debug for Blocking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocking").finish_non_exhaustive()
    }
}
