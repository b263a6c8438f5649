//! A file of checkpoints that left: where the server writes them, and what it finds there when it starts.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use audit::{
    Checkpoint, SignedCheckpoint,
    delivery::{CheckpointSink, DeliveryFailed, Outside},
    departure::Departure,
};
use kernel::{OrganizationId, Timestamp};
use tokio::task::spawn_blocking;

use crate::{
    blocking::{Blocking, LIMIT},
    contents::Contents,
    error::OutletError,
    line_file::LineFile,
    remembered::Remembered,
};

/// The file. Several processes may write to one.
#[derive(Debug)]
pub struct CheckpointFile {
    contents: Blocking<Contents>,
    known: Arc<Remembered>,
}

impl CheckpointFile {
    /// Opens the file, or makes it, and reads all of it.
    ///
    /// A last line that breaks off is what a crash leaves: it is told in the server's log and passed over.
    ///
    /// # Errors
    /// [`OutletError`]: where a line cannot be read nobody knows what logs are to be held against.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OutletError> {
        let path = path.as_ref().to_owned();
        let known = Arc::new(Remembered::default());
        let read = Arc::clone(&known);
        let contents = spawn_blocking(move || read_whole(&path, read)).await;
        let contents = contents.map_err(|_| OutletError::GivenUp)??;
        Ok(Self { contents: Blocking::new(contents, LIMIT), known })
    }

    /// The same, where the machine may take so long for each line.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.contents.limit = limit;
        self
    }

    /// Reads what others added since the last time: that an operator acknowledged a regression is told
    /// by another process.
    ///
    /// # Errors
    /// [`OutletError`]
    pub async fn reread(&self) -> Result<(), OutletError> {
        self.contents.run(Contents::catch_up).await
    }

    /// Writes that an operator knows why this log went back: what left of it before no longer binds.
    ///
    /// # Errors
    /// [`OutletError`]
    pub async fn acknowledge(
        &self,
        organization: OrganizationId,
        reason: String,
        at: Timestamp,
    ) -> Result<(), OutletError> {
        let line = Departure::Acknowledgement { organization, reason, at };
        self.contents.run(move |contents| contents.add(&line)).await
    }
}

fn read_whole(path: &Path, known: Arc<Remembered>) -> Result<Contents, OutletError> {
    let mut contents = Contents::new(LineFile::open(path)?, known);
    contents.catch_up()?;
    let (bytes_at_the_end, before) = contents.broken()?;
    if bytes_at_the_end > 0 {
        tracing::warn!(
            outlet.path = %path.display(),
            outlet.bytes = bytes_at_the_end,
            outlet.earlier_lines = before,
            "the last line of the checkpoints that left breaks off: its writer ended while writing it"
        );
    }
    Ok(contents)
}

#[async_trait]
impl CheckpointSink for CheckpointFile {
    async fn deliver(
        &self,
        checkpoint: &SignedCheckpoint,
        at: Timestamp,
    ) -> Result<(), DeliveryFailed> {
        let line = Departure::Checkpoint { signed: checkpoint.clone(), at };
        let added = self.contents.run(move |contents| contents.add(&line)).await;
        added.map_err(|error| error.by("checkpoint file"))
    }
}

#[async_trait]
impl Outside for CheckpointFile {
    fn newest(&self, organization: OrganizationId) -> Option<Checkpoint> {
        self.known.newest(organization)
    }

    fn known(&self) -> Vec<OrganizationId> {
        self.known.known()
    }

    fn left(&self, checkpoint: &Checkpoint) {
        self.known.left(checkpoint);
    }

    async fn look_again(&self) {
        if let Err(error) = self.reread().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the file of checkpoints cannot be read again");
        }
    }
}
