//! The port of the logs: which ones wait, and turns in them.

use audit::{Logs, SequencerId, sequence::Wanted};
use kernel::{OrganizationId, StoreError};
use stored_rows::{Columns, log};

use crate::{erase, row::Row, session::Session, store::SqliteStore, turn::SqliteTurn};

/// Each organization of those that have events without a place is found by one step in the index,
/// however many events each has. What has a place and no checkpoint was written before anything that
/// has none, and comes first. What has yet to leave comes last: where it cannot leave, that must not
/// keep the others from their checkpoints.
pub(crate) const WAITING: &str = "
    WITH RECURSIVE apart (id) AS (
        SELECT min(organization_id) FROM audit_pending
        UNION ALL
        SELECT (SELECT min(organization_id) FROM audit_pending WHERE organization_id > apart.id)
        FROM apart WHERE apart.id IS NOT NULL
    ),
    waiting (organization_id, since) AS (
        SELECT organization_id, 0 FROM audit_log WHERE halted IS NULL AND size > signed_size
        UNION ALL
        SELECT id, (SELECT min(position) FROM audit_pending WHERE organization_id = apart.id)
        FROM apart
        WHERE id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM audit_log WHERE organization_id = apart.id AND halted IS NOT NULL
        )
        UNION ALL
        SELECT organization_id, 9223372036854775807 FROM audit_log
        WHERE ? AND halted IS NULL AND signed_size > delivered
        UNION ALL
        SELECT organization_id, 9223372036854775807 FROM audit_log
        WHERE ? AND halted IS NULL AND signed_size > exported
    )
    SELECT organization_id FROM waiting
    GROUP BY organization_id ORDER BY min(since), organization_id LIMIT ?";

pub(crate) const SOME: &str = "
    SELECT organization_id FROM audit_log WHERE organization_id > ?
    ORDER BY organization_id LIMIT ?";

pub(crate) const HALTED: &str = "
    SELECT organization_id, halted FROM audit_log WHERE halted IS NOT NULL
    ORDER BY organization_id LIMIT ?";

fn organization(row: &Row) -> Result<OrganizationId, StoreError> {
    Columns::of(log::TABLE, row).id("organization_id", OrganizationId::from_uuid)
}

fn halted(row: &Row) -> Result<(OrganizationId, String), StoreError> {
    let reason = Columns::of(log::TABLE, row).text("halted")?;
    Ok((organization(row)?, reason.to_owned()))
}

impl Logs for SqliteStore {
    type Turn = SqliteTurn;

    async fn waiting(&self, wanted: Wanted) -> Result<Vec<OrganizationId>, StoreError> {
        let Wanted { deliveries, exports, most } = wanted;
        let read = sqlx::query(WAITING).bind(deliveries).bind(exports).bind(i64::from(most));
        self.read(read).await?.rows.iter().map(organization).collect()
    }

    async fn some(
        &self,
        after: Option<OrganizationId>,
        most: u32,
    ) -> Result<Vec<OrganizationId>, StoreError> {
        // No bytes at all come before every id.
        let after = after.map_or_else(Vec::new, |id| id.uuid().as_bytes().to_vec());
        let read = sqlx::query(SOME).bind(after).bind(i64::from(most));
        self.read(read).await?.rows.iter().map(organization).collect()
    }

    async fn halted(&self, most: u32) -> Result<Vec<(OrganizationId, String)>, StoreError> {
        let read = sqlx::query(HALTED).bind(i64::from(most));
        self.read(read).await?.rows.iter().map(halted).collect()
    }

    async fn erase(&self, organization: OrganizationId, most: u32) -> Result<u64, StoreError> {
        let session = Session::new(self.hold(organization).await?);
        erase::erase(session, u64::from(most), self.now()).await
    }

    /// Whoever has the writer is alone in every log. The lease is counted all the same, so that a
    /// process that has the file after another one is told apart.
    async fn turn(
        &self,
        organization: OrganizationId,
        sequencer: SequencerId,
    ) -> Result<Option<SqliteTurn>, StoreError> {
        let session = Session::new(self.hold(organization).await?);
        SqliteTurn::begin(session, sequencer).await.map(Some)
    }
}
