//! The lists, filtered: only the conditions asked for are there, so that an index serves each of
//! them. What a database must be told about its indexes is its store's to say.

use audit::{EventFilter, Outcome};
use kernel::{AgentId, CredentialId, EventId, OrganizationId, PageRequest, Total};
use registry::{AgentFilter, Capability};

use crate::{
    event::first_id_of,
    text::{Places, Text},
    value::Value,
};

const COUNT: &str = "SELECT count(*) FROM (SELECT 1";
const COUNT_END: &str = " LIMIT 10001) AS counted";

const _: () = assert!(Total::COUNTED_TO + 1 == 10_001, "a count stops one past what is told");

/// How a store lists agents.
#[derive(Debug, Clone, Copy)]
pub struct AgentList {
    /// How it writes places.
    pub places: Places,
    /// `SELECT` and the columns of an agent.
    pub rows: &'static str,
    /// From the capabilities, called `held`, whose index is in the list's order, to their agents:
    /// `FROM` and a join, without a condition.
    pub held: &'static str,
}

impl AgentList {
    // An organization without agents has no row.
    const TALLY: &'static str = "SELECT coalesce((SELECT listed FROM agent_tally";
    const TALLY_OF: &'static str = " WHERE organization_id = ?";
    const TALLY_END: &'static str = "), 0)";
    const ALL: &'static str = " FROM agent WHERE agent.organization_id = ?";
    const HELD_IN: &'static str = " WHERE held.organization_id = ?";
    const THE_CAPABILITY: &'static str = " AND held.capability = ?";
    const BY_OWNER: &'static str = " AND agent.owner = ?";
    const BY_TYPE: &'static str = " AND agent.agent_type = ?";
    const BY_STATUS: &'static str = " AND agent.status = ?";
    const NOT_ARCHIVED: &'static str = " AND agent.status <> 'archived'";
    const BY_DEPLOYMENT_ENV: &'static str = " AND agent.deployment_env = ?";
    const OLDER_THAN: &'static str = " AND agent.id < ?";
    const NEWEST_FIRST: &'static str = " ORDER BY agent.id DESC";
    const HELD_OLDER_THAN: &'static str = " AND held.agent_id < ?";
    const HELD_NEWEST_FIRST: &'static str = " ORDER BY held.agent_id DESC";

    /// A page of those that match.
    #[must_use]
    pub fn page(
        &self,
        organization: OrganizationId,
        filter: &AgentFilter,
        page: PageRequest<AgentId>,
    ) -> Text {
        let mut text = Text::new(self.places, self.rows);
        self.matching(&mut text, organization, filter);
        let (older_than, newest_first) = match filter.capability {
            Some(_) => (Self::HELD_OLDER_THAN, Self::HELD_NEWEST_FIRST),
            None => (Self::OLDER_THAN, Self::NEWEST_FIRST),
        };
        if let Some(id) = page.older_than() {
            text.bind(older_than, Value::Id(id.uuid()));
        }
        text.add(newest_first);
        text.bind_page(page);
        text
    }

    /// How many match, as far as they are counted; of all, by the tally.
    #[must_use]
    pub fn count(&self, organization: OrganizationId, filter: &AgentFilter) -> Text {
        if *filter == AgentFilter::default() {
            let mut text = Text::new(self.places, Self::TALLY);
            text.bind(Self::TALLY_OF, Value::Id(organization.uuid()));
            text.add(Self::TALLY_END);
            return text;
        }
        let mut text = Text::new(self.places, COUNT);
        self.matching(&mut text, organization, filter);
        text.add(COUNT_END);
        text
    }

    fn matching(&self, text: &mut Text, organization: OrganizationId, filter: &AgentFilter) {
        self.from(text, organization, filter.capability.as_ref());
        if let Some(owner) = &filter.owner {
            text.bind(Self::BY_OWNER, Value::text(owner.as_str()));
        }
        if let Some(agent_type) = filter.agent_type {
            text.bind(Self::BY_TYPE, Value::text(agent_type.as_str()));
        }
        match filter.status {
            Some(status) => text.bind(Self::BY_STATUS, Value::text(status.as_str())),
            None => text.add(Self::NOT_ARCHIVED),
        }
        if let Some(env) = filter.deployment_env {
            text.bind(Self::BY_DEPLOYMENT_ENV, Value::text(env.as_str()));
        }
    }

    fn from(&self, text: &mut Text, organization: OrganizationId, capability: Option<&Capability>) {
        let organization = Value::Id(organization.uuid());
        match capability {
            Some(capability) => {
                text.add(self.held);
                text.bind(Self::HELD_IN, organization);
                text.bind(Self::THE_CAPABILITY, Value::text(capability.as_str()));
            }
            None => text.bind(Self::ALL, organization),
        }
    }
}

