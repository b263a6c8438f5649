//! The port of organizations.

use audit::{Apply, Entry, Organizations};
use kernel::{OrganizationId, StoreError};
use sqlx::postgres::PgRow;
use tenancy::{
    Kind, Organization, OrganizationChange, OrganizationRecord, OrganizationStatus, Plan,
};

use crate::{
    row::Columns,
    session::{Mode, PostgresTx, Session, Statement},
};

const TABLE: &str = "organization";

pub(crate) const FIND: &str = "
    SELECT id, name, slug, kind, plan, status, status_since, tokens_not_before, created_at,
        updated_at, revision
    FROM organization WHERE id = $1";

const INSERT: &str = "
    INSERT INTO organization (
        id, kind, created_at, name, slug, plan, status, status_since, tokens_not_before, updated_at,
        revision, last_event
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

const UPDATE: &str = "
    UPDATE organization
    SET name = $1, slug = $2, plan = $3, status = $4, status_since = $5, tokens_not_before = $6,
        updated_at = $7, revision = $8, last_event = $9
    WHERE id = $10 AND revision = $11";

impl<M: Mode> Organizations for Session<M> {
    async fn organization(&mut self) -> Result<Option<Organization>, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid());
        self.rows(statement).await?.first().map(parse).transpose()
    }
}

impl Apply<OrganizationChange> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, OrganizationChange>) -> Result<(), StoreError> {
        let record = entry.change().after().record();
        self.owns(record.id)?;
        let id = self.owner().uuid();
        let statement = match entry.change().expected() {
            None => {
                let statement = sqlx::query(INSERT)
                    .bind(id)
                    .bind(kind_name(record.kind))
                    .bind(record.created_at.unix_micros());
                bind(statement, record).bind(entry.event().uuid())
            }
            Some(expected) => bind(sqlx::query(UPDATE), record)
                .bind(entry.event().uuid())
                .bind(id)
                .bind(i64::from(expected.get())),
        };
        self.change_one(statement).await
    }
}

/// Binds what may change.
fn bind(statement: Statement, record: &OrganizationRecord) -> Statement {
    let since = match record.status {
        OrganizationStatus::Active => None,
        OrganizationStatus::Suspended { since } => Some(since.unix_micros()),
    };
    statement
        .bind(record.name.as_str().to_owned())
        .bind(record.slug.as_str().to_owned())
        .bind(record.plan.name())
        .bind(record.status.name())
        .bind(since)
        .bind(record.tokens_not_before.map(kernel::Timestamp::unix_micros))
        .bind(record.updated_at.unix_micros())
        .bind(i64::from(record.revision.get()))
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Platform => "platform",
        Kind::Tenant => "tenant",
    }
}

fn parse(row: &PgRow) -> Result<Organization, StoreError> {
    let row = Columns::of(TABLE, row);
    let kind = match row.get("kind")? {
        "platform" => Kind::Platform,
        "tenant" => Kind::Tenant,
        _ => return Err(row.corrupt("kind")),
    };
    let status = match (row.get("status")?, row.optional_time("status_since")?) {
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
