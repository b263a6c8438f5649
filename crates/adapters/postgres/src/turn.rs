//! A turn in a log: what gives events their places, and keeps checkpoints.
//!
//! A turn holds the row of its log, so that nobody else can be in it, and commits a lease, so that the
//! log stays with the sequencer that knows it. A sequencer that stands still in a turn is ended by the
//! server, which gives the row free; one that stands still between turns loses the lease. Either way
//! another one has the log within five seconds, and the first, should it wake, has nothing to write by.

use std::fmt;

use audit::{
    EventRecord, Hash, LogReader, LogState, SequencerId, SignedCheckpoint, Tile, Tiles, Turn,
    sequence::{Extension, Fence, Leaf, LeafRecord},
};
use kernel::{EventId, OrganizationId, StoreError, Timestamp};
use sqlx::{Row as _, types::Uuid};
use stored_rows::{Columns, event, log};

use crate::{
    held::Held,
    leaves,
    log_reader::{state, whole},
    row::Row,
    session::{Mode, Session, Statement, Writes},
};

/// How long a lease is.
macro_rules! lease {
    () => {
        "interval '3 seconds'"
    };
}

/// Takes the row and the lease, or finds that another one has either. The row is looked for and
/// locked first, so that the lease which is judged is the one of the moment.
///
/// One that ends later than any that is taken now was given before the clock of the database was set
/// back, or by somebody else: it keeps nobody out.
pub(crate) const TAKE: &str = concat!(
    "UPDATE audit_log
    SET holder = $2, fence = fence + CASE WHEN holder = $2 THEN 0 ELSE 1 END,
        leased_until = clock_timestamp() + ",
    lease!(),
    "
    WHERE organization_id = (
        SELECT organization_id FROM audit_log
        WHERE organization_id = $1
            AND (
                holder = $2
                OR (leased_until BETWEEN clock_timestamp() AND clock_timestamp() + ",
    lease!(),
    ") IS NOT TRUE
            )
        FOR UPDATE SKIP LOCKED
    )
    RETURNING fence, ",
    state!()
);

/// Whole groups, until there are enough events.
pub(crate) const PENDING: &str = "
    SELECT number, events
    FROM (
        SELECT number, events,
            sum(cardinality(events)) OVER (ORDER BY number) - cardinality(events) AS before
        FROM (
            SELECT number, events FROM audit_pending
            WHERE organization_id = $1 ORDER BY number LIMIT $2
        ) AS oldest
    ) AS counted
    WHERE before < $2
    ORDER BY number";

/// One step into the index for each event, in the order in which they are named. With so many ids at
/// once in a condition, whoever plans it would rather read every event of the organization.
pub(crate) const EVENTS: &str = "
    SELECT event.*
    FROM unnest($2::uuid[]) WITH ORDINALITY AS one (event_id, at)
    CROSS JOIN LATERAL (
        SELECT id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id,
            address, user_agent, used_credential_id, metadata::text AS metadata, occurred_at, salt
        FROM audit_event
        WHERE audit_event.organization_id = $1 AND audit_event.id = one.event_id
        OFFSET 0
    ) AS event
    ORDER BY one.at";

pub(crate) const FORGET_PENDING: &str =
    "DELETE FROM audit_pending WHERE organization_id = $1 AND number = ANY ($2)";

/// Which log, and by which lease: what each change of its row asks for.
macro_rules! of_lease {
    () => {
        " WHERE organization_id = $1 AND fence = $2"
    };
}

pub(crate) const EXTEND: &str = concat!(
    "UPDATE audit_log SET origin = $3, size = $4, latest_at = $5",
    of_lease!(),
    " AND size = $6"
);

const PUBLISH: &str =
    concat!("UPDATE audit_log SET signed_size = $3, signed_note = $4", of_lease!());

const DELIVERED: &str = concat!("UPDATE audit_log SET delivered = $3", of_lease!());

const EXPORTED: &str = concat!("UPDATE audit_log SET exported = $3", of_lease!());

// What was found first is what an operator is to acknowledge.
const HALT: &str = concat!("UPDATE audit_log SET halted = coalesce(halted, $3)", of_lease!());

/// A turn in the log of one organization.
pub struct PostgresTurn {
    session: Session<Held>,
    state: LogState,
    fence: Fence,
    /// The groups that were read last.
    groups: Vec<i64>,
    /// Their events, in order.
    taken: Vec<EventId>,
}

impl fmt::Debug for PostgresTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, fence, .. } = self;
        let mut shown = f.debug_struct("PostgresTurn");
        shown.field("state", state).field("fence", fence).finish_non_exhaustive()
    }
}

