//! The list of agents, filtered: only the conditions asked for are there, so that an index serves
//! each of them.

use kernel::{AgentId, OrganizationId, PageRequest, Total};
use registry::{AgentFilter, Capability};

use super::columns;
use crate::{
    session::Statement,
    statement::{Parts, Value},
};

const ROWS: &str = concat!("SELECT ", columns!());
const COUNT: &str = "SELECT count(*) FROM (SELECT 1";
const COUNT_END: &str = " LIMIT 10001) AS counted";
const ALL: &str = " FROM agent WHERE agent.organization_id = ?";
const WITH_CAPABILITY: &str = "
    FROM agent_capability AS held
    JOIN agent ON agent.organization_id = held.organization_id AND agent.id = held.agent_id
    WHERE held.organization_id = ?";
const THE_CAPABILITY: &str = " AND held.capability = ?";
const BY_OWNER: &str = " AND agent.owner = ?";
const BY_TYPE: &str = " AND agent.agent_type = ?";
const BY_STATUS: &str = " AND agent.status = ?";
const NOT_ARCHIVED: &str = " AND agent.status <> 'archived'";
const BY_DEPLOYMENT_ENV: &str = " AND agent.deployment_env = ?";
const OLDER_THAN: &str = " AND agent.id < ?";
const NEWEST_FIRST: &str = " ORDER BY agent.id DESC";
const HELD_OLDER_THAN: &str = " AND held.agent_id < ?";
const HELD_NEWEST_FIRST: &str = " ORDER BY held.agent_id DESC";

const _: () = assert!(Total::COUNTED_TO + 1 == 10_001, "a count stops one past what is told");

/// The statement for a page.
pub(crate) fn page(
    organization: OrganizationId,
    filter: &AgentFilter,
    page: PageRequest<AgentId>,
) -> Statement {
    let mut parts = Parts::new(ROWS);
    matching(&mut parts, organization, filter);
    let (older_than, newest_first) = match filter.capability {
        Some(_) => (HELD_OLDER_THAN, HELD_NEWEST_FIRST),
        None => (OLDER_THAN, NEWEST_FIRST),
    };
    if let Some(id) = page.older_than() {
        parts.bind(older_than, Value::Id(id.uuid()));
    }
    parts.add(newest_first);
    parts.build_page(page)
}

/// The statement for how many match, as far as they are counted.
pub(crate) fn count(organization: OrganizationId, filter: &AgentFilter) -> Statement {
    let mut parts = Parts::new(COUNT);
    matching(&mut parts, organization, filter);
    parts.add(COUNT_END);
    parts.build()
}

fn matching(parts: &mut Parts, organization: OrganizationId, filter: &AgentFilter) {
    from(parts, organization, filter.capability.as_ref());
    if let Some(owner) = &filter.owner {
        parts.bind(BY_OWNER, Value::Text(owner.as_str().to_owned()));
    }
    if let Some(agent_type) = filter.agent_type {
        parts.bind(BY_TYPE, Value::Text(agent_type.as_str().to_owned()));
    }
    match filter.status {
        Some(status) => parts.bind(BY_STATUS, Value::Text(status.as_str().to_owned())),
        None => parts.add(NOT_ARCHIVED),
    }
    if let Some(env) = filter.deployment_env {
        parts.bind(BY_DEPLOYMENT_ENV, Value::Text(env.as_str().to_owned()));
    }
}

fn from(parts: &mut Parts, organization: OrganizationId, capability: Option<&Capability>) {
    let organization = Value::Id(organization.uuid());
    match capability {
        Some(capability) => {
            parts.bind(WITH_CAPABILITY, organization);
            parts.bind(THE_CAPABILITY, Value::Text(capability.as_str().to_owned()));
        }
        None => parts.bind(ALL, organization),
    }
}
