//! `idp migrate`: roles and schema, brought up to date by an administrator.

use std::time::Duration;

use sqlx::{
    Executor, PgConnection,
    error::DatabaseError,
    migrate::{MigrateError as SqlxError, Migrator},
};
use thiserror::Error;
use tokio::time::interval;

use crate::{
    login::{Login, LoginError},
    roles,
};

pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/postgres");

/// The server reads which migrations were run; only the owner writes it.
const READ_BY_SERVER: &str = "GRANT SELECT ON _sqlx_migrations TO idp_app";

/// One at a time, roles included: what two grant to the same thing at once, one of them fails to. The
/// one that waits does so for as long as a migration may reasonably take.
const ONE_AT_A_TIME: &str = "SET lock_timeout = '10min'; SET statement_timeout = 0;
    SELECT pg_advisory_lock(hashtext('idp migrate'))";

/// Whoever waits for a lock on a table keeps everybody waiting who comes after: a migration gives up
/// before a running server would, and tries again.
const LIMITS: &str = "SET lock_timeout = '500ms'; SET search_path = public";
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Why the schema was not brought up to date.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// Nobody can log in.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// Roles or grants cannot be made.
    #[error(
        "the roles cannot be made; run `idp migrate` as a superuser, or as a role that owns the \
         database and may create roles"
    )]
    Roles(#[source] sqlx::Error),
    /// A role may do more than it must.
    #[error(
        "the roles {} may pass row-level security or make roles; take that from them by ALTER ROLE",
        .0.join(", ")
    )]
    Dangerous(Vec<String>),
    /// A newer release has been here.
    #[error("the database was migrated to version {found}, and this build knows only {known}")]
    Newer {
        /// The database's version.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// A migration failed, or is not the one that was run here before.
    #[error("the database cannot be migrated")]
    Migration(#[source] SqlxError),
}

/// Makes the roles and brings the schema up to date. Doing it again does nothing; two that do it at
/// once do it one after the other. One that is cut off leaves the database between two migrations,
/// never within one.
///
/// # Errors
/// [`MigrateError`]
pub async fn migrate(login: &Login) -> Result<(), MigrateError> {
    let mut connection = login.connect().await?;
    let failed = |error: sqlx::Error| MigrateError::Migration(error.into());
    connection.execute(ONE_AT_A_TIME).await.map_err(failed)?;
    let dangerous = roles::prepare(&mut connection).await.map_err(MigrateError::Roles)?;
    if !dangerous.is_empty() {
        return Err(MigrateError::Dangerous(dangerous));
    }
    run(&mut connection).await
}

async fn run(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let failed = |error: sqlx::Error| MigrateError::Migration(error.into());
    connection.execute(LIMITS).await.map_err(failed)?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    match patiently(connection).await {
        Ok(()) => connection.execute(READ_BY_SERVER).await.map(|_| ()).map_err(failed),
        Err(SqlxError::VersionMissing(found)) if found > known => {
            Err(MigrateError::Newer { found, known })
        }
        Err(error) => Err(MigrateError::Migration(error)),
    }
}

/// Runs what is pending; where a table is locked for the moment, again.
async fn patiently(connection: &mut PgConnection) -> Result<(), SqlxError> {
    let mut pauses = interval(BETWEEN_TRIES);
    for _ in 1..TRIES {
        pauses.tick().await;
        // Not `run`: its future cannot be sent to another thread, by an odd bound of its own.
        match MIGRATIONS.run_direct(None, connection, false).await {
            Err(error) if is_locked_out(&error) => {
                tracing::info!("a table is in use; trying again")
            }
            done => return done,
        }
    }
    MIGRATIONS.run_direct(None, connection, false).await
}

fn is_locked_out(error: &SqlxError) -> bool {
    let (SqlxError::Execute(error) | SqlxError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| code == LOCK_NOT_AVAILABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::Database;

    const EVENTS: &str = "
        INSERT INTO audit_event (id, organization_id, action, outcome, request_id, metadata, occurred_at)
        SELECT gen_random_uuid(), md5((n % 3 / 2)::text)::uuid, 'token.issued', 'success', 'r', '{}', n
        FROM generate_series(1, 1500) AS n";

    /// How many events wait, in how many groups, of which size at most; how many salts there are; and
    /// how many events do not wait in the order in which they were written.
    const WAITING: &str = "
        SELECT sum(cardinality(events))::bigint, count(*), max(cardinality(events))::bigint,
            (SELECT count(DISTINCT salt) FROM audit_event),
            (
                SELECT count(*) FROM (
                    SELECT position < lag(position) OVER (
                        PARTITION BY event.organization_id ORDER BY number, place
                    ) AS behind
                    FROM audit_pending
                    CROSS JOIN unnest(events) WITH ORDINALITY AS one (id, place)
                    JOIN audit_event AS event USING (id)
                ) AS pairs WHERE behind
            )
        FROM audit_pending";

    #[tokio::test]
    async fn mu_01_events_of_the_release_before_get_salts_and_wait_for_their_places() {
        let database = Database::empty().await;
        let mut migrator = database.connection().await;
        roles::prepare(&mut migrator).await.unwrap();
        let first = MIGRATIONS.iter().take(1).cloned().collect::<Vec<_>>();
        let first = Migrator { migrations: first.into(), ..Migrator::DEFAULT };
        first.run_direct(None, &mut migrator, false).await.unwrap();
        database.connection().await.execute(EVENTS).await.unwrap();
        migrate(&database.login()).await.unwrap();
        let found: (i64, i64, i64, i64, i64) =
            sqlx::query_as(WAITING).fetch_one(&mut database.connection().await).await.unwrap();
        assert_eq!(found, (1_500, 3, 500, 1_500, 0));
    }
}
