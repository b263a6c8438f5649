//! The port of the keys that sign checkpoints. They belong to the installation: no statement binds an
//! organization.

use audit::{Apply, CheckpointKey, CheckpointKeyCreated, CheckpointKeys, Entry};
use kernel::StoreError;
use stored_rows::{Value, log};

use crate::{
    held::Writes,
    session::{Mode, Session, SqliteTx},
    statement::statement,
};

const ALL: &str = "
    SELECT id, public_key, private_key, created_at FROM checkpoint_key ORDER BY created_at, id";

const INSERT: &str = "
    INSERT INTO checkpoint_key (id, public_key, private_key, created_at, last_event)
    VALUES (?, ?, ?, ?, ?)";

impl<M: Mode> CheckpointKeys for Session<M> {
    async fn checkpoint_keys(&mut self) -> Result<Vec<CheckpointKey>, StoreError> {
        self.rows(sqlx::query(ALL)).await?.iter().map(log::checkpoint_key).collect()
    }
}

impl Apply<CheckpointKeyCreated> for SqliteTx {
    async fn apply(&mut self, entry: Entry<'_, CheckpointKeyCreated>) -> Result<(), StoreError> {
        let key = entry.change().key();
        let values = [
            Value::text(&key.id),
            Value::Bytes(key.public.to_vec()),
            Value::Bytes(key.private.as_bytes().to_vec()),
            Value::instant(key.created_at),
            Value::Id(entry.event().uuid()),
        ];
        self.change_one(statement(INSERT, values)).await
    }
}
