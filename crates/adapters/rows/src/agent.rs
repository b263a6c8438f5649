//! An agent as a row of the table `agent`.

use kernel::{AgentId, OrganizationId, Resource, StoreError, Timestamp};
use registry::{
    Agent, AgentRecord, AgentStatus, Capabilities, Capability, Metadata, Resources, Role, Roles,
    StatusName,
};

use crate::{
    cells::{Cells, Columns},
    value::Value,
};

/// The table.
pub const TABLE: &str = "agent";

/// What never changes: `organization_id, id, email, email_folded, created_at`.
#[must_use]
pub fn identity(record: &AgentRecord) -> [Value; 5] {
    [
        Value::Id(record.organization.uuid()),
        Value::Id(record.id.uuid()),
        Value::text(record.email.as_str()),
        Value::Text(record.email.folded()),
        Value::instant(record.created_at),
    ]
}

/// What may change: `agent_type, version, capabilities, owner, deployment_env, status,
/// status_since, decommissioned_at, roles, is_public, metadata, resources, dpop_bound, updated_at,
/// tokens_not_before, revision`.
#[must_use]
pub fn state(record: &AgentRecord) -> [Value; 16] {
    let (since, decommissioned_at) = instants(record.status);
    [
        Value::text(record.agent_type.as_str()),
        Value::text(record.version.as_str()),
        Value::names(record.capabilities.iter().map(|capability| capability.as_str())),
        Value::text(record.owner.as_str()),
        Value::text(record.deployment_env.as_str()),
        Value::text(record.status.name().as_str()),
        Value::optional_instant(since),
        Value::optional_instant(decommissioned_at),
        Value::names(record.roles.iter().map(Role::name)),
        Value::Flag(record.is_public),
        Value::Object(record.metadata.as_object().clone()),
        Value::names(record.resources.iter().map(Resource::as_str)),
        Value::Flag(record.dpop_bound_access_tokens),
        Value::instant(record.updated_at),
        Value::optional_instant(record.tokens_not_before),
        Value::revision(record.revision),
    ]
}

/// Since when it stands where it stands, and when an archived one was decommissioned.
const fn instants(status: AgentStatus) -> (Option<Timestamp>, Option<Timestamp>) {
    match status {
        AgentStatus::Active => (None, None),
        AgentStatus::Suspended { since }
        | AgentStatus::Revoked { since }
        | AgentStatus::Decommissioned { since } => (Some(since), None),
        AgentStatus::Archived { since, decommissioned_at } => {
            (Some(since), Some(decommissioned_at))
        }
    }
}

/// Reads an agent back.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn read(row: &impl Cells) -> Result<Agent, StoreError> {
    let row = Columns::of(TABLE, row);
    let capabilities = Capabilities::new(row.names_by("capabilities", Capability::from_stored)?);
    let metadata = Metadata::new(row.object("metadata")?);
    let resources = Resources::new(row.names::<Resource>("resources")?);
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
        is_public: row.flag("is_public")?,
        metadata: metadata.map_err(|_| row.corrupt("metadata"))?,
        resources: resources.map_err(|_| row.corrupt("resources"))?,
        dpop_bound_access_tokens: row.flag("dpop_bound")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        tokens_not_before: row.optional_time("tokens_not_before")?,
        revision: row.revision()?,
    }))
}

fn status(row: &Columns<'_, impl Cells>) -> Result<AgentStatus, StoreError> {
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
