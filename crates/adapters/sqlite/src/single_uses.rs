//! The port of what is good once.

use jose::{SingleUse, SingleUses};
use kernel::{OrganizationId, StoreError, Timestamp};

use crate::{
    session::{Mode, Session, Statement},
    store::SqliteStore,
};

/// There is one writer at a time: what is not there when it looks is not there when it writes.
const USE: &str = "
    INSERT INTO single_use (organization_id, digest, expires_at)
    SELECT ?1, ?2, ?3
    WHERE NOT EXISTS (SELECT 1 FROM single_use WHERE organization_id = ?1 AND digest = ?2)";

/// A few at a time, and only what is over by both clocks: the caller's and the machine's, by which
/// the trigger judges.
const FORGET: &str = "
    DELETE FROM single_use
    WHERE (organization_id, digest) IN (
        SELECT organization_id, digest FROM single_use
        WHERE organization_id = ? AND expires_at < ?
            AND expires_at < CAST(unixepoch() * 1000000 AS INTEGER)
        LIMIT 1000
    )";

impl SingleUses for SqliteStore {
    async fn use_once(
        &self,
        organization: OrganizationId,
        used: &SingleUse,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut session = Session::new(self.hold(organization).await?);
        let organization = organization.uuid();
        let statement: Statement = sqlx::query(USE)
            .bind(organization)
            .bind(used.digest().to_vec())
            .bind(used.expires_at().unix_micros());
        let is_first = session.run(statement).await?.changed == 1;
        if is_first && used.is_an_occasion_to_forget() {
            let forget = sqlx::query(FORGET).bind(organization).bind(now.unix_micros());
            session.run(forget).await?;
        }
        session.commit().await?;
        Ok(is_first)
    }
}
