//! How records are laid out in the columns of a table, whatever the database.
//!
//! # What it is for
//! The stores that speak SQL keep the same columns under the same names, each in its own statements
//! and its own types. What is the same is here once: which column holds what of a record, how it is
//! read back, and how a statement is put together of constants.
//!
//! # Invariants
//! - A row of no possible form is told by its table and column, and never guessed at.
//! - What may never change of a record is bound at its insertion alone.
//! - No text that comes from outside can become a part of a statement.
//!
//! # Order to read it in
//! [`cells`], [`value`], [`text`], then any record: [`agent`] is a good first one; [`log`]; last [`lists`].
#![warn(missing_docs)]

pub mod agent;
pub mod cells;
pub mod client_key;
pub mod credential;
pub mod event;
pub mod lists;
pub mod log;
pub mod organization;
pub mod signing_key;
pub mod text;
pub mod value;

pub use cells::{Cells, Columns};
pub use lists::{AgentList, CredentialList, EventList};
pub use text::{Places, Text};
pub use value::Value;
