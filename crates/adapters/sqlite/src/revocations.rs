//! The port of revoked tokens.

use audit::{Apply, Entry};
use kernel::{StoreError, TokenId};
use tokens::{Revocations, TokenRevoked, policy::REMEMBERED};

use crate::{
    held::Writes,
    session::{Mode, Session, SqliteTx},
};

const FIND: &str = "SELECT 1 FROM revoked_token WHERE organization_id = ? AND token_id = ?";

const INSERT: &str = "
    INSERT INTO revoked_token (organization_id, token_id, revoked_at, expires_at, last_event)
    VALUES (?, ?, ?, ?, ?)";

/// A few at a time, and only what is over by both clocks: the caller's and the machine's, by which
/// the trigger judges.
const FORGET: &str = "
    DELETE FROM revoked_token
    WHERE (organization_id, token_id) IN (
        SELECT organization_id, token_id FROM revoked_token
        WHERE organization_id = ? AND expires_at < ?
            AND expires_at < CAST(unixepoch() * 1000000 AS INTEGER)
        LIMIT 100
    )";

impl<M: Mode> Revocations for Session<M> {
    async fn is_revoked(&mut self, token: TokenId) -> Result<bool, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid()).bind(token.uuid());
        Ok(!self.rows(statement).await?.is_empty())
    }
}

impl Apply<TokenRevoked> for SqliteTx {
    async fn apply(&mut self, entry: Entry<'_, TokenRevoked>) -> Result<(), StoreError> {
        let revoked = entry.change();
        let organization = self.owner().uuid();
        let over = revoked.at().minus(REMEMBERED);
        let forget = sqlx::query(FORGET).bind(organization).bind(over.unix_micros());
        self.change(forget).await?;
        let insert = sqlx::query(INSERT)
            .bind(organization)
            .bind(revoked.id().uuid())
            .bind(revoked.at().unix_micros())
            .bind(revoked.expires_at().unix_micros())
            .bind(entry.event().uuid());
        self.change_one(insert).await
    }
}
