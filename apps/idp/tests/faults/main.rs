//! Replicas, PostgreSQL and Redis killed, frozen, emptied and started again under load: what was
//! acknowledged is there, nobody is refused falsely, no limit is lifted, and everything heals alone.
//!
//! Each run of the tests does a few rounds of each; `cargo xtask faults` does as many as one likes.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "what was measured is for the person who runs it")]

mod assertions;
mod caller;
mod check;
mod clock;
mod clocks;
mod cluster;
#[path = "../support/departed.rs"]
mod departed;
#[path = "../kill/dice.rs"]
mod dice;
mod drain;
mod ended;
mod first_boot;
mod front;
mod frozen;
mod grants;
mod holder;
mod kill_postgres;
mod kill_redis;
mod kill_replica;
mod ledger;
mod load;
mod log;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../startup/process.rs"]
mod process;
mod prompt;
mod proofs;
mod refusals;
mod regression;
mod rounds;
mod seen;
mod sequencing;
mod stopwatch;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../support/mod.rs"]
mod support;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../support/verified.rs"]
mod verified;
mod watch;
mod woken;
mod worker;
