//! Standard output, or another stream, to which lines are written whole.

use std::{
    fmt,
    io::{self, Write},
    time::Duration,
};

use async_trait::async_trait;
use audit::{
    SignedCheckpoint,
    delivery::{CheckpointSink, DeliveryFailed, EventSink},
    departure::Departure,
    sequence::LeafRecord,
};
use kernel::Timestamp;

use crate::{
    blocking::{Blocking, LIMIT},
    error::OutletError,
    lines::lines_of,
};

const SINK: &str = "standard output";

/// A stream of lines.
struct Stream(Blocking<Box<dyn Write + Send>>);

impl Stream {
    fn new(writer: impl Write + Send + 'static, limit: Duration) -> Self {
        Self(Blocking::new(Box::new(writer), limit))
    }

    async fn write(&self, lines: String) -> Result<(), OutletError> {
        // `write_all` of standard output holds its lock, so that no other line comes in between.
        let write = move |writer: &mut Box<dyn Write + Send>| {
            let written = writer.write_all(lines.as_bytes()).and_then(|()| writer.flush());
            written.map_err(OutletError::Output)
        };
        self.0.run(write).await
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

/// Checkpoints on standard output, a line of JSON each: for whoever collects a server's output.
#[derive(Debug)]
pub struct StandardOutput(Stream);

impl StandardOutput {
    /// Standard output of this process.
    #[must_use]
    pub fn new() -> Self {
        Self::of(io::stdout(), LIMIT)
    }

    /// Another stream, which may take so long for a line.
    pub fn of(writer: impl Write + Send + 'static, limit: Duration) -> Self {
        Self(Stream::new(writer, limit))
    }
}

impl Default for StandardOutput {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl CheckpointSink for StandardOutput {
    async fn deliver(
        &self,
        checkpoint: &SignedCheckpoint,
        at: Timestamp,
    ) -> Result<(), DeliveryFailed> {
        let line = Departure::Checkpoint { signed: checkpoint.clone(), at }.to_json() + "\n";
        self.0.write(line).await.map_err(|error| error.by(SINK))
    }
}

/// Events on standard output, a CloudEvent a line.
#[derive(Debug)]
pub struct CloudEventsOutput {
    stream: Stream,
    issuer: String,
}

impl CloudEventsOutput {
    /// Standard output of this process. Events are those of this issuer's logs.
    #[must_use]
    pub fn new(issuer: &str) -> Self {
        Self::of(io::stdout(), LIMIT, issuer)
    }

    /// Another stream, which may take so long for the events of one delivery.
    pub fn of(writer: impl Write + Send + 'static, limit: Duration, issuer: &str) -> Self {
        Self { stream: Stream::new(writer, limit), issuer: issuer.to_owned() }
    }
}

#[async_trait]
impl EventSink for CloudEventsOutput {
    async fn deliver(&self, leaves: &[LeafRecord]) -> Result<(), DeliveryFailed> {
        let written = match lines_of(&self.issuer, leaves) {
            Ok(lines) => self.stream.write(lines).await,
            Err(error) => Err(error),
        };
        written.map_err(|error| error.by(SINK))
    }
}
