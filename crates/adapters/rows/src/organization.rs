//! An organization as a row of the table `organization`.

use kernel::{OrganizationId, StoreError, Timestamp};
use tenancy::{Kind, Organization, OrganizationRecord, OrganizationStatus, Plan};

use crate::{
    cells::{Cells, Columns},
    value::Value,
};

/// The table.
pub const TABLE: &str = "organization";

/// What never changes: `id, kind, created_at`.
#[must_use]
pub fn identity(record: &OrganizationRecord) -> [Value; 3] {
    [
        Value::Id(record.id.uuid()),
        Value::text(kind_name(record.kind)),
        Value::instant(record.created_at),
    ]
}

/// What may change: `name, slug, plan, status, status_since, tokens_not_before, updated_at,
/// revision`.
#[must_use]
pub fn state(record: &OrganizationRecord) -> [Value; 8] {
    let since = match record.status {
        OrganizationStatus::Active => None,
        OrganizationStatus::Suspended { since } => Some(since),
    };
    [
        Value::text(record.name.as_str()),
        Value::text(record.slug.as_str()),
        Value::text(record.plan.name()),
        Value::text(record.status.name()),
        Value::optional_instant(since),
        Value::OptionalNumber(record.tokens_not_before.map(Timestamp::unix_micros)),
        Value::instant(record.updated_at),
        Value::revision(record.revision),
    ]
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Platform => "platform",
        Kind::Tenant => "tenant",
    }
}

/// Reads an organization back.
///
/// # Errors
/// [`StoreError::Corrupt`]
pub fn read(row: &impl Cells) -> Result<Organization, StoreError> {
    let row = Columns::of(TABLE, row);
    let kind = match row.text("kind")? {
        "platform" => Kind::Platform,
        "tenant" => Kind::Tenant,
        _ => return Err(row.corrupt("kind")),
    };
    let status = match (row.text("status")?, row.optional_time("status_since")?) {
        ("active", None) => OrganizationStatus::Active,
        ("suspended", Some(since)) => OrganizationStatus::Suspended { since },
        _ => return Err(row.corrupt("status")),
    };
    Ok(Organization::from_record(OrganizationRecord {
        id: row.id("id", OrganizationId::from_uuid)?,
        name: row.parsed("name")?,
        slug: row.parsed("slug")?,
        kind,
        plan: row.parsed::<Plan>("plan")?,
        status,
        tokens_not_before: row.optional_time("tokens_not_before")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        revision: row.revision()?,
    }))
}
