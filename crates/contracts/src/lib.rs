//! The suites that every adapter of a port must pass.
//!
//! # What it is for
//! What a port promises is written here once, as cases, and run against each adapter's real
//! database. An adapter writes a [`Harness`] and one line, [`contract!`]: the macro holds the list
//! and makes one test of each case, so that no adapter can skip one. A test of this crate proves
//! that the list is whole.
//!
//! # How to add a case
//! Write a `pub async fn` whose name is a sentence into a file of [`cases`], and name it in `list`.
//!
//! # Order to read it in
//! [`harness`], [`world`], [`sample`], then any file of [`cases`].
#![expect(clippy::unwrap_used, reason = "a case that fails says so by its panic")]
#![expect(clippy::panic, reason = "likewise")]
#![expect(clippy::missing_panics_doc, reason = "likewise")]

pub mod cases;
pub mod harness;
mod key_pair;
mod list;
pub mod sample;
pub mod tampering;
pub mod witness;
pub mod world;

pub use harness::{
    FeedHarness, Harness, HintsHarness, LimiterHarness, ProofUsesHarness, Reads, Views, Writes, run,
};
pub use key_pair::KeyPair;
pub use world::World;
