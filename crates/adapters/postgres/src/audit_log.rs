//! The port of the audit log.

use audit::{AuditLog, EventFilter, EventRecord, Outcome, Resource};
use kernel::{
    AgentId, CredentialId, EventId, OrganizationId, Page, PageRequest, RequestId, StoreError, Total,
};
use sqlx::{postgres::PgRow, types::Uuid};
use tenancy::{Origin, UserAgent};

use crate::{
    row::{Columns, number},
    session::{Mode, Session, Statement},
    statement::{Parts, Value},
};

const TABLE: &str = "audit_event";

/// What a whole event is read from.
macro_rules! columns {
    () => {
        "id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id,
        address, user_agent, used_credential_id, metadata::text AS metadata, occurred_at"
    };
}

pub(crate) const FIND: &str =
    concat!("SELECT ", columns!(), " FROM audit_event WHERE organization_id = $1 AND id = $2");
const ROWS: &str = concat!("SELECT ", columns!());
const COUNT: &str = "SELECT count(*) FROM (SELECT 1";
const COUNT_END: &str = " LIMIT 10001) AS counted";
const ALL: &str = " FROM audit_event";
const IN_ORGANIZATION: &str = " WHERE organization_id = ?";
const BY_AGENT: &str = " AND agent_id = ?";
const BY_ACTION: &str = " AND action = ?";
// Said outright, since only failures have an index of their own, which serves no unknown outcome.
const SUCCESSES: &str = " AND outcome = 'success'";
const FAILURES: &str = " AND outcome = 'failure'";
const BY_RESOURCE: &str = " AND resource_id = ?";
const FROM: &str = " AND occurred_at >= ?";
const UNTIL: &str = " AND occurred_at < ?";
const NOT_BEFORE: &str = " AND id >= ?";
const OLDER_THAN: &str = " AND id < ?";
const NEWEST_FIRST: &str = " ORDER BY id DESC";

impl<M: Mode> AuditLog for Session<M> {
    async fn event(&mut self, id: EventId) -> Result<Option<EventRecord>, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid()).bind(id.uuid());
        self.rows(statement).await?.first().map(parse).transpose()
    }

    async fn events(
        &mut self,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Page<EventRecord, EventId>, StoreError> {
        let organization = self.owner();
        let rows = self.rows(self::page(organization, filter, page)).await?;
        let events = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let counted = self.rows(count(organization, filter)).await?;
        let total = Total::counted(number(&counted, TABLE)?);
        Ok(Page::from_one_past(events, page.limit, total, |event| event.id))
    }
}

/// The statement for how many match, as far as they are counted.
pub(crate) fn count(organization: OrganizationId, filter: &EventFilter) -> Statement {
    let mut count = matching(COUNT, organization, filter);
    count.add(COUNT_END);
    count.build()
}

/// The statement for a page.
pub(crate) fn page(
    organization: OrganizationId,
    filter: &EventFilter,
    page: PageRequest<EventId>,
) -> Statement {
    let mut list = matching(ROWS, organization, filter);
    if let Some(id) = page.older_than() {
        list.bind(OLDER_THAN, Value::Id(id.uuid()));
    }
    list.add(NEWEST_FIRST);
    list.build_page(page)
}

fn matching(head: &'static str, organization: OrganizationId, filter: &EventFilter) -> Parts {
    let mut parts = Parts::new(head);
    parts.add(ALL);
    parts.bind(IN_ORGANIZATION, Value::Id(organization.uuid()));
    if let Some(agent) = filter.agent {
        parts.bind(BY_AGENT, Value::Id(agent.uuid()));
    }
    if let Some(action) = filter.action {
        parts.bind(BY_ACTION, Value::Text(action.name().to_owned()));
    }
    if let Some(outcome) = filter.outcome {
        parts.add(match outcome {
            Outcome::Success => SUCCESSES,
            Outcome::Failure => FAILURES,
        });
    }
    if let Some(resource) = &filter.resource {
        parts.bind(BY_RESOURCE, Value::Text(resource.clone()));
    }
    within(&mut parts, filter);
    parts
}

/// Bounds the time, and by it the ids: an event's id and its time come from one reading of the
/// clock, so that the index on ids finds a window of time without walking over all that is newer.
fn within(parts: &mut Parts, filter: &EventFilter) {
    if let Some(from) = filter.from {
        parts.bind(FROM, Value::Number(from.unix_micros()));
        parts.bind(NOT_BEFORE, Value::Id(first_of(from.unix_millis())));
    }
    if let Some(until) = filter.until {
        parts.bind(UNTIL, Value::Number(until.unix_micros()));
        let next = until.unix_millis().saturating_add(1);
        parts.bind(OLDER_THAN, Value::Id(first_of(next)));
    }
}

/// The smallest UUID of a millisecond, of version 7 or not.
fn first_of(millis: u64) -> Uuid {
    Uuid::from_u128(u128::from(millis) << 80)
}

/// A row of the log.
fn parse(row: &PgRow) -> Result<EventRecord, StoreError> {
    let row = Columns::of(TABLE, row);
    Ok(EventRecord {
        id: row.id("id", EventId::from_uuid)?,
        organization: row.id("organization_id", OrganizationId::from_uuid)?,
        agent: row.optional_id("agent_id", AgentId::from_uuid)?,
        action: row.parsed("action")?,
        outcome: row.parsed("outcome")?,
        resource: resource(&row)?,
        origin: Origin {
            request: RequestId::parse(row.get("request_id")?)
                .ok_or_else(|| row.corrupt("request_id"))?,
            address: row.optional_parsed("address")?,
            user_agent: row.get::<Option<&str>>("user_agent")?.and_then(UserAgent::new),
        },
        used: row.optional_id("used_credential_id", CredentialId::from_uuid)?,
        metadata: row.object("metadata")?,
        timestamp: row.time("occurred_at")?,
    })
}

fn resource(row: &Columns<'_>) -> Result<Option<Resource>, StoreError> {
    match (row.optional_parsed("resource_kind")?, row.get("resource_id")?) {
        (Some(kind), Some(id)) => Ok(Some(Resource { kind, id })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(row.corrupt("resource_id")),
    }
}
