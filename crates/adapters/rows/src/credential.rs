//! A credential as a row of the table `credential`.

use credentials::{Credential, CredentialRecord, CredentialState, PepperVersion, SecretHash};
use kernel::{AgentId, CredentialId, OrganizationId, StoreError};

use crate::{
    cells::{Cells, Columns},
    value::Value,
};

/// The table.
pub const TABLE: &str = "credential";

/// What never changes: `organization_id, id, agent_id, hash, pepper_version, created_at`.
#[must_use]
pub fn identity(record: &CredentialRecord) -> [Value; 6] {
    [
        Value::Id(record.organization.uuid()),
        Value::Id(record.id.uuid()),
        Value::Id(record.agent.uuid()),
        Value::Bytes(record.hash.mac().to_vec()),
        Value::Number(i64::from(record.hash.version().get())),
        Value::instant(record.created_at),
    ]
}

/// What may change: `name, state, superseded_by, revoked_at, expires_at, revision`.
#[must_use]
pub fn state(record: &CredentialRecord) -> [Value; 6] {
    let (state, superseded_by, revoked_at) = match record.state {
        CredentialState::Live => ("live", None, None),
        CredentialState::Superseded { by } => ("superseded", Some(by.uuid()), None),
        CredentialState::Revoked { at } => ("revoked", None, Some(at)),
    };
    [
        Value::OptionalText(record.name.as_ref().map(|name| name.as_str().to_owned())),
        Value::text(state),
        Value::OptionalId(superseded_by),
        Value::optional_instant(revoked_at),
        Value::optional_instant(record.expires_at),
        Value::revision(record.revision),
    ]
}

/// Reads a credential back.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn read(row: &impl Cells) -> Result<Credential, StoreError> {
    let row = Columns::of(TABLE, row);
    let version = PepperVersion::new(row.number("pepper_version")?)
        .ok_or_else(|| row.corrupt("pepper_version"))?;
    Ok(Credential::from_record(CredentialRecord {
        id: row.id("id", CredentialId::from_uuid)?,
        agent: row.id("agent_id", AgentId::from_uuid)?,
        organization: row.id("organization_id", OrganizationId::from_uuid)?,
        name: row.optional_parsed("name")?,
        hash: SecretHash::from_parts(version, row.bytes("hash")?),
        state: state_of(&row)?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        revision: row.revision()?,
    }))
}

fn state_of(row: &Columns<'_, impl Cells>) -> Result<CredentialState, StoreError> {
    let by = row.optional_id("superseded_by", CredentialId::from_uuid)?;
    match (row.text("state")?, by, row.optional_time("revoked_at")?) {
        ("live", None, None) => Ok(CredentialState::Live),
        ("superseded", Some(by), None) => Ok(CredentialState::Superseded { by }),
        ("revoked", None, Some(at)) => Ok(CredentialState::Revoked { at }),
        _ => Err(row.corrupt("state")),
    }
}
