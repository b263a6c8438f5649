//! The port of what is good once.

use jose::{SingleUse, SingleUses};
use kernel::{StoreError, Timestamp};

use crate::session::{Mode, PostgresTx};

/// Who comes second waits here for the first to commit, and then writes nothing.
const USE: &str = "
    INSERT INTO single_use (organization_id, digest, expires_at)
    VALUES ($1, $2, $3)
    ON CONFLICT (organization_id, digest) DO NOTHING";

/// A few at a time, and only what is over by both clocks: the caller's and the machine's, by which
/// the trigger judges.
const FORGET: &str = "
    DELETE FROM single_use
    WHERE (organization_id, digest) IN (
        SELECT organization_id, digest FROM single_use
        WHERE organization_id = $1 AND expires_at < $2
            AND expires_at < extract(epoch FROM clock_timestamp()) * 1000000
        LIMIT 1000
    )";

impl SingleUses for PostgresTx {
    async fn use_once(&mut self, used: &SingleUse, now: Timestamp) -> Result<bool, StoreError> {
        let organization = self.owner().uuid();
        let statement = sqlx::query(USE)
            .bind(organization)
            .bind(used.digest().to_vec())
            .bind(used.expires_at().unix_micros());
        let is_first = self.run(statement).await?.changed == 1;
        if is_first && used.is_an_occasion_to_forget() {
            let forget = sqlx::query(FORGET).bind(organization).bind(now.unix_micros());
            self.run(forget).await?;
        }
        Ok(is_first)
    }
}
