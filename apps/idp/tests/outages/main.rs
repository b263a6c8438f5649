//! Abuse cases of outages, of garbage in the store and of floods, through the real server on a real
//! PostgreSQL. Each test is named by the case that it plays.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod client;
mod damaged_keys;
mod flood;
#[expect(dead_code, reason = "the test that it was written for needs more of it")]
#[path = "../isolation/founding.rs"]
mod founding;
mod garbage;
mod installation;
mod log;
mod neighbours;
mod origins;
mod outage;
mod read_only;
mod retries;
mod schema;
mod signing_keys;
mod slow;
mod unknown_commit;
mod wire;
