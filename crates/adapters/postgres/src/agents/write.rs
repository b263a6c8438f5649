//! Writing an agent, and the idempotency key that it was registered under.

use audit::{Apply, Entry};
use kernel::{StoreError, Timestamp};
use registry::{AgentChange, AgentRecord, AgentStatus, Registration};
use serde_json::Value;

use crate::session::{Mode, PostgresTx, Statement};

const INSERT: &str = "
    INSERT INTO agent (
        organization_id, id, email, email_folded, created_at, agent_type, version, capabilities,
        owner, deployment_env, status, status_since, decommissioned_at, roles, is_public, metadata,
        updated_at, tokens_not_before, revision, last_event
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::json, $17, $18, $19, $20)";

const UPDATE: &str = "
    UPDATE agent
    SET agent_type = $1, version = $2, capabilities = $3, owner = $4, deployment_env = $5, status = $6,
        status_since = $7, decommissioned_at = $8, roles = $9, is_public = $10, metadata = $11::json,
        updated_at = $12, tokens_not_before = $13, revision = $14, last_event = $15
    WHERE organization_id = $16 AND id = $17 AND revision = $18";

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
        let organization = self.owner().uuid();
        let statement = match entry.change().expected() {
            None => {
                let statement = sqlx::query(INSERT)
                    .bind(organization)
                    .bind(record.id.uuid())
                    .bind(record.email.as_str().to_owned())
                    .bind(record.email.folded())
                    .bind(record.created_at.unix_micros());
                bind(statement, record).bind(entry.event().uuid())
            }
            Some(expected) => bind(sqlx::query(UPDATE), record)
                .bind(entry.event().uuid())
                .bind(organization)
                .bind(record.id.uuid())
                .bind(i64::from(expected.get())),
        };
        self.change_one(statement).await?;
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

/// Binds what may change.
fn bind(statement: Statement, record: &AgentRecord) -> Statement {
    let capabilities = record.capabilities.iter().map(|capability| capability.as_str());
    let (since, decommissioned_at) = instants(record.status);
    statement
        .bind(record.agent_type.as_str())
        .bind(record.version.as_str().to_owned())
        .bind(names(capabilities))
        .bind(record.owner.as_str().to_owned())
        .bind(record.deployment_env.as_str())
        .bind(record.status.name().as_str())
        .bind(since.map(Timestamp::unix_micros))
        .bind(decommissioned_at.map(Timestamp::unix_micros))
        .bind(names(record.roles.iter().map(registry::Role::name)))
        .bind(record.is_public)
        .bind(Value::from(record.metadata.as_object().clone()).to_string())
        .bind(record.updated_at.unix_micros())
        .bind(record.tokens_not_before.map(Timestamp::unix_micros))
        .bind(i64::from(record.revision.get()))
}

/// Since when it stands where it stands, and when an archived one was decommissioned.
const fn instants(status: AgentStatus) -> (Option<Timestamp>, Option<Timestamp>) {
    match status {
        AgentStatus::Active => (None, None),
        AgentStatus::Suspended { since }
        | AgentStatus::Revoked { since }
        | AgentStatus::Decommissioned { since } => (Some(since), None),
        AgentStatus::Archived { since, decommissioned_at } => {
            (Some(since), Some(decommissioned_at))
        }
    }
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    all.map(str::to_owned).collect()
}
