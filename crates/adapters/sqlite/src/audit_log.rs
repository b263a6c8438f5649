//! The port of the audit log.

use audit::{AuditLog, EventFilter, LoggedEvent};
use kernel::{EventId, Page, PageRequest, StoreError, Total};
use stored_rows::{
    EventList, Places,
    event::{TABLE, read_logged},
};

use crate::{
    row::number,
    session::{Mode, Session},
    statement::assembled,
};

/// What a whole event is read from.
macro_rules! columns {
    () => {
        "id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id,
        address, user_agent, used_credential_id, metadata, occurred_at, salt,
        (SELECT position FROM audit_leaf AS leaf WHERE leaf.organization_id = audit_event.organization_id
            AND leaf.event_id = audit_event.id) AS place,
        (SELECT out_of_order FROM audit_leaf AS leaf WHERE leaf.organization_id = audit_event.organization_id
            AND leaf.event_id = audit_event.id) AS out_of_order"
    };
}

const FIND: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM audit_event WHERE organization_id = ? AND id = ? AND erased_at IS NULL"
);
// Said outright: with no statistics the planner takes the index of all events, the erased ones among
// them, for as good as these.
const ALL: &str = " FROM audit_event INDEXED BY audit_event_listed";
const ALL_BY_RESOURCE: &str = " FROM audit_event INDEXED BY audit_event_by_resource";
const ALL_BY_AGENT: &str = " FROM audit_event INDEXED BY audit_event_by_agent";
const ALL_BY_ACTION: &str = " FROM audit_event INDEXED BY audit_event_by_action";
const ALL_BY_OUTCOME: &str = " FROM audit_event INDEXED BY audit_event_by_outcome";

pub(crate) const LIST: EventList =
    EventList { places: Places::Alike, rows: concat!("SELECT ", columns!()), source };

impl<M: Mode> AuditLog for Session<M> {
    async fn event(&mut self, id: EventId) -> Result<Option<LoggedEvent>, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid()).bind(id.uuid());
        self.rows(statement).await?.first().map(read_logged).transpose()
    }

    async fn events(
        &mut self,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Page<LoggedEvent, EventId>, StoreError> {
        let organization = self.owner();
        let rows = self.rows(assembled(LIST.page(organization, filter, page))).await?;
        let events = rows.iter().map(read_logged).collect::<Result<Vec<_>, _>>()?;
        let counted = self.rows(assembled(LIST.count(organization, filter))).await?;
        let total = Total::counted(number(&counted, TABLE)?);
        Ok(Page::from_one_past(events, page.limit, total, |logged| logged.event.id))
    }
}

/// The events by the index of the filter that is likely to leave the fewest.
const fn source(filter: &EventFilter) -> &'static str {
    match filter {
        EventFilter { resource: Some(_), .. } => ALL_BY_RESOURCE,
        EventFilter { agent: Some(_), .. } => ALL_BY_AGENT,
        EventFilter { action: Some(_), .. } => ALL_BY_ACTION,
        EventFilter { outcome: Some(_), .. } => ALL_BY_OUTCOME,
        EventFilter { .. } => ALL,
    }
}
