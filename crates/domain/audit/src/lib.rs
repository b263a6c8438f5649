//! Audit events, and the guarantee that no change is written without its event.
//!
//! # What it is for
//! A row of record changes only together with the event that says so, and no event is kept for a
//! change that failed. Types hold that, not habit:
//!
//! - a change ([`Audited`]) is made only by its aggregate, and knows the event that it leaves;
//! - a store writes only through [`Apply::apply`], which takes an [`Entry`], and only [`record`]
//!   makes one;
//! - [`record`] takes the transaction by value, so that after an error there is none left to
//!   commit;
//! - organization, actor and request come from the `Scope` that began the transaction.
//!
//! What changes no record and must be known all the same (a token issued or refused, a denial) is
//! a [`note`], durable before the answer leaves.
//!
//! # Order to read it in
//! [`event`], [`journal`], [`log`], [`organization`], [`feed`].
#![warn(missing_docs)]

pub mod event;
pub mod feed;
pub mod journal;
pub mod log;
pub mod organization;

pub use event::{Action, Event, Outcome, Resource, ResourceKind};
pub use feed::{ChangeFeed, ChangeHints, ChangeListener, Changed, Hearing, News};
pub use journal::{Apply, Audited, Draft, Entry, Journal, Notes, Transactor, note, record};
pub use log::{AuditLog, EventFilter, EventRecord};
pub use organization::{Directory, Organizations};
