//! The port that reads a log: its hashes, its leaves, and how far it has come.

use audit::{
    Hash, LogReader, LogState, Tile, Tiles,
    sequence::{Leaf, LeafRecord},
};
use kernel::{EventId, StoreError};
use stored_rows::{Value, log};

use crate::{
    packed::{
        self, Packable,
        Packing::{Hex, Plain},
    },
    session::{Mode, Session},
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

macro_rules! leaf_hashes {
    () => {
        "SELECT position AS \"index\", hash FROM audit_leaf
        WHERE organization_id = ? AND position >= ? AND position < ?
        ORDER BY position"
    };
}

macro_rules! stored_hashes {
    () => {
        "SELECT \"index\", hash FROM audit_stored_hash
        WHERE organization_id = ? AND level = ? AND \"index\" >= ? AND \"index\" < ?
        ORDER BY \"index\""
    };
}

pub(crate) const LEAF_OF: &str = "
    SELECT position AS place, event_id, commitment, hash, out_of_order FROM audit_leaf
    WHERE organization_id = ? AND event_id = ?";

macro_rules! leaves {
    () => {
        "SELECT
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
        LIMIT ?"
    };
}

/// Rows of `index` and `hash` in one.
macro_rules! packed_hashes {
    ($rows:expr) => {
        Packable {
            packed: concat!(
                "SELECT json_group_array(json_array(\"index\", hex(hash))) AS packed FROM (",
                $rows,
                ")"
            ),
            plain: $rows,
            columns: &[&[("index", Plain), ("hash", Hex)]],
        }
    };
}

pub(crate) const LEAF_HASHES: Packable = packed_hashes!(leaf_hashes!());

pub(crate) const STORED_HASHES: Packable = packed_hashes!(stored_hashes!());

pub(crate) const LEAVES: Packable = Packable {
    packed: concat!(
        "SELECT json_group_array(json_array(place, hex(event_id), hex(commitment), hex(hash),
            out_of_order, erased_at, ",
        packed::event!(),
        ")) AS packed FROM (",
        leaves!(),
        ")"
    ),
    plain: leaves!(),
    columns: &[
        &[
            ("place", Plain),
            ("event_id", Hex),
            ("commitment", Hex),
            ("hash", Hex),
            ("out_of_order", Plain),
            ("erased_at", Plain),
        ],
        packed::EVENT,
    ],
};

/// A number as this database keeps it. None of a log that can be is greater.
pub(crate) fn whole(number: u64) -> Value {
    Value::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

impl<M: Mode> Tiles for Session<M> {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        let (first, width) = (tile.first(), tile.width());
        let owner = Value::Id(self.owner().uuid());
        let bounds = [whole(first), whole(first.saturating_add(u64::from(width)))];
        let (table, hashes, level) = match tile.level() {
            0 => (log::LEAVES, LEAF_HASHES, None),
            level => (log::STORED_HASHES, STORED_HASHES, Some(Value::Number(i64::from(level)))),
        };
        let place: Vec<_> = [owner].into_iter().chain(level).chain(bounds).collect();
        log::stored_hashes(table, (first, width), &hashes.read(self, &place).await?)
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
        let place = [Value::Id(self.owner().uuid()), whole(from), Value::Number(i64::from(most))];
        LEAVES.read(self, &place).await?.iter().map(log::leaf_record).collect()
    }
}
