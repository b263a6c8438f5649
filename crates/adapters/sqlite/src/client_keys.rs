//! The port of clients' keys.

use audit::{Apply, Entry};
use credentials::{ClientKey, ClientKeyChange, ClientKeyId, ClientKeys, Credential};
use kernel::{AgentId, CredentialId, Page, PageRequest, StoreError, Timestamp, Total};
use stored_rows::{
    CredentialList, Places, Value,
    client_key::{TABLE, identity, material, read, state},
    credential,
    value::found,
};

use crate::{
    credentials_port,
    held::Writes,
    row::number,
    session::{Mode, Session, SqliteTx},
    statement::{assembled, statement},
};

/// What a whole key is read from.
macro_rules! columns {
    () => {
        "id, organization_id, agent_id, kid, kind, algorithm, public_key, subject_kind, subject,
        thumbprint, name, created_at, expires_at, state, removed_at, revision"
    };
}

pub(crate) const FIND: &str =
    concat!("SELECT ", columns!(), " FROM client_key WHERE organization_id = ? AND id = ?");
pub(crate) const LIST: CredentialList = CredentialList {
    places: Places::Alike,
    rows: concat!("SELECT ", columns!(), " FROM client_key"),
};

/// The one that is live comes first, or else the newest.
pub(crate) const CALLED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM client_key
    WHERE organization_id = ? AND agent_id = ? AND kid = ?
    ORDER BY state = 'live' DESC, id DESC
    LIMIT 1"
);

pub(crate) const LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM client_key
    WHERE organization_id = ? AND agent_id = ? AND state = 'live'
    ORDER BY id"
);

const COUNT: &str = "
    SELECT count(*) FROM (
        SELECT 1 FROM client_key WHERE organization_id = ? AND agent_id = ? LIMIT 10001
    )";

const INSERT: &str = "
    INSERT INTO client_key (
        organization_id, id, agent_id, kid, thumbprint, name, created_at, expires_at, kind,
        algorithm, public_key, subject_kind, subject, state, removed_at, revision, last_event
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const UPDATE: &str = "
    UPDATE client_key
    SET state = ?, removed_at = ?, revision = ?, last_event = ?
    WHERE organization_id = ? AND id = ? AND revision = ?";

impl<M: Mode> ClientKeys for Session<M> {
    async fn client_key(&mut self, id: CredentialId) -> Result<Option<ClientKey>, StoreError> {
        let statement = sqlx::query(FIND).bind(self.owner().uuid()).bind(id.uuid());
        self.rows(statement).await?.first().map(read).transpose()
    }

    async fn client_key_called(
        &mut self,
        agent: AgentId,
        kid: &ClientKeyId,
    ) -> Result<Option<ClientKey>, StoreError> {
        let statement = sqlx::query(CALLED)
            .bind(self.owner().uuid())
            .bind(agent.uuid())
            .bind(kid.as_str().to_owned());
        self.rows(statement).await?.first().map(read).transpose()
    }

    async fn live_keys_of(&mut self, agent: AgentId) -> Result<Vec<ClientKey>, StoreError> {
        let statement = sqlx::query(LIVE).bind(self.owner().uuid()).bind(agent.uuid());
        self.rows(statement).await?.iter().map(read).collect()
    }

    async fn live_secrets_of(
        &mut self,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Vec<Credential>, StoreError> {
        let statement = sqlx::query(credentials_port::LIVE)
            .bind(self.owner().uuid())
            .bind(agent.uuid())
            .bind(now.unix_micros());
        self.rows(statement).await?.iter().map(credential::read).collect()
    }

    async fn client_keys_of(
        &mut self,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<ClientKey, CredentialId>, StoreError> {
        let organization = self.owner();
        let rows = self.rows(assembled(LIST.page(organization, agent, page))).await?;
        let keys = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let count = sqlx::query(COUNT).bind(organization.uuid()).bind(agent.uuid());
        let total = Total::counted(number(&self.rows(count).await?, TABLE)?);
        Ok(Page::from_one_past(keys, page.limit, total, ClientKey::id))
    }
}

impl Apply<ClientKeyChange> for SqliteTx {
    async fn apply(&mut self, entry: Entry<'_, ClientKeyChange>) -> Result<(), StoreError> {
        let record = entry.change().after().record();
        self.owns(record.organization)?;
        let event = Value::Id(entry.event().uuid());
        let changed = match entry.change().expected() {
            None => {
                let values = identity(record).into_iter().chain(material(record));
                statement(INSERT, values.chain(state(record)).chain([event]))
            }
            Some(expected) => {
                let values = state(record).into_iter().chain([event]);
                let found = found(self.owner().uuid(), record.id.uuid(), expected);
                statement(UPDATE, values.chain(found))
            }
        };
        self.change_one(changed).await
    }
}
