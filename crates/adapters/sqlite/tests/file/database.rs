//! A database file, its store, and a second connection that goes past both.

use std::path::PathBuf;

use audit::{Apply, Audited, Event, Journal, Transactor, note, record};
use contracts::sample::{self, Machine};
use kernel::{EventId, StoreError};
use registry::Agent;
use sqlite_store::{OpenError, Options, SqliteStore, SqliteTx, SqliteView, Writer};
use sqlx::{ConnectOptions, Executor, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tenancy::{Kind, Plan, Scope};
use tokio::task::JoinHandle;

/// A folder with a database in it.
pub(crate) struct Database {
    folder: TempDir,
    pub(crate) machine: Machine,
}

/// A store on it, whose writer runs.
pub(crate) struct Running {
    pub(crate) store: SqliteStore,
    pub(crate) machine: Machine,
    writer: JoinHandle<()>,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), machine: Machine::default() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("idp.db")
    }

    pub(crate) async fn try_open(
        &self,
        options: Options,
    ) -> Result<(SqliteStore, Writer), OpenError> {
        let (clock, entropy) = (self.machine.clock.clone(), self.machine.entropy.clone());
        SqliteStore::open(&self.path(), clock, entropy, options).await
    }

    pub(crate) async fn open(&self) -> Running {
        self.open_with(Options::default()).await
    }

    pub(crate) async fn open_with(&self, options: Options) -> Running {
        let (store, writer) = self.try_open(options).await.unwrap();
        Running { store, machine: self.machine.clone(), writer: spawned(writer) }
    }

    /// A connection of somebody else: no setting of the store's holds on it but foreign keys.
    pub(crate) async fn stranger(&self) -> SqliteConnection {
        SqliteConnectOptions::new().filename(self.path()).connect().await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &'static str) {
        self.stranger().await.execute(sql).await.unwrap();
    }

    /// The number that a statement selects.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.stranger().await).await.unwrap()
    }
}

#[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
pub(crate) fn spawned(writer: Writer) -> JoinHandle<()> {
    tokio::spawn(writer.run())
}

impl Running {
    /// Closes the store and waits until everything is written.
    pub(crate) async fn close(self) {
        drop(self.store);
        self.writer.await.unwrap();
    }

    pub(crate) async fn organization(&self) -> Scope {
        let change = sample::founded(&self.machine, "first", Kind::Platform, Plan::Pro);
        let scope = sample::scope(change.after().id(), self.machine.agent_id());
        self.change(&scope, change).await.unwrap();
        scope
    }

    pub(crate) async fn view(&self, scope: &Scope) -> SqliteView {
        self.store.view(scope.organization()).await.unwrap()
    }

    pub(crate) async fn change<C: Audited>(
        &self,
        scope: &Scope,
        change: C,
    ) -> Result<C::After, StoreError>
    where
        SqliteTx: Apply<C>,
    {
        let tx = self.store.begin(scope.clone()).await?;
        let (tx, after) = record(tx, change).await?;
        tx.commit().await?;
        Ok(after)
    }

    pub(crate) async fn agent(&self, scope: &Scope, name: &str) -> Result<Agent, StoreError> {
        self.change(scope, sample::agent_named(&self.machine, scope.organization(), name)).await
    }

    pub(crate) async fn note(&self, scope: &Scope, event: &Event) -> Result<EventId, StoreError> {
        note(&self.store, scope, event).await
    }
}
