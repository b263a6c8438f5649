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
    row::number,
    session::{Mode, Session},
    statement::assembled,
};

/// What a whole agent is read from.
macro_rules! columns {
    () => {
        "agent.id, agent.organization_id, agent.email, agent.agent_type, agent.version,
        agent.capabilities, agent.owner, agent.deployment_env, agent.status, agent.status_since,
        agent.decommissioned_at, agent.roles, agent.is_public,
        agent.metadata::text AS metadata, agent.created_at,
        agent.updated_at, agent.tokens_not_before, agent.revision, agent.resources,
        agent.dpop_bound"
    };
}

pub(crate) const LIST: AgentList = AgentList {
    places: Places::Numbered,
    rows: concat!("SELECT ", columns!()),
    held: "
    FROM agent_capability AS held
    JOIN agent ON agent.organization_id = held.organization_id AND agent.id = held.agent_id",
};

pub(crate) const FIND: &str =
    concat!("SELECT ", columns!(), " FROM agent WHERE organization_id = $1 AND id = $2");

pub(crate) const FIND_BY_EMAIL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM agent
    WHERE organization_id = $1 AND email_folded = $2 AND status NOT IN ('decommissioned', 'archived')"
);

// An organization without agents has no tally.
pub(crate) const COUNT: &str =
    "SELECT coalesce((SELECT in_use FROM agent_tally WHERE organization_id = $1), 0)";

pub(crate) const OTHER_ADMINS: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM agent
        WHERE organization_id = $1 AND id <> $2 AND status = 'active' AND 'admin' = ANY (roles)
        LIMIT 1
    ) AS other";

pub(crate) const REGISTERED_RESOURCES: &str = "
    SELECT asked.resource
    FROM unnest($2::text[]) AS asked (resource)
    WHERE EXISTS (
        SELECT 1 FROM agent
        WHERE agent.organization_id = $1 AND agent.status = 'active' AND agent.resources <> '{}'
            AND asked.resource = ANY (agent.resources)
    )";

pub(crate) const REGISTRATION: &str = "
    SELECT fingerprint, agent_id FROM idempotency_key
    WHERE organization_id = $1 AND caller_id = $2 AND key = $3 AND expires_at > $4";

/// The last use of any secret or key of agents, by events that are there and that were erased: a step into
/// each index for each credential.
macro_rules! last_authentications {
    ($of_the_agents:literal) => {
        concat!(
            "
    SELECT means.agent_id, max(used.used_at) AS used_at
    FROM (
        SELECT organization_id, id, agent_id FROM credential
        UNION ALL
        SELECT organization_id, id, agent_id FROM client_key
    ) AS means
    CROSS JOIN LATERAL (
        SELECT greatest(
            (
                SELECT occurred_at FROM audit_event
                WHERE audit_event.organization_id = means.organization_id
                    AND audit_event.used_credential_id = means.id
                    AND audit_event.outcome = 'success'
                ORDER BY audit_event.id DESC
                LIMIT 1
            ),
            (
                SELECT last_use.used_at FROM last_use
                WHERE last_use.organization_id = means.organization_id
                    AND last_use.credential_id = means.id
            )
        ) AS used_at
    ) AS used
    WHERE means.organization_id = $1 AND means.agent_id ",
            $of_the_agents,
            "
        AND used.used_at IS NOT NULL
    GROUP BY means.agent_id"
        )
    };
}

pub(crate) const LAST_AUTHENTICATIONS: &str = last_authentications!("= ANY ($2)");

/// Of one agent: its plan is kept. That for any number of agents is made anew each time, which takes
/// six times as long as to run it.
pub(crate) const LAST_AUTHENTICATION: &str = last_authentications!("= $2");

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
            .bind(self.owner().uuid())
            .bind(asked.iter().map(Resource::as_str).collect::<Vec<_>>());
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
        let owner = self.owner().uuid();
        let statement = match ids {
            [one] => sqlx::query(LAST_AUTHENTICATION).bind(owner).bind(one.uuid()),
            ids => sqlx::query(LAST_AUTHENTICATIONS)
                .bind(owner)
                .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>()),
        };
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| Columns::of("audit_event", row))
            .map(|row| Ok((row.id("agent_id", AgentId::from_uuid)?, row.time("used_at")?)))
            .collect()
    }
}