impl PostgresTurn {
    /// Begins a transaction that the server ends where nothing comes for two seconds, also where what
    /// it sends is not taken, and in which the log has a row. Whoever finds that another one is just
    /// making the row does not wait for it: the lock is tried, and the row is not to be seen.
    ///
    /// Everything in a turn is found by an index. Plans are kept, and those of a log that has just begun
    /// would read the whole of it long after.
    pub(crate) fn text(organization: OrganizationId) -> String {
        format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED; \
             SELECT set_config('app.organization', '{organization}', true); \
             SET LOCAL idle_in_transaction_session_timeout = 2000; \
             SET LOCAL tcp_user_timeout = 2000; \
             SET LOCAL enable_seqscan = off; \
             INSERT INTO audit_log (organization_id) SELECT '{organization}' \
             WHERE NOT EXISTS (SELECT 1 FROM audit_log WHERE organization_id = '{organization}') \
                 AND pg_try_advisory_xact_lock(hashtext('a log begins'), hashtext('{organization}')) \
             ON CONFLICT DO NOTHING"
        )
    }

    /// Takes the lease. `None` where another one has it.
    pub(crate) async fn begin(
        mut session: Session<Held>,
        sequencer: SequencerId,
    ) -> Result<Option<Self>, StoreError> {
        let holder = Uuid::from_u128(sequencer.0);
        let take = sqlx::query(TAKE).bind(session.owner().uuid()).bind(holder);
        let rows = session.rows(take).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let fence = Fence(Columns::of(log::TABLE, row).count("fence")?);
        let state = log::state(row)?;
        Ok(Some(Self { session, state, fence, groups: Vec::new(), taken: Vec::new() }))
    }

    /// The lease that it is held under.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        self.fence
    }

    /// A change of the row of this log, under this lease.
    fn under_lease(&self, sql: &'static str) -> Statement {
        sqlx::query(sql).bind(self.organization().uuid()).bind(whole(self.fence.0))
    }

    async fn events(&mut self) -> Result<Vec<EventRecord>, StoreError> {
        let rows = self.session.rows(named(self.organization(), &self.taken)).await?;
        let events = rows.iter().map(event::read).collect::<Result<Vec<_>, _>>()?;
        // As they were asked for, and none is gone.
        if events.iter().map(|event| event.id).ne(self.taken.iter().copied()) {
            return Err(StoreError::Corrupt { table: log::PENDING, column: "events" });
        }
        Ok(events)
    }
}

/// The statement that reads these events, planned anew as that of [`crate::log_reader::placed`] is.
pub(crate) fn named(organization: OrganizationId, events: &[EventId]) -> Statement {
    let ids: Vec<Uuid> = events.iter().map(|id| id.uuid()).collect();
    sqlx::query(EVENTS).bind(organization.uuid()).bind(ids).persistent(false)
}

/// The events of a group that waits.
fn group(row: &Row) -> Result<Vec<Uuid>, StoreError> {
    let corrupt = |_| StoreError::Corrupt { table: log::PENDING, column: "events" };
    row.0.try_get("events").map_err(corrupt)
}

impl Tiles for PostgresTurn {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        self.session.tile(tile).await
    }
}

impl LogReader for PostgresTurn {
    async fn log_state(&mut self) -> Result<LogState, StoreError> {
        self.session.log_state().await
    }

    async fn leaf_of(&mut self, event: EventId) -> Result<Option<Leaf>, StoreError> {
        self.session.leaf_of(event).await
    }

    async fn leaves(&mut self, from: u64, most: u32) -> Result<Vec<LeafRecord>, StoreError> {
        self.session.leaves(from, most).await
    }
}

impl Turn for PostgresTurn {
    fn organization(&self) -> OrganizationId {
        self.session.owner()
    }

    fn state(&self) -> &LogState {
        &self.state
    }

    async fn unsequenced(&mut self, about: u32) -> Result<Vec<EventRecord>, StoreError> {
        let owner = self.organization().uuid();
        let read = sqlx::query(PENDING).bind(owner).bind(i64::from(about));
        let rows = self.session.rows(read).await?;
        self.groups.clear();
        self.taken.clear();
        for row in &rows {
            self.groups.push(Columns::of(log::PENDING, row).number("number")?);
            self.taken.extend(group(row)?.into_iter().map(EventId::from_uuid));
        }
        self.events().await
    }

