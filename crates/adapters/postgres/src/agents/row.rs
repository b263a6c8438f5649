//! An agent's row, read back.

use kernel::{AgentId, OrganizationId, StoreError};
use registry::{
    Agent, AgentRecord, AgentStatus, Capabilities, Capability, Metadata, Role, Roles, StatusName,
};
use sqlx::postgres::PgRow;

use super::TABLE;
use crate::row::Columns;

pub(super) fn parse(row: &PgRow) -> Result<Agent, StoreError> {
    let row = Columns::of(TABLE, row);
    let capabilities = Capabilities::new(row.names_by("capabilities", Capability::from_stored)?);
    let metadata = Metadata::new(row.object("metadata")?);
    Ok(Agent::from_record(AgentRecord {
        id: row.id("id", AgentId::from_uuid)?,
        organization: row.id("organization_id", OrganizationId::from_uuid)?,
        email: row.parsed("email")?,
        agent_type: row.parsed("agent_type")?,
        version: row.parsed("version")?,
        capabilities: capabilities.map_err(|_| row.corrupt("capabilities"))?,
        owner: row.parsed("owner")?,
        deployment_env: row.parsed("deployment_env")?,
        status: status(&row)?,
        roles: row.names::<Role>("roles")?.into_iter().collect::<Roles>(),
        is_public: row.get("is_public")?,
        metadata: metadata.map_err(|_| row.corrupt("metadata"))?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        tokens_not_before: row.optional_time("tokens_not_before")?,
        revision: row.revision()?,
    }))
}

fn status(row: &Columns<'_>) -> Result<AgentStatus, StoreError> {
    let since = row.optional_time("status_since")?;
    let decommissioned_at = row.optional_time("decommissioned_at")?;
    match (row.parsed::<StatusName>("status")?, since, decommissioned_at) {
        (StatusName::Active, None, None) => Ok(AgentStatus::Active),
        (StatusName::Suspended, Some(since), None) => Ok(AgentStatus::Suspended { since }),
        (StatusName::Revoked, Some(since), None) => Ok(AgentStatus::Revoked { since }),
        (StatusName::Decommissioned, Some(since), None) => {
            Ok(AgentStatus::Decommissioned { since })
        }
        (StatusName::Archived, Some(since), Some(decommissioned_at)) => {
            Ok(AgentStatus::Archived { since, decommissioned_at })
        }
        (
            StatusName::Active
            | StatusName::Suspended
            | StatusName::Revoked
            | StatusName::Decommissioned
            | StatusName::Archived,
            _,
            _,
        ) => Err(row.corrupt("status_since")),
    }
}
