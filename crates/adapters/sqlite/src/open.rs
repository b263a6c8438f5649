//! Opening the file: its mode, its settings, its schema.

use std::{fs::OpenOptions, io, path::Path, sync::Arc, time::Duration};

use kernel::{Clock, Entropy};
use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use thiserror::Error;
use tokio::{sync::mpsc, time::timeout};

use crate::{session, store::SqliteStore, writer::Writer};

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/sqlite");

const FOREIGN_KEYS: &str = "PRAGMA foreign_keys";
const ROLLBACK: &str = "ROLLBACK";

/// The numbers of a store. The defaults suit a server.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many connections read.
    pub readers: u32,
    /// How many jobs may wait for the writer. The next one is refused at once.
    pub queue: usize,
    /// How many jobs are committed together at most.
    pub group: usize,
    /// How long somebody waits for a connection or for the beginning of a transaction.
    pub acquire_timeout: Duration,
    /// How long a transaction may last before the writer ends it.
    pub patience: Duration,
    /// How long a statement waits for another process that holds the file.
    pub busy_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            // The sequencer reads four logs again at a time, each through one: two are always left for
            // requests.
            readers: 6,
            queue: 1_024,
            group: 256,
            acquire_timeout: Duration::from_secs(2),
            patience: Duration::from_secs(5),
            busy_timeout: Duration::from_secs(2),
        }
    }
}

/// Why a store was not opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file cannot be made.
    #[error("the database file cannot be created")]
    File(#[source] io::Error),
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Database(#[source] sqlx::Error),
    /// A newer release has been here. Its schema may hold what this one would damage.
    #[error("the database was migrated to version {found}, and this build knows only {known}")]
    Newer {
        /// The database's version.
        found: i64,
        /// The newest that this build knows.
        known: i64,
    },
    /// A migration failed, or is not the one that was run here before.
    #[error("the database cannot be migrated")]
    Migration(#[source] MigrateError),
}

impl SqliteStore {
    /// Opens the file, makes it if there is none, and brings its schema up to date.
    ///
    /// Nothing can be written until somebody runs the [`Writer`].
    ///
    /// # Errors
    /// [`OpenError`]
    pub async fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        options: Options,
    ) -> Result<(Self, Writer), OpenError> {
        let connection = migrated(path, &options).await?;
        let settings = settings(path, &options);
        let readers = readers(&settings, &options);
        // One connection at once: a setting that does not hold is better known now.
        drop(readers.acquire().await.map_err(OpenError::Database)?);
        let (jobs, queue) = mpsc::channel(options.queue);
        let writer = Writer::new(queue, connection, (settings, readers.clone()), &options);
        Ok((Self::new(readers, jobs, (clock, entropy), &options), writer))
    }
}

/// The connection that writes, to a file that is there and up to date.
pub(crate) async fn migrated(
    path: &Path,
    options: &Options,
) -> Result<SqliteConnection, OpenError> {
    create(path).map_err(OpenError::File)?;
    let mut connection = writing(&settings(path, options)).await.map_err(OpenError::Database)?;
    migrate(&mut connection).await?;
    Ok(connection)
}

/// Makes the file readable by its owner alone before SQLite makes it for everybody. The files that
/// SQLite puts beside it take over its mode.
fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn settings(path: &Path, options: &Options) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(options.busy_timeout)
        .pragma("trusted_schema", "OFF")
        // What is erased is overwritten, and not only forgotten.
        .pragma("secure_delete", "ON")
        // What a statement may have to take back is kept in memory: SQLite would write the pages of a
        // group to a file elsewhere, made and removed each time, which cost more than the group itself.
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// The connection that writes.
pub(crate) async fn writing(
    settings: &SqliteConnectOptions,
) -> Result<SqliteConnection, sqlx::Error> {
    let settings = settings.clone().journal_mode(SqliteJournalMode::Wal);
    let mut connection = settings.connect().await?;
    foreign_keys_hold(&mut connection).await?;
    Ok(connection)
}

fn readers(settings: &SqliteConnectOptions, options: &Options) -> SqlitePool {
    // Sooner than whoever waits for the place gives up.
    let patience = options.acquire_timeout / 2;
    SqlitePoolOptions::new()
        .max_connections(options.readers)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(foreign_keys_hold(connection)))
        .after_release(move |connection, _| Box::pin(rolled_back(connection, patience)))
        .connect_lazy_with(settings.clone().pragma("query_only", "ON"))
}

/// SQLite takes the setting without a word where it was built without foreign keys.
async fn foreign_keys_hold(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let on: i64 = sqlx::query_scalar(FOREIGN_KEYS).fetch_one(connection).await?;
    if on == 1 { Ok(()) } else { Err(sqlx::Error::Protocol("foreign keys are off".to_owned())) }
}

/// Ends whatever a session left open. A connection takes its statements in order, so that this one
/// comes after a `BEGIN` that was under way when its session was dropped.
///
/// A connection that does not answer is given up: one whose thread is just ending may take a statement
/// that nobody will ever look at, and would keep its place in the pool for good.
async fn rolled_back(
    connection: &mut SqliteConnection,
    patience: Duration,
) -> Result<bool, sqlx::Error> {
    match timeout(patience, session::run(connection, sqlx::query(ROLLBACK))).await {
        // There was nothing to roll back.
        Ok(Ok(_) | Err(sqlx::Error::Database(_))) => Ok(true),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(sqlx::Error::WorkerCrashed),
    }
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    // Not `run`: its future cannot be sent to another thread, by an odd bound of its own.
    match MIGRATIONS.run_direct(None, connection, false).await {
        Ok(()) => connection.clear_cached_statements().await.map_err(OpenError::Database),
        Err(MigrateError::VersionMissing(found)) if found > known => {
            Err(OpenError::Newer { found, known })
        }
        Err(error) => Err(OpenError::Migration(error)),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::*;

    async fn setting(connection: &mut SqliteConnection, pragma: &'static str) -> String {
        let value = sqlx::query_scalar::<_, String>(pragma);
        match value.fetch_one(&mut *connection).await {
            Ok(text) => text,
            Err(_) => {
                let number: i64 = sqlx::query_scalar(pragma).fetch_one(connection).await.unwrap();
                number.to_string()
            }
        }
    }

    #[tokio::test]
    async fn both_kinds_of_connection_are_as_safe_as_they_must_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("idp.db");
        let options = Options::default();
        let mut writer = migrated(&path, &options).await.unwrap();
        let settings = settings(&path, &options);
        let mut reader = readers(&settings, &options).acquire().await.unwrap();
        for connection in [&mut writer, &mut *reader] {
            for (pragma, value) in [
                ("PRAGMA journal_mode", "wal"),
                ("PRAGMA synchronous", "2"),
                ("PRAGMA foreign_keys", "1"),
                ("PRAGMA trusted_schema", "0"),
                ("PRAGMA secure_delete", "1"),
                ("PRAGMA temp_store", "2"),
                ("PRAGMA busy_timeout", "2000"),
            ] {
                assert_eq!(setting(connection, pragma).await, value, "{pragma}");
            }
        }
        let delete = "DELETE FROM last_use";
        let refused = reader.execute(delete).await.unwrap_err().to_string();
        assert!(refused.contains("readonly"), "{refused}");
        writer.execute(delete).await.unwrap();
    }

    #[tokio::test]
    async fn a_connection_without_foreign_keys_is_refused() {
        let settings = SqliteConnectOptions::new().in_memory(true).foreign_keys(false);
        let mut connection = settings.connect().await.unwrap();
        assert!(foreign_keys_hold(&mut connection).await.is_err());
    }
}
