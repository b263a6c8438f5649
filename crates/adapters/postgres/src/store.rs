//! The store: gives out sessions, takes notes, and knows who belongs where.

use std::{fmt, sync::Arc, time::Duration};

use audit::{ChangeListener, Directory, Draft, Notes, Stamp, Transactor};
use kernel::{AgentId, Clock, Entropy, EventId, OrganizationId, StoreError, Timestamp};
use sqlx::{Row, postgres::PgConnectOptions, types::Uuid};
use tenancy::Scope;
use tokio::sync::{mpsc, oneshot};

use crate::{
    deadline::Deadline,
    feed::PostgresFeed,
    lanes::Lanes,
    options::Options,
    pool::Pool,
    session::{self, PostgresTx, PostgresView, Reading, Session, Statement, Writing},
    transaction::Transaction,
    writer::Note,
};

const PROBE: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
const PLATFORM: &str = "SELECT platform()";
const ORGANIZATION_OF: &str = "SELECT organization_of($1)";

/// The store. A clone is the same store; when the last one is dropped, its background work finishes
/// what waits and returns.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) pool: Pool,
    notes: mpsc::Sender<Note>,
    lanes: Arc<Lanes>,
    settings: PgConnectOptions,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    listener: Option<Arc<dyn ChangeListener>>,
    pub(crate) patience: Duration,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    pub(crate) fn new(
        (pool, notes): (Pool, mpsc::Sender<Note>),
        settings: PgConnectOptions,
        (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>),
        options: &Options,
    ) -> Self {
        let (lanes, listener, patience) = (Arc::default(), None, options.patience);
        Self { pool, notes, lanes, settings, clock, entropy, listener, patience }
    }

    /// The same store, which tells this listener of each change before it acknowledges it.
    #[must_use]
    pub fn telling(self, listener: Arc<dyn ChangeListener>) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// The changes of every replica, on a connection of its own.
    #[must_use]
    pub fn feed(&self) -> PostgresFeed {
        PostgresFeed::new(self.settings.clone(), self.patience)
    }

    /// Whether the store answers, for a readiness check: a trivial read, of the time by its clock.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where it does not.
    pub async fn probe(&self) -> Result<Timestamp, StoreError> {
        let corrupt = || StoreError::Corrupt { table: "clock_timestamp", column: "now" };
        let done = self.read(|| sqlx::query(PROBE)).await?;
        let row = done.rows.first().ok_or_else(corrupt)?;
        let micros: i64 = row.0.try_get(0).map_err(|_| corrupt())?;
        Timestamp::from_unix_micros(micros).map_err(|_| corrupt())
    }

    /// Runs one statement outside any session.
    async fn read(&self, statement: impl Fn() -> Statement) -> Result<session::Done, StoreError> {
        Transaction::alone(&self.pool, statement, Deadline::after(self.patience)).await
    }

    async fn one_organization(
        &self,
        statement: impl Fn() -> Statement,
        (table, column): (&'static str, &'static str),
    ) -> Result<Option<OrganizationId>, StoreError> {
        let corrupt = || StoreError::Corrupt { table, column };
        let done = self.read(statement).await?;
        let row = done.rows.first().ok_or_else(corrupt)?;
        let id: Option<Uuid> = row.0.try_get(0).map_err(|_| corrupt())?;
        Ok(id.map(OrganizationId::from_uuid))
    }
}

/// Begins a view: one snapshot of one organization.
fn begin_reading(organization: OrganizationId) -> String {
    format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SELECT set_config('app.organization', '{organization}', true)"
    )
}

/// Begins a transaction, and waits until it is the only one that changes this organization. What it
/// reads is then so until it commits: each statement sees what was committed before it began, and
/// nobody commits meanwhile.
///
/// It does not ask for `READ WRITE`: that would write to a database that its administrator, or a disk
/// that is nearly full, has set to be read only.
fn begin_writing(organization: OrganizationId) -> String {
    let lock = lock_of(organization);
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SELECT set_config('app.organization', '{organization}', true), \
         pg_advisory_xact_lock({lock})"
    )
}

/// The random half of the id. Two organizations that share it wait for each other, and no more.
fn lock_of(organization: OrganizationId) -> i64 {
    let (_, low) = organization.uuid().as_u64_pair();
    low.cast_signed()
}

impl Transactor for PostgresStore {
    type Tx = PostgresTx;
    type View = PostgresView;

    async fn begin(&self, scope: Scope) -> Result<PostgresTx, StoreError> {
        let deadline = Deadline::after(self.patience);
        let organization = scope.organization();
        let lane = deadline.within(self.lanes.enter(organization)).await?;
        let text = begin_writing(organization);
        let transaction = Box::pin(Transaction::begin(&self.pool, text, deadline)).await?;
        let machine = (Arc::clone(&self.clock), Arc::clone(&self.entropy));
        let open = (transaction, lane);
        Ok(Session::new(Writing::new(scope, open, machine, self.listener.clone())))
    }

    async fn view(&self, organization: OrganizationId) -> Result<PostgresView, StoreError> {
        let deadline = Deadline::after(self.patience);
        let text = begin_reading(organization);
        let transaction = Box::pin(Transaction::begin(&self.pool, text, deadline)).await?;
        Ok(Session::new(Reading::new(organization, transaction)))
    }
}

impl Notes for PostgresStore {
    async fn keep(&self, scope: &Scope, draft: Draft<'_>) -> Result<EventId, StoreError> {
        let stamp = Stamp::new(self.clock.now(), &*self.entropy)?;
        let (reply, answer) = oneshot::channel();
        let note = Note { event: draft.stamp(scope, stamp), reply };
        self.notes.try_send(note).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::unavailable("the queue is full"),
            mpsc::error::TrySendError::Closed(_) => gone(),
        })?;
        Deadline::after(self.patience)
            .within(answer)
            .await?
            .map_err(|_| gone())?
            .map(|()| stamp.id())
    }
}

fn gone() -> StoreError {
    StoreError::unavailable("the writer is gone")
}

impl Directory for PostgresStore {
    async fn platform(&self) -> Result<Option<OrganizationId>, StoreError> {
        self.one_organization(|| sqlx::query(PLATFORM), ("organization", "id")).await
    }

    async fn organization_of(&self, client: AgentId) -> Result<Option<OrganizationId>, StoreError> {
        let statement = || sqlx::query(ORGANIZATION_OF).bind(client.uuid());
        self.one_organization(statement, ("client", "organization_id")).await
    }
}
