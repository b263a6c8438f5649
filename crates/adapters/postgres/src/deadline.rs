//! How long whoever asks the database is made to wait, whatever the database does.
//!
//! The server has time limits of its own, which end a statement in order. A server that is frozen or
//! cut off from the network keeps none of them: then only the client's clock is left.

use std::{future::Future, time::Duration};

use kernel::StoreError;
use tokio::time::{Instant, timeout_at};

/// The instant by which everything that belongs together must be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    #[expect(clippy::disallowed_methods, reason = "the bound of a wait, and no fact of a record")]
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// What comes of the work, if it is done in time. Otherwise the work is dropped midway, and is
    /// not begun where the time is over already.
    #[expect(clippy::disallowed_methods, reason = "likewise")]
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        if Instant::now() >= self.0 {
            return Err(StoreError::unavailable("the time for it is over"));
        }
        timeout_at(self.0, work).await.map_err(StoreError::unavailable)
    }
}
