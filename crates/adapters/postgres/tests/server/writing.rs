//! The writer of notes and its groups, and the lanes in which changes wait.

mod groups;
mod lanes;
mod listening;

use std::{future::Future, pin::Pin};

use audit::{Action, Event};
use kernel::StoreError;
use sqlx::{Connection, Executor, PgConnection};
use tokio::select;

use crate::{running::until, support::Database};

const EVENTS: &str = "SELECT count(*) FROM audit_event WHERE action = 'access.denied'";
/// All rows of one group are written by one transaction.
const GROUPS: &str =
    "SELECT count(DISTINCT xmin::text) FROM audit_event WHERE action = 'access.denied'";
const LOCK: &str = "BEGIN; LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE";
const WAITING: &str = "
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
const KILL_ALL: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'";

fn denied() -> Event {
    Event::failure(Action::AccessDenied)
}

type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + 'a>>;

/// Polls a future once.
async fn polled<F: Future + Unpin>(future: &mut F) {
    select! {
        biased;
        _ = future => panic!("it is ready already"),
        () = std::future::ready(()) => {}
    }
}

/// Holds what everybody who writes an event waits for, until it is closed.
async fn locked(database: &Database) -> PgConnection {
    let mut connection = database.connection().await;
    connection.execute(LOCK).await.unwrap();
    connection
}

async fn unlock(connection: PgConnection) {
    connection.close().await.unwrap();
}

/// So many sessions wait for a lock.
async fn waiting(database: &Database, many: i64) {
    let mut administrator = database.connection().await;
    until("sessions wait", async || {
        let waiting: i64 = sqlx::query_scalar(WAITING).fetch_one(&mut administrator).await.unwrap();
        waiting >= many
    })
    .await;
}
