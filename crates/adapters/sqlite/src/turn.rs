//! A turn in a log: what gives events their places, and keeps checkpoints.

use std::fmt;

use audit::{
    EventRecord, Hash, LogReader, LogState, SequencerId, SignedCheckpoint, Tile, Tiles, Turn,
    sequence::{Extension, Fence, Leaf, LeafRecord},
};
use kernel::{EventId, OrganizationId, StoreError, Timestamp};
use sqlx::types::Uuid;
use stored_rows::{Cells, Columns, Value, event, log};

use crate::{
    held::{Held, Writes},
    leaves,
    log_reader::{state, whole},
    packed::{self, Packable, Packing},
    session::{Mode, Session},
    statement::statement,
};

pub(crate) const LEASE: &str =
    concat!("SELECT holder, fence, ", state!(), " FROM audit_log WHERE organization_id = ?");

const BEGIN_LOG: &str = "INSERT INTO audit_log (holder, fence, organization_id) VALUES (?, ?, ?)";

const TAKE_LEASE: &str =
    "UPDATE audit_log SET holder = ?, fence = ? WHERE organization_id = ? AND fence = ?";

macro_rules! unsequenced {
    () => {
        "SELECT
            pending.position AS pending, event.id, event.organization_id, event.agent_id,
            event.action, event.outcome, event.resource_kind, event.resource_id, event.request_id,
            event.address, event.user_agent, event.used_credential_id, event.metadata,
            event.occurred_at, event.salt
        FROM audit_pending AS pending LEFT JOIN audit_event AS event USING (position)
        WHERE pending.organization_id = ?
        ORDER BY pending.position
        LIMIT ?"
    };
}

pub(crate) const UNSEQUENCED: Packable = Packable {
    packed: concat!(
        "SELECT json_group_array(json_array(pending, ",
        packed::event!(),
        ")) AS packed FROM (",
        unsequenced!(),
        ")"
    ),
    plain: unsequenced!(),
    columns: &[&[("pending", Packing::Plain)], packed::EVENT],
};

pub(crate) const FORGET_PENDING: &str = "
    DELETE FROM audit_pending
    WHERE organization_id = ? AND position BETWEEN ? AND ?";

pub(crate) const EXTEND: &str = "
    UPDATE audit_log SET origin = ?, size = ?, latest_at = ? WHERE organization_id = ? AND size = ?";

const PUBLISH: &str =
    "UPDATE audit_log SET signed_size = ?, signed_note = ? WHERE organization_id = ?";

const DELIVERED: &str = "UPDATE audit_log SET delivered = ? WHERE organization_id = ?";

const EXPORTED: &str = "UPDATE audit_log SET exported = ? WHERE organization_id = ?";

// What was found first is what an operator is to acknowledge.
const HALT: &str = "UPDATE audit_log SET halted = coalesce(halted, ?) WHERE organization_id = ?";

/// A turn in the log of one organization.
pub struct SqliteTurn {
    session: Session<Held>,
    state: LogState,
    fence: Fence,
    /// Where the events wait that were read last, and which they are.
    taken: Vec<(i64, EventId)>,
}

impl fmt::Debug for SqliteTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, fence, .. } = self;
        let mut shown = f.debug_struct("SqliteTurn");
        shown.field("state", state).field("fence", fence).finish_non_exhaustive()
    }
}

impl SqliteTurn {
    /// Takes the lease, of a log that begins with it if need be.
    pub(crate) async fn begin(
        mut session: Session<Held>,
        sequencer: SequencerId,
    ) -> Result<Self, StoreError> {
        let organization = Value::Id(session.owner().uuid());
        let holder = Uuid::from_u128(sequencer.0);
        let rows = session.rows(statement(LEASE, [organization.clone()])).await?;
        let Some(row) = rows.first() else {
            let first = [Value::Id(holder), whole(1), organization];
            session.change_one(statement(BEGIN_LOG, first)).await?;
            let (state, fence) = (LogState::default(), Fence(1));
            return Ok(Self { session, state, fence, taken: Vec::new() });
        };
        let columns = Columns::of(log::TABLE, row);
        let fence = columns.count("fence")?;
        let state = log::state(row)?;
        if columns.optional_id("holder", |id| id)? == Some(holder) {
            return Ok(Self { session, state, fence: Fence(fence), taken: Vec::new() });
        }
        let next = fence.saturating_add(1);
        let lease = [Value::Id(holder), whole(next), organization, whole(fence)];
        session.change_one(statement(TAKE_LEASE, lease)).await?;
        Ok(Self { session, state, fence: Fence(next), taken: Vec::new() })
    }