/// How a store lists the credentials of an agent, or its keys.
#[derive(Debug, Clone, Copy)]
pub struct CredentialList {
    /// How it writes places.
    pub places: Places,
    /// `SELECT` and the columns of a credential, `FROM` and the table.
    pub rows: &'static str,
}

impl CredentialList {
    const IN_ORGANIZATION: &'static str = " WHERE organization_id = ?";
    const OF_AGENT: &'static str = " AND agent_id = ?";
    const OLDER_THAN: &'static str = " AND id < ?";
    const NEWEST_FIRST: &'static str = " ORDER BY id DESC";

    /// A page of them.
    #[must_use]
    pub fn page(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Text {
        let mut text = Text::new(self.places, self.rows);
        text.bind(Self::IN_ORGANIZATION, Value::Id(organization.uuid()));
        text.bind(Self::OF_AGENT, Value::Id(agent.uuid()));
        if let Some(id) = page.older_than() {
            text.bind(Self::OLDER_THAN, Value::Id(id.uuid()));
        }
        text.add(Self::NEWEST_FIRST);
        text.bind_page(page);
        text
    }
}

/// How a store lists events.
#[derive(Debug, Clone, Copy)]
pub struct EventList {
    /// How it writes places.
    pub places: Places,
    /// `SELECT` and the columns of an event.
    pub rows: &'static str,
    /// `FROM audit_event`, with whatever leads to the index that is likely to leave the fewest.
    pub source: fn(&EventFilter) -> &'static str,
}

impl EventList {
    const IN_ORGANIZATION: &'static str = " WHERE organization_id = ?";
    const NOT_ERASED: &'static str = " AND erased_at IS NULL";
    const BY_AGENT: &'static str = " AND agent_id = ?";
    const BY_ACTION: &'static str = " AND action = ?";
    // Said outright: an index of failures alone serves no outcome that is not known.
    const SUCCESSES: &'static str = " AND outcome = 'success'";
    const FAILURES: &'static str = " AND outcome = 'failure'";
    const BY_RESOURCE: &'static str = " AND resource_id = ?";
    const FROM: &'static str = " AND occurred_at >= ?";
    const UNTIL: &'static str = " AND occurred_at < ?";
    const NOT_BEFORE: &'static str = " AND id >= ?";
    const OLDER_THAN: &'static str = " AND id < ?";
    const NEWEST_FIRST: &'static str = " ORDER BY id DESC";

    /// A page of those that match.
    #[must_use]
    pub fn page(
        &self,
        organization: OrganizationId,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Text {
        let mut text = self.matching(self.rows, organization, filter);
        if let Some(id) = page.older_than() {
            text.bind(Self::OLDER_THAN, Value::Id(id.uuid()));
        }
        text.add(Self::NEWEST_FIRST);
        text.bind_page(page);
        text
    }

    /// How many match, as far as they are counted.
    #[must_use]
    pub fn count(&self, organization: OrganizationId, filter: &EventFilter) -> Text {
        let mut text = self.matching(COUNT, organization, filter);
        text.add(COUNT_END);
        text
    }

    fn matching(
        &self,
        head: &'static str,
        organization: OrganizationId,
        filter: &EventFilter,
    ) -> Text {
        let mut text = Text::new(self.places, head);
        text.add((self.source)(filter));
        text.bind(Self::IN_ORGANIZATION, Value::Id(organization.uuid()));
        text.add(Self::NOT_ERASED);
        if let Some(agent) = filter.agent {
            text.bind(Self::BY_AGENT, Value::Id(agent.uuid()));
        }
        if let Some(action) = filter.action {
            text.bind(Self::BY_ACTION, Value::text(action.name()));
        }
        match filter.outcome {
            Some(Outcome::Success) => text.add(Self::SUCCESSES),
            Some(Outcome::Failure) => text.add(Self::FAILURES),
            None => {}
        }
        if let Some(resource) = &filter.resource {
            text.bind(Self::BY_RESOURCE, Value::text(resource));
        }
        Self::within(&mut text, filter);
        text
    }

    /// Bounds the time, and by it the ids.
    fn within(text: &mut Text, filter: &EventFilter) {
        if let Some(from) = filter.from {
            text.bind(Self::FROM, Value::instant(from));
            text.bind(Self::NOT_BEFORE, Value::Id(first_id_of(from.unix_millis())));
        }
        if let Some(until) = filter.until {
            text.bind(Self::UNTIL, Value::instant(until));
            let next = until.unix_millis().saturating_add(1);
            text.bind(Self::OLDER_THAN, Value::Id(first_id_of(next)));
        }
    }
}
