//! The port of credentials.

use std::collections::BTreeMap;

use audit::{Apply, Entry};
use credentials::{
    Credential, CredentialChange, CredentialRecord, CredentialRotation, Credentials, LiveCount,
};
use kernel::{
    AgentId, CredentialId, EventId, Page, PageRequest, Revision, StoreError, Timestamp, Total,
};
use stored_rows::{
    Columns, CredentialList, Places, Value,
    credential::{TABLE, identity, read, state},
    value::found,
};

use crate::{
    events,
    held::Writes,
    row::number,
    session::{Mode, Session, SqliteTx},
    statement::{assembled, statement},
};

/// What a whole credential is read from.
macro_rules! columns {
    () => {
        "id, organization_id, agent_id, name, hash, pepper_version, state, superseded_by,
        revoked_at, created_at, expires_at, revision"
    };
}

const FIND: &str =
    concat!("SELECT ", columns!(), " FROM credential WHERE organization_id = ? AND id = ?");
pub(crate) const LIST: CredentialList = CredentialList {
    places: Places::Alike,
    rows: concat!("SELECT ", columns!(), " FROM credential"),
};

const COUNT: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM credential WHERE organization_id = ? AND agent_id = ? LIMIT 10001
    )";

/// Those that [`COUNT_LIVE`] counts, oldest first.
pub(crate) const LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM credential
    WHERE organization_id = ? AND agent_id = ? AND state <> 'revoked'
        AND (expires_at IS NULL OR expires_at > ?)
    ORDER BY id"
);

pub(crate) const COUNT_LIVE: &str = "
    SELECT count(*) FROM credential
    WHERE organization_id = ? AND agent_id = ? AND state <> 'revoked'
        AND (expires_at IS NULL OR expires_at > ?)";

// By their agents: the uses of an agent lie together.
pub(crate) const LAST_USES: &str = "
    WITH asked (id) AS MATERIALIZED (SELECT unhex(value) FROM json_each(?2))
    SELECT credential_id, used_at FROM last_use
    WHERE organization_id = ?1
        AND agent_id IN (
            SELECT agent_id FROM credential WHERE organization_id = ?1 AND id IN asked
            UNION ALL
            SELECT agent_id FROM client_key WHERE organization_id = ?1 AND id IN asked
        )
        AND credential_id IN asked";

const INSERT: &str = "
    INSERT INTO credential (
        organization_id, id, agent_id, hash, pepper_version, created_at, name, state, superseded_by,
        revoked_at, expires_at, revision, last_event
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const UPDATE: &str = "
    UPDATE credential
    SET name = ?, state = ?, superseded_by = ?, revoked_at = ?, expires_at = ?, revision = ?,
        last_event = ?
    WHERE organization_id = ? AND id = ? AND revision = ?";

impl<M: Mode> Credentials for Session<M> {
    async fn credential(&mut self, id: CredentialId) -> Result<Option<Credential>, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid()).bind(id.uuid());
        self.rows(statement).await?.first().map(read).transpose()
    }

    async fn credentials(
        &mut self,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<Credential, CredentialId>, StoreError> {
        let organization = self.owner();
        let rows = self.rows(assembled(LIST.page(organization, agent, page))).await?;
        let credentials = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let count = sqlx::query(COUNT).bind(organization.uuid()).bind(agent.uuid());
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
            .bind(self.owner().uuid())
            .bind(events::hex_array(ids.iter().map(|id| id.uuid())));
        let rows = self.rows(statement).await?;
        rows.iter()
            .map(|row| Columns::of("last_use", row))
            .map(|row| {
                Ok((row.id("credential_id", CredentialId::from_uuid)?, row.time("used_at")?))
            })
            .collect()
    }
}

impl Apply<CredentialChange> for SqliteTx {
    async fn apply(&mut self, entry: Entry<'_, CredentialChange>) -> Result<(), StoreError> {
        let after = entry.change().after().record();
        match entry.change().expected() {
            None => self.insert_credential(after, entry.event()).await,
            Some(expected) => self.update_credential(after, expected, entry.event()).await,
        }
    }
}

impl Apply<CredentialRotation> for SqliteTx {
    async fn apply(&mut self, entry: Entry<'_, CredentialRotation>) -> Result<(), StoreError> {
        let rotation = entry.change();
        self.update_credential(rotation.old().record(), rotation.expected(), entry.event()).await?;
        self.insert_credential(rotation.successor().record(), entry.event()).await
    }
}

impl SqliteTx {
    async fn insert_credential(
        &mut self,
        record: &CredentialRecord,
        event: EventId,
    ) -> Result<(), StoreError> {
        self.owns(record.organization)?;
        let values = identity(record).into_iter().chain(state(record));
        self.change_one(statement(INSERT, values.chain([Value::Id(event.uuid())]))).await
    }

    async fn update_credential(
        &mut self,
        record: &CredentialRecord,
        expected: Revision,
        event: EventId,
    ) -> Result<(), StoreError> {
        self.owns(record.organization)?;
        let values = state(record).into_iter().chain([Value::Id(event.uuid())]);
        let values = values.chain(found(self.owner().uuid(), record.id.uuid(), expected));
        self.change_one(statement(UPDATE, values)).await
    }
}