    /// The lease that it is held under.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        self.fence
    }

    /// Changes the row of this log.
    async fn change(
        &mut self,
        sql: &'static str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<(), StoreError> {
        let owner = Value::Id(self.organization().uuid());
        self.session.change_one(statement(sql, values.into_iter().chain([owner]))).await
    }

    /// Takes the events that were read last out of those that wait: the oldest of this log, so that
    /// nobody else is between them.
    async fn forget_pending(&mut self) -> Result<(), StoreError> {
        let taken = std::mem::take(&mut self.taken);
        let (Some((first, _)), Some((last, _))) = (taken.first(), taken.last()) else {
            return Ok(());
        };
        let owner = Value::Id(self.organization().uuid());
        let between = [owner, Value::Number(*first), Value::Number(*last)];
        self.session.change_all(statement(FORGET_PENDING, between), taken.len()).await
    }
}

/// The event of a row, and where it waits.
fn pending(row: &impl Cells, owner: OrganizationId) -> Result<(i64, EventRecord), StoreError> {
    let position = Columns::of(log::PENDING, row).number("pending")?;
    let event = event::read(row)?;
    if event.organization == owner {
        Ok((position, event))
    } else {
        Err(StoreError::Corrupt { table: event::TABLE, column: "organization_id" })
    }
}

impl Tiles for SqliteTurn {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        self.session.tile(tile).await
    }
}

impl LogReader for SqliteTurn {
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

impl Turn for SqliteTurn {
    fn organization(&self) -> OrganizationId {
        self.session.owner()
    }

    fn state(&self) -> &LogState {
        &self.state
    }

    async fn unsequenced(&mut self, about: u32) -> Result<Vec<EventRecord>, StoreError> {
        let owner = self.organization();
        let oldest = [Value::Id(owner.uuid()), Value::Number(i64::from(about))];
        let rows = UNSEQUENCED.read(&mut self.session, &oldest).await?;
        let waiting = rows.iter().map(|row| pending(row, owner)).collect::<Result<Vec<_>, _>>()?;
        self.taken = waiting.iter().map(|(position, event)| (*position, event.id)).collect();
        Ok(waiting.into_iter().map(|(_, event)| event).collect())
    }

    async fn extend(&mut self, extension: &Extension) -> Result<(), StoreError> {
        let Extension { origin, leaves, above, size, latest } = extension;
        self.session.owns(origin.organization())?;
        let Some(before) = extension.follows(self.taken.iter().map(|(_, event)| *event)) else {
            return Err(self.session.conflict());
        };
        let owner = self.organization();
        // Before anything else: a log that is halted is told apart from one that was changed.
        let latest = Value::OptionalNumber(latest.map(Timestamp::unix_micros));
        let end = [Value::text(&origin.to_string()), whole(*size), latest];
        let found = [Value::Id(owner.uuid()), whole(before)];
        self.session.change_one(statement(EXTEND, end.into_iter().chain(found))).await?;
        let insert = leaves::insert(owner, leaves);
        self.session.change_all(insert, leaves.len()).await?;
        if !above.is_empty() {
            let insert = leaves::insert_above(owner, above);
            self.session.change_all(insert, above.len()).await?;
        }
        self.forget_pending().await
    }

    async fn publish(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        let SignedCheckpoint { checkpoint, note } = checkpoint;
        self.session.owns(checkpoint.origin.organization())?;
        self.change(PUBLISH, [whole(checkpoint.size), Value::text(note)]).await
    }

    async fn delivered(&mut self, size: u64) -> Result<(), StoreError> {
        self.change(DELIVERED, [whole(size)]).await
    }

    async fn exported(&mut self, position: u64) -> Result<(), StoreError> {
        self.change(EXPORTED, [whole(position)]).await
    }

    async fn halt(&mut self, reason: &str) -> Result<(), StoreError> {
        self.change(HALT, [Value::text(reason)]).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.session.commit().await
    }
}
