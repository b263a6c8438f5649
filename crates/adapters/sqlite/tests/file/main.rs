//! What the contract cannot ask of every store: the file, its triggers, and the one writer.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]

mod backstop;
mod corrupt;
mod crashed;
mod database;
mod dropped;
mod logs;
mod opening;
mod upgrading;
mod writing;
