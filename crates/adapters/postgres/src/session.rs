//! A session: what the ports are implemented on, once for reading and writing alike.

use std::{fmt, future::Future, sync::Arc};

use audit::{ChangeListener, Changed, Draft, Journal, Stamp};
use futures_util::TryStreamExt;
use kernel::{Clock, Entropy, EventId, OrganizationId, StoreError};
use sqlx::{Either, Executor, PgConnection, Postgres, postgres::PgArguments, query::Query};
use tenancy::Scope;

use crate::{events, lanes::Lane, row::Row, transaction::Transaction};

/// A statement with its values, free of any connection.
pub(crate) type Statement = Query<'static, Postgres, PgArguments>;

/// What a statement led to.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) rows: Vec<Row>,
    pub(crate) changed: u64,
}

/// Runs a statement to its end. What it reads is bounded by the statement.
pub(crate) async fn run(
    connection: &mut PgConnection,
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

/// How a session writes.
pub(crate) trait Writes: Mode {
    /// Whatever comes, the transaction is not to be committed.
    fn forbid(&mut self);

    /// What a change was computed from is not so.
    fn conflict(&mut self) -> StoreError {
        self.forbid();
        StoreError::Conflict
    }

    /// Refuses a record of another organization than the session's.
    fn owns(&mut self, organization: OrganizationId) -> Result<(), StoreError> {
        if organization == self.owner() { Ok(()) } else { Err(self.conflict()) }
    }

    /// Runs a statement that may change any number of rows.
    fn change(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { self.run(statement).await.map(|_| ()) }
    }

    /// Runs a statement that must change exactly one row. None means that somebody was faster.
    fn change_one(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.change_all(statement, 1)
    }

    /// Runs a statement that must change exactly so many rows.
    fn change_all(
        &mut self,
        statement: Statement,
        rows: usize,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async move {
            let changed = self.run(statement).await?.changed;
            if usize::try_from(changed) == Ok(rows) { Ok(()) } else { Err(self.conflict()) }
        }
    }
}

/// A session on the rows of one organization.
pub struct Session<M> {
    mode: M,
}

/// A transaction that reads and writes.
pub type PostgresTx = Session<Writing>;

/// A consistent view, to read from.
pub type PostgresView = Session<Reading>;

impl<M> fmt::Debug for Session<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl<M> Session<M> {
    pub(crate) const fn new(mode: M) -> Self {
        Self { mode }
    }

    pub(crate) fn into_mode(self) -> M {
        self.mode
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

/// Reading, from one snapshot.
pub struct Reading {
    organization: OrganizationId,
    transaction: Transaction,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("organization", &self.organization).finish_non_exhaustive()
    }
}

impl Reading {
    pub(crate) const fn new(organization: OrganizationId, transaction: Transaction) -> Self {
        Self { organization, transaction }
    }
}

impl Mode for Reading {
    fn owner(&self) -> OrganizationId {
        self.organization
    }

    fn run(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Done, StoreError>> + Send {
        self.transaction.run(statement)
    }
}

/// Writing, on behalf of a scope.
pub struct Writing {
    scope: Scope,
    transaction: Transaction,
    changes: Changes,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Given back last. Where the transaction was dropped its roll-back may still be under way then, on
    /// a connection of its own: the database's lock is what keeps changes apart, this one is manners.
    _lane: Lane,
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Writing {
    pub(crate) fn new(
        scope: Scope,
        (transaction, lane): (Transaction, Lane),
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        listener: Option<Arc<dyn ChangeListener>>,
    ) -> Self {
        let changes = Changes { listener, made: Vec::new(), committing: false };
        Self { scope, transaction, changes, clock, entropy, _lane: lane }
    }
}

/// What a transaction changes, to be told of once it may be committed.
struct Changes {
    listener: Option<Arc<dyn ChangeListener>>,
    made: Vec<Changed>,
    committing: bool,
}

impl Drop for Changes {
    /// However the commit ended, and also where nobody waited for its end.
    fn drop(&mut self) {
        if let Some(listener) = self.listener.as_ref().filter(|_| self.committing) {
            listener.changed(&self.made);
        }
    }
}

impl Mode for Writing {
    fn owner(&self) -> OrganizationId {
        self.scope.organization()
    }

    fn run(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Done, StoreError>> + Send {
        self.transaction.run(statement)
    }
}

impl Writes for Writing {
    fn forbid(&mut self) {
        self.transaction.forbid();
    }
}

impl<M: Writes> Writes for Session<M> {
    fn forbid(&mut self) {
        self.mode.forbid();
    }
}

impl Journal for PostgresTx {
    async fn append(&mut self, draft: Draft<'_>) -> Result<EventId, StoreError> {
        let stamp = Stamp::new(self.mode.clock.now(), &*self.mode.entropy)?;
        let record = draft.stamp(&self.mode.scope, stamp);
        self.change(events::append([&record])).await?;
        let organization = record.organization;
        let changed = record.resource.map(|resource| Changed { organization, resource });
        self.mode.changes.made.extend(changed);
        Ok(stamp.id())
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        self.mode.transaction.may_commit()?;
        self.mode.changes.committing = true;
        self.mode.transaction.commit().await
    }
}
