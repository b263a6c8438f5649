//! A session: what the ports are implemented on, once for reading and writing alike.

use std::{fmt, future::Future, sync::Arc};

use audit::{ChangeListener, Changed, Draft, Journal, Stamp};
use futures_util::TryStreamExt;
use kernel::{Clock, Entropy, EventId, OrganizationId, StoreError};
use sqlx::{
    Either, Executor, Sqlite, SqliteConnection, pool::PoolConnection, query::Query,
    sqlite::SqliteArguments,
};
use tenancy::Scope;
use tokio::sync::{mpsc, oneshot};

use crate::{error::store_error, events, row::Row, writer::Command};

/// A statement with its values, free of any connection, so that it can be sent to one.
pub(crate) type Statement = Query<'static, Sqlite, SqliteArguments>;

/// What a statement led to.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) rows: Vec<Row>,
    pub(crate) changed: u64,
}

/// Runs a statement to its end. What it reads is bounded by the statement.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    statement: Statement,
) -> Result<Done, sqlx::Error> {
    let mut done = Done::default();
    let mut steps = connection.fetch_many(statement);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(result) => done.changed += result.rows_affected(),
            Either::Right(row) => done.rows.push(Row(row)),
        }
    }
    Ok(done)
}

/// How a session reaches the database.
pub(crate) trait Mode: Send {
    /// Whose rows it sees.
    fn owner(&self) -> OrganizationId;

    /// Runs a statement.
    fn run(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Done, StoreError>> + Send;

    /// The rows that a statement reads.
    fn rows(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send {
        async { self.run(statement).await.map(|done| done.rows) }
    }
}

/// A session on the rows of one organization.
pub struct Session<M> {
    mode: M,
}

/// A transaction that reads and writes.
pub type SqliteTx = Session<Writing>;

/// A consistent view, to read from.
pub type SqliteView = Session<Reading>;

impl<M> fmt::Debug for Session<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl<M> Session<M> {
    pub(crate) const fn new(mode: M) -> Self {
        Self { mode }
    }
}

impl<M: Mode> Mode for Session<M> {
    fn owner(&self) -> OrganizationId {
        self.mode.owner()
    }

    fn run(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Done, StoreError>> + Send {
        self.mode.run(statement)
    }
}

/// Reading from a connection of the pool, inside a read transaction. The pool rolls back whatever
/// comes back to it, so that nothing is left open wherever a future is dropped.
pub struct Reading {
    organization: OrganizationId,
    connection: PoolConnection<Sqlite>,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("organization", &self.organization).finish_non_exhaustive()
    }
}

impl Reading {
    pub(crate) const fn new(
        organization: OrganizationId,
        connection: PoolConnection<Sqlite>,
    ) -> Self {
        Self { organization, connection }
    }
}

impl Mode for Reading {
    fn owner(&self) -> OrganizationId {
        self.organization
    }

    async fn run(&mut self, statement: Statement) -> Result<Done, StoreError> {
        run(&mut self.connection, statement).await.map_err(store_error)
    }
}

/// Writing through the writer, on behalf of a scope.
pub struct Writing {
    scope: Scope,
    commands: mpsc::Sender<Command>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    listener: Option<Arc<dyn ChangeListener>>,
    changes: Vec<Changed>,
    /// Whether a statement failed, or was given up midway. Such a transaction is never committed:
    /// nobody knows what is in it.
    failed: bool,
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Writing {
    pub(crate) fn new(
        scope: Scope,
        commands: mpsc::Sender<Command>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        listener: Option<Arc<dyn ChangeListener>>,
    ) -> Self {
        Self { scope, commands, clock, entropy, listener, changes: Vec::new(), failed: false }
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())
    }
}

/// What a transaction changed, told of when it is dropped. It goes to the writer with the commit:
/// the writer drops it when the commit has ended, however it did, and before it answers.
pub(crate) struct Told {
    listener: Option<Arc<dyn ChangeListener>>,
    changes: Vec<Changed>,
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.changed(&self.changes);
        }
    }
}

/// The writer has closed its end: a statement failed, or its patience was over.
fn ended() -> StoreError {
    StoreError::unavailable("the transaction was ended")
}

impl Mode for Writing {
    fn owner(&self) -> OrganizationId {
        self.scope.organization()
    }

    async fn run(&mut self, statement: Statement) -> Result<Done, StoreError> {
        if self.failed {
            return Err(ended());
        }
        // Until the answer is here the transaction counts as failed: a caller that drops this
        // future could otherwise commit without knowing whether the statement ran.
        self.failed = true;
        let done = self.ask(|reply| Command::Run { statement, reply }).await?;
        let done = done.map_err(store_error)?;
        self.failed = false;
        Ok(done)
    }
}

impl SqliteTx {
    /// Refuses a record of another organization than the scope's.
    pub(crate) fn owns(&mut self, organization: OrganizationId) -> Result<(), StoreError> {
        if organization == self.owner() {
            return Ok(());
        }
        self.mode.failed = true;
        Err(StoreError::Conflict)
    }

    /// Runs a statement that must change exactly one row. None means that somebody was faster.
    pub(crate) async fn change_one(&mut self, statement: Statement) -> Result<(), StoreError> {
        if self.mode.run(statement).await?.changed == 1 {
            return Ok(());
        }
        self.mode.failed = true;
        Err(StoreError::Conflict)
    }

    /// Runs a statement that may change any number of rows.
    pub(crate) async fn change(&mut self, statement: Statement) -> Result<(), StoreError> {
        self.mode.run(statement).await.map(|_| ())
    }
}

impl Journal for SqliteTx {
    async fn append(&mut self, draft: Draft<'_>) -> Result<EventId, StoreError> {
        let stamp = Stamp::new(self.mode.clock.now(), &*self.mode.entropy)?;
        let record = draft.stamp(&self.mode.scope, stamp);
        self.change_one(events::insert([&record])).await?;
        let organization = record.organization;
        let changed = record.resource.map(|resource| Changed { organization, resource });
        self.mode.changes.extend(changed);
        Ok(stamp.id())
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        if self.mode.failed {
            return Err(ended());
        }
        let changes = std::mem::take(&mut self.mode.changes);
        let told = Told { listener: self.mode.listener.take(), changes };
        self.mode.ask(|reply| Command::Commit { reply, told }).await?
    }
}
