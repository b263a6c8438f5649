//! A key of a client as a row of the table `client_key`.

use credentials::{
    CertificateSubject, CertificateThumbprint, ClientKey, ClientKeyRecord, ClientKeyState,
    KeyMaterial, SubjectKind,
};
use kernel::{AgentId, CredentialId, OrganizationId, StoreError};
use tokens::{Algorithm, Jwk};

use crate::{
    cells::{Cells, Columns},
    value::Value,
};

/// The table.
pub const TABLE: &str = "client_key";

/// What never changes: `organization_id, id, agent_id, kid, thumbprint, name, created_at,
/// expires_at`.
#[must_use]
pub fn identity(record: &ClientKeyRecord) -> [Value; 8] {
    [
        Value::Id(record.organization.uuid()),
        Value::Id(record.id.uuid()),
        Value::Id(record.agent.uuid()),
        Value::text(record.kid.as_str()),
        Value::text(record.material.thumbprint().as_str()),
        Value::OptionalText(record.name.as_ref().map(|name| name.as_str().to_owned())),
        Value::instant(record.created_at),
        Value::optional_instant(record.expires_at),
    ]
}

/// What it is, which never changes either: `kind, algorithm, public_key, subject_kind, subject`.
#[must_use]
pub fn material(record: &ClientKeyRecord) -> [Value; 5] {
    let none = || Value::OptionalText(None);
    match &record.material {
        KeyMaterial::Jwk(key) => [
            Value::text("jwk"),
            Value::text(key.algorithm().name()),
            Value::OptionalBytes(Some(key.to_raw())),
            none(),
            none(),
        ],
        KeyMaterial::Certificate(_) => {
            [Value::text("certificate"), none(), Value::OptionalBytes(None), none(), none()]
        }
        KeyMaterial::Subject(subject) => [
            Value::text("subject"),
            none(),
            Value::OptionalBytes(None),
            Value::text(subject.kind.name()),
            Value::text(subject.text.as_str()),
        ],
    }
}

/// What may change: `state, removed_at, revision`.
#[must_use]
pub fn state(record: &ClientKeyRecord) -> [Value; 3] {
    let (state, removed_at) = match record.state {
        ClientKeyState::Live => ("live", None),
        ClientKeyState::Removed { at } => ("removed", Some(at)),
    };
    [Value::text(state), Value::optional_instant(removed_at), Value::revision(record.revision)]
}

/// Reads a key back.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn read(row: &impl Cells) -> Result<ClientKey, StoreError> {
    let row = Columns::of(TABLE, row);
    let material = material_of(&row)?;
    // It is computed from the rest: another one is a row that was tampered with.
    if material.thumbprint().as_str() != row.text("thumbprint")? {
        return Err(row.corrupt("thumbprint"));
    }
    Ok(ClientKey::from_record(ClientKeyRecord {
        id: row.id("id", CredentialId::from_uuid)?,
        organization: row.id("organization_id", OrganizationId::from_uuid)?,
        agent: row.id("agent_id", AgentId::from_uuid)?,
        kid: row.parsed("kid")?,
        material,
        name: row.optional_parsed("name")?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        state: state_of(&row)?,
        revision: row.revision()?,
    }))
}

fn material_of(row: &Columns<'_, impl Cells>) -> Result<KeyMaterial, StoreError> {
    match row.text("kind")? {
        "jwk" => {
            let algorithm = Algorithm::parse(row.text("algorithm")?);
            let algorithm = algorithm.ok_or_else(|| row.corrupt("algorithm"))?;
            let key = Jwk::from_raw(algorithm, row.all_bytes("public_key")?);
            key.map(KeyMaterial::Jwk).ok_or_else(|| row.corrupt("public_key"))
        }
        "certificate" => {
            let thumbprint = CertificateThumbprint::parse(row.text("thumbprint")?);
            let thumbprint = thumbprint.ok_or_else(|| row.corrupt("thumbprint"))?;
            Ok(KeyMaterial::Certificate(thumbprint))
        }
        "subject" => {
            let kind = SubjectKind::parse(row.text("subject_kind")?);
            let kind = kind.ok_or_else(|| row.corrupt("subject_kind"))?;
            Ok(KeyMaterial::Subject(CertificateSubject { kind, text: row.parsed("subject")? }))
        }
        _ => Err(row.corrupt("kind")),
    }
}

fn state_of(row: &Columns<'_, impl Cells>) -> Result<ClientKeyState, StoreError> {
    match (row.text("state")?, row.optional_time("removed_at")?) {
        ("live", None) => Ok(ClientKeyState::Live),
        ("removed", Some(at)) => Ok(ClientKeyState::Removed { at }),
        _ => Err(row.corrupt("state")),
    }
}
