//! Writing an agent, and the idempotency key that it was registered under.

use audit::{Apply, Entry};
use kernel::StoreError;
use registry::{AgentChange, AgentRecord, Registration};
use stored_rows::{Value, agent, value::found};

use crate::{
    session::{Mode, PostgresTx, Writes},
    statement::statement,
};

const INSERT: &str = "
    INSERT INTO agent (
        organization_id, id, email, email_folded, created_at, agent_type, version, capabilities,
        owner, deployment_env, status, status_since, decommissioned_at, roles, is_public, metadata,
        resources, dpop_bound, updated_at, tokens_not_before, revision, last_event
    ) VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::json, $17, $18, $19, $20, $21, $22
    )";

const UPDATE: &str = "
    UPDATE agent
    SET agent_type = $1, version = $2, capabilities = $3, owner = $4, deployment_env = $5, status = $6,
        status_since = $7, decommissioned_at = $8, roles = $9, is_public = $10, metadata = $11::json,
        resources = $12, dpop_bound = $13, updated_at = $14, tokens_not_before = $15, revision = $16,
        last_event = $17
    WHERE organization_id = $18 AND id = $19 AND revision = $20";

/// A key that has expired is as good as none, so that the row may be taken over.
const REMEMBER_KEY: &str = "
    INSERT INTO idempotency_key (
        organization_id, caller_id, key, fingerprint, agent_id, expires_at
    ) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (organization_id, caller_id, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, agent_id = excluded.agent_id,
        expires_at = excluded.expires_at
    WHERE idempotency_key.expires_at <= $7";

/// A few at a time: the table stays small, and no registration pays for many others.
const FORGET_KEYS: &str = "
    DELETE FROM idempotency_key
    WHERE (organization_id, caller_id, key) IN (
        SELECT organization_id, caller_id, key FROM idempotency_key
        WHERE organization_id = $1 AND expires_at <= $2
        LIMIT 100
    )";

impl Apply<AgentChange> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, AgentChange>) -> Result<(), StoreError> {
        let record = entry.change().after().record();
        self.owns(record.organization)?;
        let state = agent::state(record).into_iter().chain([Value::Id(entry.event().uuid())]);
        let written = match entry.change().expected() {
            None => statement(INSERT, agent::identity(record).into_iter().chain(state)),
            Some(expected) => {
                let (organization, id) = (self.owner().uuid(), record.id.uuid());
                statement(UPDATE, state.chain(found(organization, id, expected)))
            }
        };
        self.change_one(written).await?;
        match entry.change().registration() {
            Some(registration) => self.remember(registration, record).await,
            None => Ok(()),
        }
    }
}

impl PostgresTx {
    async fn remember(
        &mut self,
        registration: &Registration,
        agent: &AgentRecord,
    ) -> Result<(), StoreError> {
        let now = agent.created_at.unix_micros();
        let organization = self.owner().uuid();
        let forget = sqlx::query(FORGET_KEYS).bind(organization).bind(now);
        self.change(forget).await?;
        let remember = sqlx::query(REMEMBER_KEY)
            .bind(organization)
            .bind(registration.caller.uuid())
            .bind(registration.key.as_str().to_owned())
            .bind(registration.fingerprint.as_bytes().to_vec())
            .bind(agent.id.uuid())
            .bind(registration.expires_at.unix_micros())
            .bind(now);
        self.change_one(remember).await
    }
}
