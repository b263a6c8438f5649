//! The numbers of a store, and what each of its connections is told at its beginning.

use std::time::Duration;

use sqlx::{ConnectOptions, postgres::PgConnectOptions};

/// The role that the server acts as.
pub(crate) const ROLE: &str = "idp_app";

/// The numbers of a store. The defaults suit a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many connections serve requests. Two more belong to the writer of events and the feed.
    pub connections: usize,
    /// How many events may wait for the writer. The next one is refused at once.
    pub queue: usize,
    /// How many events are written together at most.
    pub group: usize,
    /// How long somebody waits for a view, a transaction or an event, all in all.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { connections: 16, queue: 4_096, group: 512, patience: Duration::from_secs(2) }
    }
}

/// The settings of the server's own connections: its role, and limits that end a statement or a
/// forgotten transaction in order, before the client would have to hang up.
pub(crate) fn of_server(login: &PgConnectOptions, options: &Options) -> PgConnectOptions {
    let patience = options.patience.as_millis();
    login.clone().application_name("idp").disable_statement_logging().options([
        ("role", ROLE.to_owned()),
        ("search_path", "public".to_owned()),
        ("synchronous_commit", "on".to_owned()),
        ("statement_timeout", (patience * 3 / 4).to_string()),
        ("lock_timeout", (patience / 2).to_string()),
        ("idle_in_transaction_session_timeout", (patience * 2).to_string()),
        ("jit", "off".to_owned()),
    ])
}
