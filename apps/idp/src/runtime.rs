//! The asynchronous runtime of one command, with the store's writer running beside it.

use std::{future::Future, time::Duration};

use sqlite_store::Writer;
use tokio::{runtime, task::JoinHandle};

/// How long the writer may take to finish what is queued, once nothing more can come.
const LAST_WRITES: Duration = Duration::from_secs(2);

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

/// The store's writer, running.
#[derive(Debug)]
pub struct RunningWriter(JoinHandle<()>);

impl RunningWriter {
    /// Starts it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the composition root is where tasks start")]
    pub fn start(writer: Writer) -> Self {
        Self(tokio::spawn(writer.run()))
    }

    /// Waits until it has written what was queued. It ends once every handle of the store is gone.
    pub async fn finish(self) {
        if tokio::time::timeout(LAST_WRITES, self.0).await.is_err() {
            tracing::error!("the store's writer did not finish in time");
        }
    }
}
