//! The port of the logs: which ones wait, and turns in them.

use audit::{Logs, SequencerId, sequence::Wanted};
use kernel::{OrganizationId, StoreError};
use sqlx::types::Uuid;
use stored_rows::{Columns, log};

use crate::{
    deadline::Deadline,
    erase,
    held::Held,
    row::Row,
    session::{Session, Statement},
    store::PostgresStore,
    transaction::Transaction,
    turn::PostgresTurn,
};

/// Shows which logs wait, and which are halted and why, of every organization: nothing of an event. The
/// planner takes the policy that opens them for a condition which leaves almost no row, and would then
/// rather read everything that waits.
const BEGIN_LOOKING: &str = "
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SELECT set_config('app.sequencer', 'on', true);
    SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0";

/// What has a place and no checkpoint was written before anything that has none, and comes first. What
/// has yet to leave comes last: where it cannot leave, that must not keep the others from their
/// checkpoints.
///
/// Each organization of those that have events without a place is found by one step in the index,
/// however many events each has; of ten thousand organizations that wait at once, no more are looked at.
pub(crate) const WAITING: &str = "
    WITH RECURSIVE apart AS (
        (
            SELECT organization_id, number, 1 AS steps FROM audit_pending
            ORDER BY organization_id, number LIMIT 1
        )
        UNION ALL
        SELECT next.organization_id, next.number, apart.steps + 1
        FROM apart
        CROSS JOIN LATERAL (
            SELECT organization_id, number FROM audit_pending
            WHERE audit_pending.organization_id > apart.organization_id
            ORDER BY organization_id, number LIMIT 1
        ) AS next
        WHERE apart.steps < 10000
    ),
    waiting AS (
        SELECT organization_id, 0 AS since FROM audit_log WHERE halted IS NULL AND size > signed_size
        UNION ALL
        SELECT organization_id, number FROM apart
        UNION ALL
        (
            SELECT organization_id, 9223372036854775807 FROM audit_log
            WHERE $1 AND halted IS NULL AND signed_size > delivered
            ORDER BY organization_id LIMIT $3
        )
        UNION ALL
        (
            SELECT organization_id, 9223372036854775807 FROM audit_log
            WHERE $2 AND halted IS NULL AND signed_size > exported
            ORDER BY organization_id LIMIT $3
        )
    )
    SELECT organization_id
    FROM (SELECT organization_id, min(since) AS since FROM waiting GROUP BY organization_id) AS one
    WHERE NOT EXISTS (
        SELECT 1 FROM audit_log
        WHERE audit_log.organization_id = one.organization_id AND halted IS NOT NULL
    )
    ORDER BY since, organization_id
    LIMIT $3";

pub(crate) const SOME: &str = "
    SELECT organization_id FROM audit_log WHERE organization_id > $1
    ORDER BY organization_id LIMIT $2";

pub(crate) const HALTED: &str = "
    SELECT organization_id, halted FROM audit_log WHERE halted IS NOT NULL
    ORDER BY organization_id LIMIT $1";

fn organization(row: &Row) -> Result<OrganizationId, StoreError> {
    Columns::of(log::TABLE, row).id("organization_id", OrganizationId::from_uuid)
}

fn halted(row: &Row) -> Result<(OrganizationId, String), StoreError> {
    let reason = Columns::of(log::TABLE, row).text("halted")?;
    Ok((organization(row)?, reason.to_owned()))
}

impl PostgresStore {
    /// What a look across all organizations finds.
    async fn look(&self, statement: Statement) -> Result<Vec<Row>, StoreError> {
        let mut looking = self.transaction(BEGIN_LOOKING.to_owned()).await?;
        let done = looking.run(statement).await?;
        looking.commit().await?;
        Ok(done.rows)
    }

    /// Begins a transaction by this text.
    pub(crate) async fn transaction(&self, text: String) -> Result<Transaction, StoreError> {
        let deadline = Deadline::after(self.patience);
        Box::pin(Transaction::begin(&self.pool, text, deadline)).await
    }
}

impl Logs for PostgresStore {
    type Turn = PostgresTurn;

    async fn waiting(&self, wanted: Wanted) -> Result<Vec<OrganizationId>, StoreError> {
        let Wanted { deliveries, exports, most } = wanted;
        let read = sqlx::query(WAITING).bind(deliveries).bind(exports).bind(i64::from(most));
        self.look(read).await?.iter().map(organization).collect()
    }

    async fn some(
        &self,
        after: Option<OrganizationId>,
        most: u32,
    ) -> Result<Vec<OrganizationId>, StoreError> {
        // No organization has the id that comes before every other.
        let after = after.map_or_else(Uuid::nil, OrganizationId::uuid);
        let read = sqlx::query(SOME).bind(after).bind(i64::from(most));
        self.look(read).await?.iter().map(organization).collect()
    }

    async fn halted(&self, most: u32) -> Result<Vec<(OrganizationId, String)>, StoreError> {
        let rows = self.look(sqlx::query(HALTED).bind(i64::from(most))).await?;
        rows.iter().map(halted).collect()
    }

    async fn erase(&self, organization: OrganizationId, most: u32) -> Result<u64, StoreError> {
        let transaction = self.transaction(erase::begin(organization)).await?;
        let session = Session::new(Held::new(organization, transaction));
        erase::erase(session, u64::from(most), self.clock.now()).await
    }

    async fn turn(
        &self,
        organization: OrganizationId,
        sequencer: SequencerId,
    ) -> Result<Option<PostgresTurn>, StoreError> {
        let transaction = self.transaction(PostgresTurn::text(organization)).await?;
        let session = Session::new(Held::new(organization, transaction));
        PostgresTurn::begin(session, sequencer).await
    }
}
