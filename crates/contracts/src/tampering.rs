//! The owner of a database who changes a log in it, in every way that they can think of, and the two
//! verifiers that must find each.
//!
//! A way is drawn against what is known of an untouched log, and says what must be found and where.
//! What it does is written in SQL that each store's database understands.
//!
//! Not among the ways is what nothing is said of any more: of an event whose content was erased, the
//! commitment, the flag and the event's id, which no export shows. Nor are leaves that no checkpoint
//! covers yet, nor rows that keep the log from being read at all.
//!
//! # Order to read it in
//! [`installation`], what is tampered with; [`log`], what is known of it; [`statement`], [`expected`]
//! and [`ways`]; [`verifiers`] and [`trial`].
#![expect(clippy::indexing_slicing, reason = "a trial that fails says so by its panic")]

pub mod dice;
pub mod expected;
pub mod installation;
pub mod log;
pub mod statement;
pub mod trial;
pub mod verifiers;
pub mod ways;

pub use dice::Dice;
pub use expected::Expected;
pub use installation::{Installation, Post};
pub use log::Log;
pub use statement::{Dialect, Statement, Value};
pub use trial::{Owned, Trial};
pub use verifiers::{Case, Verifiers};
pub use ways::{Draw, Stage, Tampering, WAYS};
