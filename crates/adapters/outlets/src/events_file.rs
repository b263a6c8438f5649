//! A file of events for others, one CloudEvent a line.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use audit::{
    delivery::{DeliveryFailed, EventSink},
    sequence::LeafRecord,
};
use tokio::task::spawn_blocking;

use crate::{
    blocking::{Blocking, LIMIT},
    error::OutletError,
    line_file::LineFile,
    lines::lines_of,
};

/// The file.
#[derive(Debug)]
pub struct CloudEventsFile {
    file: Blocking<LineFile>,
    issuer: String,
}

impl CloudEventsFile {
    /// Opens the file, or makes it. Events are those of this issuer's logs.
    ///
    /// # Errors
    /// [`OutletError`]
    pub async fn open(path: impl AsRef<Path>, issuer: &str) -> Result<Self, OutletError> {
        let path = path.as_ref().to_owned();
        let file = spawn_blocking(move || LineFile::open(&path)).await;
        let file = Blocking::new(file.map_err(|_| OutletError::GivenUp)??, LIMIT);
        Ok(Self { file, issuer: issuer.to_owned() })
    }

    /// The same, where the machine may take so long for each delivery.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.file.limit = limit;
        self
    }
}

#[async_trait]
impl EventSink for CloudEventsFile {
    async fn deliver(&self, leaves: &[LeafRecord]) -> Result<(), DeliveryFailed> {
        let delivered = async {
            let lines = lines_of(&self.issuer, leaves)?;
            if lines.is_empty() {
                return Ok(());
            }
            let append = move |file: &mut LineFile| {
                file.follow()?;
                file.append(lines.as_bytes())
            };
            self.file.run(append).await
        };
        delivered.await.map_err(|error: OutletError| error.by("events file"))
    }
}
