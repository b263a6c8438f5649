//! The port that reads a log: its hashes, its leaves, and how far it has come.

use audit::{
    Hash, LogReader, LogState, Tile, Tiles,
    sequence::{Leaf, LeafRecord},
};
use kernel::{EventId, StoreError};
use stored_rows::{Value, log};

use crate::{
    session::{Mode, Session},
    statement::statement,
};

/// What how far a log has come is read from.
macro_rules! state {
    () => {
        "origin, size, latest_at, signed_size, signed_note, delivered, exported, content_before,
        personal_data_before, halted"
    };
}
pub(crate) use state;

const STATE: &str = concat!("SELECT ", state!(), " FROM audit_log WHERE organization_id = ?");

pub(crate) const LEAF_HASHES: &str = "
    SELECT position AS \"index\", hash FROM audit_leaf
    WHERE organization_id = ? AND position >= ? AND position < ?
    ORDER BY position";

pub(crate) const STORED_HASHES: &str = "
    SELECT \"index\", hash FROM audit_stored_hash
    WHERE organization_id = ? AND level = ? AND \"index\" >= ? AND \"index\" < ?
    ORDER BY \"index\"";

pub(crate) const LEAF_OF: &str = "
    SELECT position AS place, event_id, commitment, hash, out_of_order FROM audit_leaf
    WHERE organization_id = ? AND event_id = ?";

pub(crate) const LEAVES: &str = "
    SELECT
        leaf.position AS place, leaf.event_id, leaf.commitment, leaf.hash, leaf.out_of_order,
        event.id, event.organization_id, event.agent_id, event.action, event.outcome,
        event.resource_kind, event.resource_id, event.request_id, event.address,
        event.user_agent, event.used_credential_id, event.metadata, event.occurred_at,
        event.salt, event.erased_at
    FROM audit_leaf AS leaf
    LEFT JOIN audit_event AS event
        ON event.id = leaf.event_id AND event.organization_id = leaf.organization_id
    WHERE leaf.organization_id = ? AND leaf.position >= ?
    ORDER BY leaf.position
    LIMIT ?";

/// A number as this database keeps it. None of a log that can be is greater.
pub(crate) fn whole(number: u64) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

impl<M: Mode> Tiles for Session<M> {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        let (first, width) = (tile.first(), tile.width());
        let owner = Value::Id(self.owner().uuid());
        let bounds = [whole(first), whole(first.saturating_add(u64::from(width)))];
        let (table, read) = match tile.level() {
            0 => (log::LEAVES, statement(LEAF_HASHES, [owner].into_iter().chain(bounds))),
            level => {
                let place = [owner, Value::Number(i64::from(level))].into_iter().chain(bounds);
                (log::STORED_HASHES, statement(STORED_HASHES, place))
            }
        };
        log::stored_hashes(table, (first, width), &self.rows(read).await?)
    }
}

impl<M: Mode> LogReader for Session<M> {
    async fn log_state(&mut self) -> Result<LogState, StoreError> {
        let rows = self.rows(sqlx::query(STATE).bind(self.owner().uuid())).await?;
        rows.first().map_or_else(|| Ok(LogState::default()), log::state)
    }

    async fn leaf_of(&mut self, event: EventId) -> Result<Option<Leaf>, StoreError> {
        let read = sqlx::query(LEAF_OF).bind(self.owner().uuid()).bind(event.uuid());
        self.rows(read).await?.first().map(log::leaf).transpose()
    }

    async fn leaves(&mut self, from: u64, most: u32) -> Result<Vec<LeafRecord>, StoreError> {
        let most = Value::Number(i64::from(most));
        let read = statement(LEAVES, [Value::Id(self.owner().uuid()), whole(from), most]);
        self.rows(read).await?.iter().map(log::leaf_record).collect()
    }
}
