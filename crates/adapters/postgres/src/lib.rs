//! The store ports on PostgreSQL 14 and up, for any number of replicas.
//!
//! # What it is for
//! The production store. Each port stands in the file of its name, its statements as constants at the
//! top. The contract suite runs every one of them against a real server.
//!
//! # How it writes
//! A transaction waits until it is the only one that changes its organization: first in the lane of
//! its replica, then by an advisory lock. So what it reads is so until it commits, with no deadlock,
//! no retry and no anomaly to think of; changes of different organizations run side by side. Notes
//! wait for nobody: one connection writes those that queue by one statement, and the next group is
//! what came meanwhile. What is good once is used in a short transaction of its own, without that
//! lock: the primary key lets one pass.
//!
//! # Invariants
//! - A connection goes back to the pool only outside a transaction. What is open is ended by the
//!   janitor, and a connection in the middle of a statement is closed, wherever a future was dropped.
//! - Everything has an end: a statement by the server's limits, whatever the server does by the
//!   store's [`Options::patience`].
//! - Every statement binds the organization, and row-level security holds it a second time: the
//!   server acts as `idp_app` on every connection, whoever logged in.
//! - Nobody is told of a success before the server has confirmed the commit.
//! - A log is extended and signed by whoever holds its row, in a turn that the server ends where its
//!   sequencer stands still.
//! - A listener hears of a change before it is acknowledged, and where nobody knows whether it was
//!   committed.
//!
//! # Order to read it in
//! `open`, `migrate`, `store`, `transaction`, `pool`, `session`, `writer`, `feed`, `logs`, `turn`, then any port.
#![warn(missing_docs)]

#[cfg(test)]
extern crate self as postgres_store;

mod agents;
mod attempts;
mod audit_log;
mod checkpoint_keys;
mod client_keys;
mod credentials_port;
mod deadline;
mod erase;
mod error;
mod events;
mod feed;
mod held;
mod isolation;
mod lanes;
mod leaves;
mod log_changes;
mod log_reader;
mod login;
mod logs;
mod migrate;
mod open;
mod options;
mod organizations;
#[cfg(test)]
mod plans;
mod pool;
mod revocations;
mod roles;
mod row;
mod session;
mod signing_keys;
mod single_uses;
mod statement;
mod store;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
mod transaction;
mod turn;
mod writer;

pub use feed::PostgresFeed;
pub use isolation::{Finding, Isolation};
pub use login::{InvalidLogin, Login, LoginError};
pub use migrate::{MigrateError, migrate};
pub use open::{Background, OpenError};
pub use options::Options;
pub use session::{PostgresTx, PostgresView, Reading, Session, Writing};
pub use store::PostgresStore;
pub use turn::PostgresTurn;
