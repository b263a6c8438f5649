//! The port that reads a log: its hashes, its leaves, and how far it has come.

use audit::{
    Hash, LogReader, LogState, Tile, Tiles,
    sequence::{Leaf, LeafRecord},
};
use kernel::{EventId, OrganizationId, StoreError};
use stored_rows::{Value, log};

use crate::{
    session::{Mode, Session, Statement},
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

pub(crate) const STATE: &str =
    concat!("SELECT ", state!(), " FROM audit_log WHERE organization_id = $1");

pub(crate) const LEAF_HASHES: &str = "
    SELECT position AS index, hash FROM audit_leaf
    WHERE organization_id = $1 AND position >= $2 AND position < $3
    ORDER BY position";

pub(crate) const STORED_HASHES: &str = "
    SELECT index, hash FROM audit_stored_hash
    WHERE organization_id = $1 AND level = $2 AND index >= $3 AND index < $4
    ORDER BY index";

pub(crate) const LEAF_OF: &str = "
    SELECT position AS place, event_id, commitment, hash, out_of_order FROM audit_leaf
    WHERE organization_id = $1 AND event_id = $2";

/// The leaves first, and then one step into the index of events for each of them. `OFFSET 0` keeps it
/// so: whoever does not know how few leaves are asked for would rather read every event of the
/// organization.
pub(crate) const LEAVES: &str = "
    SELECT leaf.position AS place, leaf.event_id, leaf.commitment, leaf.hash, leaf.out_of_order, event.*
    FROM (
        SELECT position, event_id, commitment, hash, out_of_order
        FROM audit_leaf
        WHERE organization_id = $1 AND position >= $2
        ORDER BY position
        LIMIT $3
    ) AS leaf
    LEFT JOIN LATERAL (
        SELECT id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id,
            address, user_agent, used_credential_id, metadata::text AS metadata, occurred_at, salt,
            erased_at
        FROM audit_event
        WHERE audit_event.organization_id = $1 AND audit_event.id = leaf.event_id
        OFFSET 0
    ) AS event ON true
    ORDER BY leaf.position";

/// The statement that reads these leaves with their events. It is planned anew each time, for hundreds
/// of leaves at once: while a log has just begun any index that begins with the organization costs as
/// little as that of the ids, and such a plan, once it is kept, walks over the whole log for each leaf.
pub(crate) fn placed(organization: OrganizationId, from: u64, most: u32) -> Statement {
    let bounds = (whole(from), i64::from(most));
    sqlx::query(LEAVES).bind(organization.uuid()).bind(bounds.0).bind(bounds.1).persistent(false)
}

/// The statement that reads the hashes of this tile, and from which table. It is planned anew as well:
/// each signature reads many tiles, and a walk over the whole log for each would outlast the view.
pub(crate) fn hashes(organization: OrganizationId, tile: Tile) -> (&'static str, Statement) {
    let owner = Value::Id(organization.uuid());
    let end = tile.first().saturating_add(u64::from(tile.width()));
    let bounds = [tile.first(), end].map(|bound| Value::Number(whole(bound)));
    let (table, read) = match tile.level() {
        0 => (log::LEAVES, statement(LEAF_HASHES, [owner].into_iter().chain(bounds))),
        level => {
            let place = [owner, Value::Number(i64::from(level))].into_iter().chain(bounds);
            (log::STORED_HASHES, statement(STORED_HASHES, place))
        }
    };
    (table, read.persistent(false))
}

/// A number as this database keeps it. None of a log that can be is greater.
pub(crate) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<M: Mode> Tiles for Session<M> {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        let (table, read) = hashes(self.owner(), tile);
        log::stored_hashes(table, (tile.first(), tile.width()), &self.rows(read).await?)
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
        self.rows(placed(self.owner(), from, most)).await?.iter().map(log::leaf_record).collect()
    }
}
