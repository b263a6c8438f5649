//! The port of organizations.

use audit::{Apply, Entry, Organizations};
use kernel::StoreError;
use stored_rows::{Value, organization};
use tenancy::{Organization, OrganizationChange};

use crate::{
    session::{Mode, PostgresTx, Session, Writes},
    statement::statement,
};

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
        self.rows(statement).await?.first().map(organization::read).transpose()
    }
}

impl Apply<OrganizationChange> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, OrganizationChange>) -> Result<(), StoreError> {
        let record = entry.change().after().record();
        self.owns(record.id)?;
        let state = organization::state(record).into_iter();
        let state = state.chain([Value::Id(entry.event().uuid())]);
        let written = match entry.change().expected() {
            None => statement(INSERT, organization::identity(record).into_iter().chain(state)),
            Some(expected) => {
                let id = Value::Id(self.owner().uuid());
                statement(UPDATE, state.chain([id, Value::revision(expected)]))
            }
        };
        self.change_one(written).await
    }
}
