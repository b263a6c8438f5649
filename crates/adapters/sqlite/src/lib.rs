//! The store ports on one SQLite file: one writer that commits waiting work in groups, many readers.
//!
//! # What it is for
//! The embedded default: everything in one file, with nothing to install. Each port stands in the
//! file of its name, its statements as constants at the top. None is checked at compile time; the
//! contract suite runs every one of them against the real database.
//!
//! # How it writes
//! [`Writer`] owns the only connection that writes. Notes that wait are written by one script and
//! made durable by one commit; the next group is what came in the meantime. A transaction does not
//! hold the connection: it sends its statements to the writer, one after the other. So a future that
//! is dropped cannot leave a connection in the middle of anything, and a holder that is stuck is cut
//! off after [`Options::patience`] by closing its end, which rolls back its work and no other's.
//!
//! # Invariants
//! - A transaction comes first in its group: whatever it reads is durable already. An answer made of
//!   what it read can never tell of something that a power cut then takes back.
//! - Nobody is told of a success before the commit has reached the disk (`synchronous=FULL`).
//! - Whoever holds a transaction must not wait for a note meanwhile: the note waits for the
//!   transaction.
//! - Every statement binds the organization, except those of the installation's keys, of the
//!   [`Directory`](audit::Directory), and those that name the logs there are.
//! - A turn in a log has no scope, so that no event can be written in it.
//! - What is erased is overwritten in the file.
//! - No connection that reads goes back to its pool inside a transaction: each is rolled back on its
//!   way in, whatever was dropped when.
//!
//! # Order to read it in
//! `open`, `store`, `session`, `held`, `writer`, then any port; of the log `packed`, `log_reader`, `turn`,
//! `logs`.
#![warn(missing_docs)]

mod agents;
mod audit_log;
mod checkpoint_keys;
mod client_keys;
mod credentials_port;
mod erase;
mod error;
mod events;
mod held;
mod leaves;
mod log_changes;
mod log_reader;
mod logs;
mod open;
mod organizations;
mod packed;
#[cfg(test)]
mod plans;
mod revocations;
mod row;
mod session;
mod signing_keys;
mod single_uses;
mod statement;
mod store;
mod turn;
mod writer;

pub use open::{OpenError, Options};
pub use session::{Reading, Session, SqliteTx, SqliteView, Writing};
pub use store::SqliteStore;
pub use turn::SqliteTurn;
pub use writer::Writer;
