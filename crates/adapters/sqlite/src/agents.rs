//! The port of agents.

mod write;

use std::collections::{BTreeMap, BTreeSet};

use kernel::{AgentId, Page, PageRequest, Resource, StoreError, Timestamp, Total};
use registry::{
    Agent, AgentFilter, Agents, Fingerprint, IdempotencyKey, OtherAdmins, PastRegistration,
    fields::Email,
};

use stored_rows::{
    AgentList, Columns, Places,
    agent::{TABLE, read},
};

use crate::{
    events,
    row::number,
    session::{Mode, Session},
    statement::{assembled, json_array},
};

/// What a whole agent is read from.
macro_rules! columns {
    () => {
        "agent.id, agent.organization_id, agent.email, agent.agent_type, agent.version,
        agent.capabilities, agent.owner, agent.deployment_env, agent.status, agent.status_since,
        agent.decommissioned_at, agent.roles, agent.is_public, agent.metadata, agent.created_at,
        agent.updated_at, agent.tokens_not_before, agent.revision, agent.resources,
        agent.dpop_bound"
    };
}

pub(crate) const LIST: AgentList = AgentList {
    places: Places::Alike,
    rows: concat!("SELECT ", columns!()),
    // `CROSS JOIN` keeps the order of the tables.
    held: "
    FROM agent_capability AS held
    CROSS JOIN agent ON agent.organization_id = held.organization_id AND agent.id = held.agent_id",
};

const FIND: &str =
    concat!("SELECT ", columns!(), " FROM agent WHERE organization_id = ? AND id = ?");

pub(crate) const FIND_BY_EMAIL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM agent
    WHERE organization_id = ? AND email_folded = ? AND status NOT IN ('decommissioned', 'archived')"
);

// An organization without agents has no tally.
pub(crate) const COUNT: &str =
    "SELECT coalesce((SELECT in_use FROM agent_tally WHERE organization_id = ?), 0)";

pub(crate) const OTHER_ADMINS: &str = "
    SELECT EXISTS (
        SELECT 1 FROM agent INDEXED BY agent_active_admin
        WHERE organization_id = ? AND id <> ? AND status = 'active' AND instr(roles, '\"admin\"') > 0
    )";

pub(crate) const REGISTERED_RESOURCES: &str = "
    SELECT asked.value AS resource
    FROM json_each(?) AS asked
    WHERE EXISTS (
        SELECT 1
        FROM agent INDEXED BY agent_resource_server
        CROSS JOIN json_each(agent.resources) AS own
        WHERE agent.organization_id = ? AND agent.status = 'active' AND agent.resources <> '[]'
            AND own.value = asked.value
    )";

const REGISTRATION: &str = "
    SELECT fingerprint, agent_id FROM idempotency_key
    WHERE organization_id = ? AND caller_id = ? AND key = ? AND expires_at > ?";

pub(crate) const LAST_AUTHENTICATIONS: &str = "
    SELECT agent_id, max(used_at) AS used_at FROM last_use
    WHERE organization_id = ? AND agent_id IN (SELECT unhex(value) FROM json_each(?))
    GROUP BY agent_id";

impl<M: Mode> Agents for Session<M> {
    async fn agent(&mut self, id: AgentId) -> Result<Option<Agent>, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid()).bind(id.uuid());
        self.rows(statement).await?.first().map(read).transpose()
    }

    async fn agent_by_email(&mut self, email: &Email) -> Result<Option<Agent>, StoreError> {
        let statement = sqlx::query(FIND_BY_EMAIL).bind(self.owner().uuid()).bind(email.folded());
        self.rows(statement).await?.first().map(read).transpose()
    }

    async fn agents(
        &mut self,
        filter: &AgentFilter,
        page: PageRequest<AgentId>,
    ) -> Result<Page<Agent, AgentId>, StoreError> {
        let organization = self.owner();
        let rows = self.rows(assembled(LIST.page(organization, filter, page))).await?;
        let agents = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let counted = self.rows(assembled(LIST.count(organization, filter))).await?;
        let total = Total::counted(number(&counted, TABLE)?);
        Ok(Page::from_one_past(agents, page.limit, total, Agent::id))
    }

    async fn agent_count(&mut self) -> Result<u64, StoreError> {
        let statement = sqlx::query(COUNT).bind(self.owner().uuid());
        number(&self.rows(statement).await?, TABLE)
    }

    async fn other_admins(&mut self, than: AgentId) -> Result<OtherAdmins, StoreError> {
        let statement = sqlx::query(OTHER_ADMINS).bind(self.owner().uuid()).bind(than.uuid());
        let any = number(&self.rows(statement).await?, TABLE)? > 0;
        Ok(if any { OtherAdmins::Some } else { OtherAdmins::None })
    }

    async fn registered_resources(
        &mut self,
        asked: &[Resource],
    ) -> Result<BTreeSet<Resource>, StoreError> {
        let statement = sqlx::query(REGISTERED_RESOURCES)
            .bind(json_array(asked.iter().map(Resource::as_str)))
            .bind(self.owner().uuid());
        let rows = self.rows(statement).await?;
        rows.iter().map(|row| Columns::of(TABLE, row).parsed("resource")).collect()
    }

    async fn registration(
        &mut self,
        caller: AgentId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<PastRegistration>, StoreError> {
        let statement = sqlx::query(REGISTRATION)
            .bind(self.owner().uuid())
            .bind(caller.uuid())
            .bind(key.as_str().to_owned())
            .bind(now.unix_micros());
        let rows = self.rows(statement).await?;
        let Some(row) = rows.first().map(|row| Columns::of("idempotency_key", row)) else {
            return Ok(None);
        };
        let fingerprint = Fingerprint::from_bytes(row.bytes("fingerprint")?);
        let agent = row.id("agent_id", AgentId::from_uuid)?;
        Ok(Some(PastRegistration { fingerprint, agent }))
    }

    async fn last_authentications(
        &mut self,
        ids: &[AgentId],
    ) -> Result<BTreeMap<AgentId, Timestamp>, StoreError> {
        let statement = sqlx::query(LAST_AUTHENTICATIONS)
            .bind(self.owner().uuid())
            .bind(events::hex_array(ids.iter().map(|id| id.uuid())));
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| Columns::of("last_use", row))
            .map(|row| Ok((row.id("agent_id", AgentId::from_uuid)?, row.time("used_at")?)))
            .collect()
    }
}
