//! The port of the signing keys. They belong to the installation: no statement binds an organization.

use audit::{Apply, Entry};
use kernel::StoreError;
use stored_rows::{Value, signing_key};
use tokens::{DamagedKeyEnded, KeptKeys, SigningKeyChange, SigningKeys};

use crate::{
    session::{Mode, PostgresTx, Session, Writes},
    statement::statement,
};

const ALL: &str = "
    SELECT id, algorithm, public_key, private_key, state, state_at, created_at, revision
    FROM signing_key ORDER BY created_at, id";

const INSERT: &str = "
    INSERT INTO signing_key (
        id, algorithm, public_key, created_at, private_key, state, state_at, revision, last_event,
        event_organization_id
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, current_organization())";

const UPDATE: &str = "
    UPDATE signing_key SET private_key = $1, state = $2, state_at = $3, revision = $4, last_event = $5
    WHERE id = $6 AND revision = $7";

/// Writes nothing of the row but its end: whatever of it cannot be read stays as it is.
const END: &str = "
    UPDATE signing_key SET state = $1, state_at = $2, revision = revision + 1, last_event = $3
    WHERE id = $4 AND state = $5";

impl<M: Mode> SigningKeys for Session<M> {
    async fn signing_keys(&mut self) -> Result<KeptKeys, StoreError> {
        signing_key::read_all(&self.rows(sqlx::query(ALL)).await?)
    }
}

impl Apply<SigningKeyChange> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, SigningKeyChange>) -> Result<(), StoreError> {
        let after = entry.change().after();
        let state = signing_key::state(after.record()).into_iter();
        let state = state.chain([Value::Id(entry.event().uuid())]);
        let written = match entry.change().expected() {
            None => statement(INSERT, signing_key::identity(after).into_iter().chain(state)),
            Some(expected) => {
                let id = Value::text(after.id().as_str());
                statement(UPDATE, state.chain([id, Value::revision(expected)]))
            }
        };
        self.change_one(written).await
    }
}

impl Apply<DamagedKeyEnded> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, DamagedKeyEnded>) -> Result<(), StoreError> {
        let (end, row) = (signing_key::end(entry.change()), signing_key::ended(entry.change()));
        let values = end.into_iter().chain([Value::Id(entry.event().uuid())]).chain(row);
        self.change_one(statement(END, values)).await
    }
}
