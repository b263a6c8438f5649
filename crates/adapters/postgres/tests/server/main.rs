//! What the contract cannot ask of every store: the server, its roles, its triggers, and its ends.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]
#![expect(clippy::expect_used, reason = "likewise")]
#![expect(clippy::panic, reason = "likewise")]

mod agents;
mod backstop;
mod dropped;
mod feed;
mod forgetting;
mod frozen;
mod isolation;
mod logs;
mod opening;
mod running;
#[path = "../support/mod.rs"]
mod support;
mod tampering;
mod writing;
