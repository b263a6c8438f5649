//! What leaves the store: checkpoints to a file, to standard output and to a witness, and events to others.
//!
//! # What it is for
//! A log that is changed where it is kept is found out by whoever holds an older checkpoint. So
//! checkpoints go where the store's administrator cannot write, and the server holds its own logs against
//! what it finds there. Events go out as well, for whoever watches over more than this server.
//!
//! # Invariants
//! - What was delivered to a file is durable there.
//! - A file that cannot be understood is an error that names the line, and never an empty file.
//! - No call waits for longer than it is told to, and no answer is read to any length.
//! - Nothing that a witness says is trusted: it is told on, or told off.
//! - No error, log line or `Debug` holds a credential of a URL: a URL with one is refused.
//!
//! # Order to read it in
//! [`checkpoint_file`] with `contents`, `line_file` and `blocking`; [`remembered`], [`output`],
//! [`events_file`]; [`witness`] with `witness_text` and `connector`.
#![warn(missing_docs)]

mod blocking;
pub mod checkpoint_file;
mod connector;
mod contents;
pub mod error;
pub mod events_file;
mod line_file;
mod lines;
pub mod output;
pub mod remembered;
pub mod witness;
mod witness_text;

pub use checkpoint_file::CheckpointFile;
pub use connector::{InvalidWitness, WitnessUrl};
pub use error::OutletError;
pub use events_file::CloudEventsFile;
pub use output::{CloudEventsOutput, StandardOutput};
pub use remembered::Remembered;
pub use witness::HttpWitness;
