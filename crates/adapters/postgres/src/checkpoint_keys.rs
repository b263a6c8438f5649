//! The port of the keys that sign checkpoints. They belong to the installation: no statement binds an
//! organization.

use audit::{Apply, CheckpointKey, CheckpointKeyCreated, CheckpointKeys, Entry};
use kernel::StoreError;
use stored_rows::log;

use crate::session::{Mode, PostgresTx, Session, Writes};

const ALL: &str = "
    SELECT id, public_key, private_key, created_at FROM checkpoint_key ORDER BY created_at, id";

const INSERT: &str = "
    INSERT INTO checkpoint_key (
        id, public_key, private_key, created_at, last_event, event_organization_id
    ) VALUES ($1, $2, $3, $4, $5, current_organization())";

impl<M: Mode> CheckpointKeys for Session<M> {
    async fn checkpoint_keys(&mut self) -> Result<Vec<CheckpointKey>, StoreError> {
        self.rows(sqlx::query(ALL)).await?.iter().map(log::checkpoint_key).collect()
    }
}

impl Apply<CheckpointKeyCreated> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, CheckpointKeyCreated>) -> Result<(), StoreError> {
        let key = entry.change().key();
        let insert = sqlx::query(INSERT)
            .bind(key.id.clone())
            .bind(key.public.to_vec())
            .bind(key.private.as_bytes().to_vec())
            .bind(key.created_at.unix_micros())
            .bind(entry.event().uuid());
        self.change_one(insert).await
    }
}
