//! The port of credentials.

use std::collections::BTreeMap;

use audit::{Apply, Entry};
use credentials::{
    Credential, CredentialChange, CredentialRecord, CredentialRotation, CredentialState,
    Credentials, LiveCount, PepperVersion, SecretHash,
};
use kernel::{
    AgentId, CredentialId, EventId, OrganizationId, Page, PageRequest, Revision, StoreError,
    Timestamp, Total,
};
use sqlx::{postgres::PgRow, types::Uuid};

use crate::{
    row::{Columns, number},
    session::{Mode, PostgresTx, Session, Statement},
    statement::{Parts, Value},
};

const TABLE: &str = "credential";

/// What a whole credential is read from.
macro_rules! columns {
    () => {
        "id, organization_id, agent_id, name, hash, pepper_version, state, superseded_by,
        revoked_at, created_at, expires_at, revision"
    };
}

pub(crate) const FIND: &str =
    concat!("SELECT ", columns!(), " FROM credential WHERE organization_id = $1 AND id = $2");
const LIST: &str = concat!("SELECT ", columns!(), " FROM credential");
const IN_ORGANIZATION: &str = " WHERE organization_id = ?";
const OF_AGENT: &str = " AND agent_id = ?";
const OLDER_THAN: &str = " AND id < ?";
const NEWEST_FIRST: &str = " ORDER BY id DESC";

const COUNT: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM credential WHERE organization_id = $1 AND agent_id = $2 LIMIT 10001
    ) AS counted";

pub(crate) const COUNT_LIVE: &str = "
    SELECT count(*) FROM credential
    WHERE organization_id = $1 AND agent_id = $2 AND state <> 'revoked'
        AND (expires_at IS NULL OR expires_at > $3)";

pub(crate) const LAST_USES: &str = "
    SELECT credential_id, used.occurred_at AS used_at
    FROM unnest($1::uuid[]) AS credential_id
    CROSS JOIN LATERAL (
        SELECT occurred_at FROM audit_event
        WHERE organization_id = $2 AND used_credential_id = credential_id AND outcome = 'success'
        ORDER BY id DESC
        LIMIT 1
    ) AS used";

const INSERT: &str = "
    INSERT INTO credential (
        organization_id, id, agent_id, hash, pepper_version, created_at, name, state, superseded_by,
        revoked_at, expires_at, revision, last_event
    ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

const UPDATE: &str = "
    UPDATE credential
    SET name = $1, state = $2, superseded_by = $3, revoked_at = $4, expires_at = $5, revision = $6,
        last_event = $7
    WHERE organization_id = $8 AND id = $9 AND revision = $10";

impl<M: Mode> Credentials for Session<M> {
    async fn credential(&mut self, id: CredentialId) -> Result<Option<Credential>, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid()).bind(id.uuid());
        self.rows(statement).await?.first().map(parse).transpose()
    }

    async fn credentials(
        &mut self,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<Credential, CredentialId>, StoreError> {
        let organization = self.owner().uuid();
        let rows = self.rows(list(organization, agent, page)).await?;
        let credentials = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let count = sqlx::query(COUNT).bind(organization).bind(agent.uuid());
        let total = Total::counted(number(&self.rows(count).await?, TABLE)?);
        Ok(Page::from_one_past(credentials, page.limit, total, Credential::id))
    }

    async fn live_credentials(
        &mut self,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<LiveCount, StoreError> {
        let statement = sqlx::query(COUNT_LIVE)
            .bind(self.owner().uuid())
            .bind(agent.uuid())
            .bind(now.unix_micros());
        number(&self.rows(statement).await?, TABLE).map(LiveCount)
    }

    async fn last_uses(
        &mut self,
        ids: &[CredentialId],
    ) -> Result<BTreeMap<CredentialId, Timestamp>, StoreError> {
        let statement = sqlx::query(LAST_USES)
            .bind(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .bind(self.owner().uuid());
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| Columns::of("audit_event", row))
            .map(|row| {
                Ok((row.id("credential_id", CredentialId::from_uuid)?, row.time("used_at")?))
            })
            .collect()
    }
}

impl Apply<CredentialChange> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, CredentialChange>) -> Result<(), StoreError> {
        let after = entry.change().after().record();
        match entry.change().expected() {
            None => self.insert_credential(after, entry.event()).await,
            Some(expected) => self.update_credential(after, expected, entry.event()).await,
        }
    }
}

