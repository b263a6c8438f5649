//! How the real binary starts, refuses to start, runs and ends, seen from outside as an operator
//! sees it.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod ending;
mod first_start;
mod founding;
mod health;
mod log;
mod memory;
mod process;
mod refusals;
mod signing_keys;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../support/mod.rs"]
mod support;
