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

use crate::{
    error::store_error,
    events,
    held::{Held, Writes},
    row::Row,
};

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
    run_parts(connection, statement, 1).await
}

/// Runs a statement of so many parts to its end.
pub(crate) async fn run_parts(
    connection: &mut SqliteConnection,
    statement: Statement,
    parts: usize,
) -> Result<Done, sqlx::Error> {
    let (mut done, mut parts_done) = (Done::default(), 0_usize);
    let mut steps = connection.fetch_many(statement);
    while let Some(step) = steps.try_next().await? {
        match step {
            Either::Left(result) => {
                done.changed += result.rows_affected();
                parts_done = parts_done.saturating_add(1);
            }
            Either::Right(row) => done.rows.push(Row(row)),
        }
    }
    ended(parts_done, parts).map(|()| done)
}

/// Holds a statement that ended without an error to having done all of its parts, each of which says
/// so at its end. The steps come from the connection's own thread: where that is lost midway they
/// merely end, and what was not written would pass for written, what was not read for not there.
pub(crate) const fn ended(parts_done: usize, parts: usize) -> Result<(), sqlx::Error> {
    if parts_done < parts { Err(sqlx::Error::WorkerCrashed) } else { Ok(()) }
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
    held: Held,
    scope: Scope,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    listener: Option<Arc<dyn ChangeListener>>,
    changes: Vec<Changed>,
}

impl fmt::Debug for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writing").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Writing {
    pub(crate) fn new(
        scope: Scope,
        held: Held,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        listener: Option<Arc<dyn ChangeListener>>,
    ) -> Self {
        Self { held, scope, clock, entropy, listener, changes: Vec::new() }
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

impl Told {
    /// Of a transaction that changes nothing that anybody listens for.
    pub(crate) const fn nothing() -> Self {
        Self { listener: None, changes: Vec::new() }
    }
}

impl Mode for Writing {
    fn owner(&self) -> OrganizationId {
        self.held.owner()
    }

    fn run(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Done, StoreError>> + Send {
        self.held.run(statement)
    }
}

impl Writes for Writing {
    fn forbid(&mut self) {
        self.held.forbid();
    }
}

impl<M: Writes> Writes for Session<M> {
    fn forbid(&mut self) {
        self.mode.forbid();
    }
}

impl Session<Held> {
    /// Makes everything durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        self.mode.commit(Told::nothing()).await
    }
}

impl Journal for SqliteTx {
    async fn append(&mut self, draft: Draft<'_>) -> Result<EventId, StoreError> {
        let stamp = Stamp::new(self.mode.clock.now(), &*self.mode.entropy)?;
        let record = draft.stamp(&self.mode.scope, stamp);
        self.change_one(events::insert(&record)).await?;
        let organization = record.organization;
        let changed = record.resource.map(|resource| Changed { organization, resource });
        self.mode.changes.extend(changed);
        Ok(stamp.id())
    }

    async fn commit(mut self) -> Result<(), StoreError> {
        // Before anything can be told of: nothing of what failed is there.
        self.mode.held.is_whole()?;
        let changes = std::mem::take(&mut self.mode.changes);
        let told = Told { listener: self.mode.listener.take(), changes };
        self.mode.held.commit(told).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_of_which_a_part_is_not_done_has_not_ended() {
        for parts in 1..=6 {
            assert!(ended(parts, parts).is_ok());
            for parts_done in 0..parts {
                let lost = ended(parts_done, parts).unwrap_err();
                assert!(matches!(lost, sqlx::Error::WorkerCrashed));
            }
        }
    }
}
