//! A database file in the hands of its owner.

use std::{
    fs,
    path::{Path, PathBuf},
};

use audit::Transactor;
use contracts::{
    sample::Machine,
    tampering::{Dialect, Installation, Owned, Stage},
};
use kernel::OrganizationId;
use sqlite_store::{Options, SqliteStore, SqliteView};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tempfile::TempDir;

use crate::post::post;

/// Tables without a constraint, with what is read by them found as fast as before.
const UNLOCK: [&str; 4] = ["audit_event", "audit_leaf", "audit_stored_hash", "audit_log"];
const INDEX: &str = "
    CREATE INDEX unlocked_event ON audit_event (id);
    CREATE INDEX unlocked_leaf ON audit_leaf (organization_id, position);";

/// Three logs in a file, an older copy of it, and what is known of both.
pub(crate) struct Template {
    pub(crate) installation: Installation,
    folder: TempDir,
}

/// Copies of it, one after the other.
pub(crate) struct Copies<'a> {
    template: &'a Template,
    folder: TempDir,
    made: u32,
    store: Option<SqliteStore>,
}

/// A connection that nothing holds back.
pub(crate) async fn owner(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(false)
        .pragma("ignore_check_constraints", "ON")
        .synchronous(SqliteSynchronous::Off);
    options.connect().await.unwrap()
}

/// Drops every trigger.
pub(crate) async fn without_triggers(owner: &mut SqliteConnection) {
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> = sqlx::query_scalar(triggers).fetch_all(&mut *owner).await.unwrap();
    for trigger in triggers {
        execute(owner, format!("DROP TRIGGER {trigger}")).await;
    }
}

pub(crate) async fn execute(owner: &mut SqliteConnection, sql: String) {
    owner.execute(AssertSqlSafe(sql)).await.unwrap();
}

async fn unlock(path: &Path) {
    let mut owner = owner(path).await;
    without_triggers(&mut owner).await;
    for table in UNLOCK {
        let sql = format!(
            "CREATE TABLE unlocked AS SELECT * FROM {table}; DROP TABLE {table}; \
             ALTER TABLE unlocked RENAME TO {table};"
        );
        execute(&mut owner, sql).await;
    }
    execute(&mut owner, INDEX.to_owned()).await;
    owner.close().await.unwrap();
}

/// Copies a database that others have open.
pub(crate) async fn copy(from: &Path, to: &Path) {
    let mut owner = SqliteConnectOptions::new().filename(from).connect().await.unwrap();
    execute(&mut owner, format!("VACUUM INTO '{}'", to.display())).await;
    owner.close().await.unwrap();
}

impl Template {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (path, machine) = (folder.path().join("idp.db"), Machine::default());
        let parts = (machine.clock.clone(), machine.entropy.clone());
        let opened = SqliteStore::open(&path, parts.0, parts.1, Options::default()).await;
        let (store, writer) = opened.unwrap();
        let writing = spawned(writer);
        let post = post(folder.path(), &machine).await;
        let older = folder.path().join("older.db");
        let copied = async || copy(&path, &older).await;
        let installation = Installation::fill(&store, &machine, &post, copied).await;
        copy(&path, &folder.path().join("newest.db")).await;
        drop(store);
        writing.await.unwrap();
        for stage in [Stage::Older, Stage::Newest] {
            unlock(&of(folder.path(), stage)).await;
        }
        Self { installation, folder }
    }

    pub(crate) fn copies(&self) -> Copies<'_> {
        Copies { template: self, folder: tempfile::tempdir().unwrap(), made: 0, store: None }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
pub(crate) fn spawned(writer: sqlite_store::Writer) -> tokio::task::JoinHandle<()> {
    tokio::spawn(writer.run())
}

fn of(folder: &Path, stage: Stage) -> PathBuf {
    folder.join(match stage {
        Stage::Newest => "newest.db",
        Stage::Older => "older.db",
    })
}

impl Owned for Copies<'_> {
    const DIALECT: Dialect = Dialect::Sqlite;

    type View = SqliteView;

    async fn tampered(
        &mut self,
        stage: Stage,
        statements: &[String],
        organization: OrganizationId,
    ) -> SqliteView {
        self.store = None;
        self.made += 1;
        let path = self.folder.path().join(format!("{}.db", self.made));
        fs::copy(of(self.template.folder.path(), stage), &path).unwrap();
        let mut owner = owner(&path).await;
        execute(&mut owner, format!("BEGIN; {}; COMMIT", statements.join("; "))).await;
        owner.close().await.unwrap();
        let machine = Machine::default();
        let options = Options { readers: 1, ..Options::default() };
        let opened = SqliteStore::open(&path, machine.clock, machine.entropy, options).await;
        let (store, _) = opened.unwrap();
        let view = store.view(organization).await.unwrap();
        self.store = Some(store);
        view
    }
}
