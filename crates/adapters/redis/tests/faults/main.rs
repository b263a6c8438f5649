//! Redis killed, restarted, frozen, flushed, and holding nonsense: no limit is lifted, and nobody
//! waits for long.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]

mod connecting;
mod hints;
mod kit;
mod limits;
mod proofs;
mod state;
