//! The store: gives out sessions, takes notes, and knows who belongs where.

use std::{fmt, sync::Arc, time::Duration};

use audit::{ChangeListener, Directory, Draft, Notes, Stamp, Transactor};
use kernel::{AgentId, Clock, Entropy, EventId, OrganizationId, StoreError, Timestamp};
use sqlx::{Sqlite, SqlitePool, pool::PoolConnection};
use stored_rows::Columns;
use tenancy::Scope;
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::{
    error::store_error,
    held::Held,
    open::Options,
    session::{self, Reading, Session, SqliteTx, SqliteView, Statement, Writing},
    writer::{Job, Note},
};

const BEGIN: &str = "BEGIN";
const PROBE: &str = "SELECT 1 FROM organization LIMIT 1";
const PLATFORM: &str = "SELECT id FROM organization WHERE kind = 'platform'";
const ORGANIZATION_OF: &str = "SELECT organization_id FROM agent WHERE id = ?";

/// The store. A clone is the same store; when the last one is dropped, the writer finishes what
/// waits and returns.
#[derive(Clone)]
pub struct SqliteStore {
    readers: SqlitePool,
    jobs: mpsc::Sender<Job>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    listener: Option<Arc<dyn ChangeListener>>,
    acquire_timeout: Duration,
    /// How long a note waits: past a transaction in front of it that uses up the writer's patience.
    answer_timeout: Duration,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl SqliteStore {
    pub(crate) fn new(
        readers: SqlitePool,
        jobs: mpsc::Sender<Job>,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        options: &Options,
    ) -> Self {
        let acquire_timeout = options.acquire_timeout;
        let answer_timeout = acquire_timeout.saturating_add(options.patience);
        Self { readers, jobs, clock, entropy, listener: None, acquire_timeout, answer_timeout }
    }

    /// The same store, which tells this listener of each change before it acknowledges it.
    #[must_use]
    pub fn telling(self, listener: Arc<dyn ChangeListener>) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// Whether the store answers: a trivial read, for a readiness check.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it does not.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.read(sqlx::query(PROBE)).await.map(|_| ())
    }

    async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(store_error)
    }

    /// Begins a transaction in the rows of this organization.
    pub(crate) async fn hold(&self, organization: OrganizationId) -> Result<Held, StoreError> {
        let (grant, granted) = oneshot::channel();
        self.queue(Job::Transaction(grant))?;
        let commands = timeout(self.acquire_timeout, granted)
            .await
            .map_err(StoreError::unavailable)?
            .map_err(|_| gone())?;
        Ok(Held::new(organization, commands))
    }

    /// What the clock says.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Reads, in no transaction.
    pub(crate) async fn read(&self, statement: Statement) -> Result<session::Done, StoreError> {
        let mut connection = self.reader().await?;
        session::run(&mut connection, statement).await.map_err(store_error)
    }

    async fn one_organization(
        &self,
        statement: Statement,
        (table, column): (&'static str, &'static str),
    ) -> Result<Option<OrganizationId>, StoreError> {
        let done = self.read(statement).await?;
        let id = |row| Columns::of(table, row).id(column, OrganizationId::from_uuid);
        done.rows.first().map(id).transpose()
    }

    fn queue(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::unavailable("the queue is full"),
            mpsc::error::TrySendError::Closed(_) => gone(),
        })
    }
}

fn gone() -> StoreError {
    StoreError::unavailable("the writer is gone")
}

impl Transactor for SqliteStore {
    type Tx = SqliteTx;
    type View = SqliteView;

    async fn begin(&self, scope: Scope) -> Result<SqliteTx, StoreError> {
        let held = self.hold(scope.organization()).await?;
        let machine = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        Ok(Session::new(Writing::new(scope, held, machine, self.listener.clone())))
    }

    async fn view(&self, organization: OrganizationId) -> Result<SqliteView, StoreError> {
        let mut connection = self.reader().await?;
        session::run(&mut connection, sqlx::query(BEGIN)).await.map_err(store_error)?;
        Ok(Session::new(Reading::new(organization, connection)))
    }
}

impl Notes for SqliteStore {
    async fn keep(&self, scope: &Scope, draft: Draft<'_>) -> Result<EventId, StoreError> {
        let stamp = Stamp::new(self.clock.now(), &*self.entropy)?;
        let (reply, answer) = oneshot::channel();
        let event = draft.stamp(scope, stamp);
        self.queue(Job::Note(Box::new(Note { event, reply })))?;
        timeout(self.answer_timeout, answer)
            .await
            .map_err(StoreError::unavailable)?
            .map_err(|_| gone())?
            .map(|()| stamp.id())
    }
}

impl Directory for SqliteStore {
    async fn platform(&self) -> Result<Option<OrganizationId>, StoreError> {
        self.one_organization(sqlx::query(PLATFORM), ("organization", "id")).await
    }

    async fn organization_of(&self, client: AgentId) -> Result<Option<OrganizationId>, StoreError> {
        let statement = sqlx::query(ORGANIZATION_OF).bind(client.uuid());
        self.one_organization(statement, ("agent", "organization_id")).await
    }
}
