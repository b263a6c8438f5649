//! The port of what is good once.

use jose::{SingleUse, SingleUses};
use kernel::{OrganizationId, StoreError, Timestamp};

use crate::store::PostgresStore;

/// Who comes second waits here for the first to commit, and then writes nothing.
const USE: &str = "
    INSERT INTO single_use (organization_id, digest, expires_at)
    VALUES ($1, $2, $3)
    ON CONFLICT (organization_id, digest) DO NOTHING";

/// A few at a time, and only what is over by both clocks: the caller's and the machine's, by which
/// the trigger judges.
///
/// One at a time in an organization, and nobody waits for a turn: two that delete the same rows, each
/// in an order of its own, would wait for each other. To lock the rows first and to skip those that
/// are locked asks for the right to update them, which the server does not have. Somebody who uses
/// something waits only before he has written, and so keeps nobody waiting meanwhile.
const FORGET: &str = "
    DELETE FROM single_use
    WHERE (SELECT pg_try_advisory_xact_lock(hashtext('a use is forgotten'), hashtext($1::text)))
        AND (organization_id, digest) IN (
            SELECT organization_id, digest FROM single_use
            WHERE organization_id = $1 AND expires_at < $2
                AND expires_at < extract(epoch FROM clock_timestamp()) * 1000000
            LIMIT 1000
        )";

/// Begins a transaction that waits for no other: the primary key alone lets one of many pass. At
/// `READ COMMITTED`, so that who comes second sees what the first has committed meanwhile.
fn begin(organization: OrganizationId) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SELECT set_config('app.organization', '{organization}', true)"
    )
}

impl SingleUses for PostgresStore {
    async fn use_once(
        &self,
        organization: OrganizationId,
        used: &SingleUse,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.transaction(begin(organization)).await?;
        let organization = organization.uuid();
        let statement = sqlx::query(USE)
            .bind(organization)
            .bind(used.digest().to_vec())
            .bind(used.expires_at().unix_micros());
        let is_first = transaction.run(statement).await?.changed == 1;
        if is_first && used.is_an_occasion_to_forget() {
            let forget = sqlx::query(FORGET).bind(organization).bind(now.unix_micros());
            transaction.run(forget).await?;
        }
        transaction.commit().await?;
        Ok(is_first)
    }
}
