//! What leaves the store, against real files and a witness on a port of its own.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]

mod checkpoint_file;
mod events;
mod kit;
mod output;
mod witness;
