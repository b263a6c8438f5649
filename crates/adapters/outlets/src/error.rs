//! Why a file of lines could not be used.

use std::{io, path::PathBuf};

use audit::delivery::DeliveryFailed;
use thiserror::Error;

/// Why a file could not be opened, read or written.
#[derive(Debug, Error)]
pub enum OutletError {
    /// The machine refused.
    #[error("`{}` cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is a folder, a pipe or a device: what is written there cannot be read back.
    #[error("`{}` is no regular file", path.display())]
    NotAFile {
        /// What was named.
        path: PathBuf,
    },
    /// A line says nothing that could be understood, so that nobody knows what has left.
    #[error("line {line} of `{}` cannot be read: it {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// What was to be written is longer than a reader takes.
    #[error("a line would be longer than {} bytes", audit::lines::MAX_LINE)]
    TooLong,
    /// Standard output does not take it.
    #[error("standard output cannot be written")]
    Output(#[source] io::Error),
    /// The machine did not answer in time; whether it did what it was told is not known.
    #[error("it was not done in time")]
    TooSlow,
    /// The work ended without an answer: the process is ending.
    #[error("it was given up")]
    GivenUp,
    /// An event has no place in an export.
    #[error("an event cannot be written")]
    Event(#[source] kernel::store::Source),
}

impl OutletError {
    pub(crate) fn by(self, sink: &'static str) -> DeliveryFailed {
        DeliveryFailed { sink, source: Box::new(self) }
    }
}