impl Apply<CredentialRotation> for PostgresTx {
    async fn apply(&mut self, entry: Entry<'_, CredentialRotation>) -> Result<(), StoreError> {
        let rotation = entry.change();
        self.update_credential(rotation.old().record(), rotation.expected(), entry.event()).await?;
        self.insert_credential(rotation.successor().record(), entry.event()).await
    }
}

impl PostgresTx {
    async fn insert_credential(
        &mut self,
        record: &CredentialRecord,
        event: EventId,
    ) -> Result<(), StoreError> {
        self.owns(record.organization)?;
        let statement = sqlx::query(INSERT)
            .bind(self.owner().uuid())
            .bind(record.id.uuid())
            .bind(record.agent.uuid())
            .bind(record.hash.mac().to_vec())
            .bind(i64::from(record.hash.version().get()))
            .bind(record.created_at.unix_micros());
        self.change_one(bind(statement, record).bind(event.uuid())).await
    }

    async fn update_credential(
        &mut self,
        record: &CredentialRecord,
        expected: Revision,
        event: EventId,
    ) -> Result<(), StoreError> {
        self.owns(record.organization)?;
        let statement = bind(sqlx::query(UPDATE), record)
            .bind(event.uuid())
            .bind(self.owner().uuid())
            .bind(record.id.uuid())
            .bind(i64::from(expected.get()));
        self.change_one(statement).await
    }
}

/// The statement for a page.
pub(crate) fn list(
    organization: Uuid,
    agent: AgentId,
    page: PageRequest<CredentialId>,
) -> Statement {
    let mut list = Parts::new(LIST);
    list.bind(IN_ORGANIZATION, Value::Id(organization));
    list.bind(OF_AGENT, Value::Id(agent.uuid()));
    if let Some(id) = page.older_than() {
        list.bind(OLDER_THAN, Value::Id(id.uuid()));
    }
    list.add(NEWEST_FIRST);
    list.build_page(page)
}

/// Binds what may change.
fn bind(statement: Statement, record: &CredentialRecord) -> Statement {
    let (state, superseded_by, revoked_at) = match record.state {
        CredentialState::Live => ("live", None, None),
        CredentialState::Superseded { by } => ("superseded", Some(by.uuid()), None),
        CredentialState::Revoked { at } => ("revoked", None, Some(at.unix_micros())),
    };
    statement
        .bind(record.name.as_ref().map(|name| name.as_str().to_owned()))
        .bind(state)
        .bind(superseded_by)
        .bind(revoked_at)
        .bind(record.expires_at.map(Timestamp::unix_micros))
        .bind(i64::from(record.revision.get()))
}

fn parse(row: &PgRow) -> Result<Credential, StoreError> {
    let row = Columns::of(TABLE, row);
    let version = PepperVersion::new(row.get("pepper_version")?)
        .ok_or_else(|| row.corrupt("pepper_version"))?;
    Ok(Credential::from_record(CredentialRecord {
        id: row.id("id", CredentialId::from_uuid)?,
        agent: row.id("agent_id", AgentId::from_uuid)?,
        organization: row.id("organization_id", OrganizationId::from_uuid)?,
        name: row.optional_parsed("name")?,
        hash: SecretHash::from_parts(version, row.bytes("hash")?),
        state: state(&row)?,
        created_at: row.time("created_at")?,
        expires_at: row.optional_time("expires_at")?,
        revision: row.revision()?,
    }))
}

fn state(row: &Columns<'_>) -> Result<CredentialState, StoreError> {
    let by = row.optional_id("superseded_by", CredentialId::from_uuid)?;
    match (row.get("state")?, by, row.optional_time("revoked_at")?) {
        ("live", None, None) => Ok(CredentialState::Live),
        ("superseded", Some(by), None) => Ok(CredentialState::Superseded { by }),
        ("revoked", None, Some(at)) => Ok(CredentialState::Revoked { at }),
        _ => Err(row.corrupt("state")),
    }
}