    async fn extend(&mut self, extension: &Extension) -> Result<(), StoreError> {
        let Extension { origin, leaves, above, size, latest } = extension;
        self.session.owns(origin.organization())?;
        let Some(before) = extension.follows(self.taken.iter().copied()) else {
            return Err(self.session.conflict());
        };
        // Before anything else: a log that is halted is told apart from one that was changed.
        let extend = self
            .under_lease(EXTEND)
            .bind(origin.to_string())
            .bind(whole(*size))
            .bind(latest.map(Timestamp::unix_micros))
            .bind(whole(before));
        self.session.change_one(extend).await?;
        let owner = self.organization();
        self.session.change_all(leaves::insert(owner, leaves), leaves.len()).await?;
        if !above.is_empty() {
            self.session.change_all(leaves::insert_above(owner, above), above.len()).await?;
        }
        self.taken.clear();
        let groups = std::mem::take(&mut self.groups);
        let count = groups.len();
        let forget = sqlx::query(FORGET_PENDING).bind(owner.uuid()).bind(groups);
        self.session.change_all(forget, count).await
    }

    async fn publish(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        let SignedCheckpoint { checkpoint, note } = checkpoint;
        self.session.owns(checkpoint.origin.organization())?;
        let publish = self.under_lease(PUBLISH).bind(whole(checkpoint.size)).bind(note.clone());
        self.session.change_one(publish).await
    }

    async fn delivered(&mut self, size: u64) -> Result<(), StoreError> {
        let delivered = self.under_lease(DELIVERED).bind(whole(size));
        self.session.change_one(delivered).await
    }

    async fn exported(&mut self, position: u64) -> Result<(), StoreError> {
        let exported = self.under_lease(EXPORTED).bind(whole(position));
        self.session.change_one(exported).await
    }

    async fn halt(&mut self, reason: &str) -> Result<(), StoreError> {
        let halt = self.under_lease(HALT).bind(reason.to_owned());
        self.session.change_one(halt).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.session.commit().await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use audit::{Transactor, record};
    use contracts::sample::{self, Machine, Sequencer};
    use kernel::{Clock, Entropy};
    use tenancy::{Kind, Plan, Scope};

    use super::*;
    use crate::{Isolation, Options, PostgresStore, support::Database};

    async fn founded() -> (Database, PostgresStore, Scope) {
        let (database, machine) = (Database::migrated().await, Machine::default());
        let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) =
            (machine.clock.clone(), machine.entropy.clone());
        let (login, options) = (database.login(), Options::default());
        let opened = PostgresStore::open(&login, parts, Isolation::Preferred, &options).await;
        // Nothing is noted here, and what is dropped is closed at last.
        let (store, _background) = opened.unwrap();
        let change = sample::founded(&machine, "first", Kind::Tenant, Plan::Pro);
        let scope = sample::scope(change.after().id(), machine.agent_id());
        let tx = store.begin(scope.clone()).await.unwrap();
        let (tx, _) = record(tx, change).await.unwrap();
        audit::Journal::commit(tx).await.unwrap();
        (database, store, scope)
    }

    /// The lock of the row keeps everybody else out. Should it ever not, the number of the lease does.
    #[tokio::test]
    async fn a_turn_under_another_lease_changes_nothing() {
        let (_database, store, scope) = founded().await;
        let (log, sequencer) = (scope.organization(), Sequencer::default());
        for step in 0..5 {
            let mut turn = sequencer.turn(&store, log).await;
            let extension = sample::next_extension(&mut turn, log, 100).await.unwrap();
            let checkpoint = sequencer.checkpoint(&mut turn, log, 0).await;
            turn.fence = Fence(turn.fence.0 + 1);
            let done = match step {
                0 => turn.extend(&extension).await,
                1 => turn.publish(&checkpoint).await,
                2 => turn.delivered(0).await,
                3 => turn.exported(0).await,
                _ => turn.halt("a test says so").await,
            };
            assert!(matches!(done, Err(StoreError::Conflict)), "{step}: {done:?}");
            turn.commit().await.unwrap_err();
        }
        let mut turn = sequencer.turn(&store, log).await;
        assert_eq!(*turn.state(), LogState::default());
        assert_eq!(turn.unsequenced(100).await.unwrap().len(), 1);
    }
}
