//! A store of one organization with one client, which counts what it is asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

use ::tokens::{KeptKeys, Revocations, SigningKey, SigningKeys};
use audit::{Directory, Draft, Journal, Notes, Organizations, Transactor};
use credentials::{ClientKey, ClientKeyId, ClientKeys, Credential, Credentials, LiveCount};
use jose::{SingleUse, SingleUses};
use kernel::{
    AgentId, CredentialId, EventId, OrganizationId, Page, PageRequest, Resource, StoreError,
    Timestamp, TokenId,
};
use registry::{
    Agent, AgentFilter, AgentPatch, Agents, Email, IdempotencyKey, OtherAdmins, PastRegistration,
    StatusRequest, Update,
};
use tenancy::{Organization, Scope};

#[derive(Clone)]
pub(crate) struct Rows {
    pub(crate) organization: Organization,
    pub(crate) agent: Agent,
    pub(crate) credential: Credential,
    pub(crate) revoked: BTreeSet<TokenId>,
    /// The key that signs, until it is believed no more.
    pub(crate) signing_key: Option<SigningKey>,
}

pub(crate) struct CountingStore {
    rows: Mutex<Arc<Rows>>,
    asked: AtomicUsize,
    away: AtomicBool,
    /// How many tokens were issued.
    issued: AtomicI64,
}

impl CountingStore {
    pub(crate) fn of(rows: Rows) -> Self {
        Self {
            rows: Mutex::new(Arc::new(rows)),
            asked: AtomicUsize::new(0),
            away: AtomicBool::new(false),
            issued: AtomicI64::new(0),
        }
    }

    /// How many views and look-ups there were.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// When the last token was issued.
    pub(crate) fn last_issued(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.issued.load(Ordering::Relaxed)).unwrap()
    }

    /// Whether everything that it is asked fails.
    pub(crate) fn take_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    pub(crate) fn set_status(&self, status: StatusRequest, now: Timestamp) {
        let mut rows = self.rows();
        let rows = Arc::make_mut(&mut rows);
        let patch = AgentPatch { status: Some(status), ..AgentPatch::default() };
        match rows.agent.clone().update(patch, OtherAdmins::Some, now).unwrap() {
            Update::Changed(change) => rows.agent = change.into_after(),
            Update::Unchanged(_) => panic!("it was so already"),
        }
    }

    pub(crate) fn revoke(&self, token: TokenId) {
        Arc::make_mut(&mut self.rows()).revoked.insert(token);
    }

    pub(crate) fn compromise_the_signing_key(&self) {
        Arc::make_mut(&mut self.rows()).signing_key = None;
    }

    pub(crate) fn let_the_credential_expire_at(&self, end: Timestamp) {
        let mut rows = self.rows();
        let rows = Arc::make_mut(&mut rows);
        let mut record = rows.credential.record().clone();
        record.expires_at = Some(end);
        rows.credential = Credential::from_record(record);
    }

    fn rows(&self) -> MutexGuard<'_, Arc<Rows>> {
        self.rows.lock().unwrap()
    }

    fn ask(&self) -> Result<Arc<Rows>, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::unavailable("away"));
        }
        Ok(self.rows().clone())
    }
}

/// What a view sees: everything as it was when the view was opened.
pub(crate) struct View {
    organization: OrganizationId,
    rows: Arc<Rows>,
    issued: i64,
}

impl View {
    fn is_of_the_one(&self) -> bool {
        self.organization == self.rows.organization.id()
    }
}

impl Transactor for CountingStore {
    type Tx = View;
    type View = View;

    async fn begin(&self, scope: Scope) -> Result<View, StoreError> {
        self.view(scope.organization()).await
    }

    async fn view(&self, organization: OrganizationId) -> Result<View, StoreError> {
        let issued = self.issued.load(Ordering::Relaxed);
        self.ask().map(|rows| View { organization, rows, issued })
    }
}

impl Directory for CountingStore {
    async fn platform(&self) -> Result<Option<OrganizationId>, StoreError> {
        Ok(None)
    }

    async fn organization_of(&self, client: AgentId) -> Result<Option<OrganizationId>, StoreError> {
        let rows = self.ask()?;
        Ok((client == rows.agent.id()).then(|| rows.organization.id()))
    }
}

impl Notes for CountingStore {
    /// Every note is taken for a token's, issued so many microseconds after the beginning of time.
    async fn keep(&self, _: &Scope, _: Draft<'_>) -> Result<EventId, StoreError> {
        self.issued.fetch_add(1, Ordering::Relaxed);
        Ok(super::kit::id(1))
    }
}

impl Journal for View {
    async fn append(&mut self, _: Draft<'_>) -> Result<EventId, StoreError> {
        panic!("nothing is written here")
    }

    async fn commit(self) -> Result<(), StoreError> {
        panic!("nothing is written here")
    }
}

impl Organizations for View {
    async fn organization(&mut self) -> Result<Option<Organization>, StoreError> {
        Ok(self.is_of_the_one().then(|| self.rows.organization.clone()))
    }
}

impl Revocations for View {
    async fn is_revoked(&mut self, token: TokenId) -> Result<bool, StoreError> {
        Ok(self.rows.revoked.contains(&token))
    }
}

impl Agents for View {
    async fn agent(&mut self, id: AgentId) -> Result<Option<Agent>, StoreError> {
        let is_it = self.is_of_the_one() && id == self.rows.agent.id();
        Ok(is_it.then(|| self.rows.agent.clone()))
    }

    async fn agent_by_email(&mut self, _: &Email) -> Result<Option<Agent>, StoreError> {
        panic!("nobody lists here")
    }

    async fn agents(
        &mut self,
        _: &AgentFilter,
        _: PageRequest<AgentId>,
    ) -> Result<Page<Agent, AgentId>, StoreError> {
        panic!("nobody lists here")
    }

    async fn agent_count(&mut self) -> Result<u64, StoreError> {
        panic!("nobody counts here")
    }

    async fn other_admins(&mut self, _: AgentId) -> Result<OtherAdmins, StoreError> {
        panic!("nothing is written here")
    }

    async fn registration(
        &mut self,
        _: AgentId,
        _: &IdempotencyKey,
        _: Timestamp,
    ) -> Result<Option<PastRegistration>, StoreError> {
        panic!("nothing is written here")
    }

    async fn registered_resources(
        &mut self,
        _: &[Resource],
    ) -> Result<BTreeSet<Resource>, StoreError> {
        panic!("no token is for a resource here")
    }

    async fn last_authentications(
        &mut self,
        ids: &[AgentId],
    ) -> Result<BTreeMap<AgentId, Timestamp>, StoreError> {
        let last = Timestamp::from_unix_micros(self.issued).unwrap();
        let found = ids.iter().filter(|id| self.issued > 0 && **id == self.rows.agent.id());
        Ok(found.map(|id| (*id, last)).collect())
    }
}

impl ClientKeys for View {
    /// It has none.
    async fn client_key(&mut self, _: CredentialId) -> Result<Option<ClientKey>, StoreError> {
        Ok(None)
    }

    async fn client_key_called(
        &mut self,
        _: AgentId,
        _: &ClientKeyId,
    ) -> Result<Option<ClientKey>, StoreError> {
        Ok(None)
    }

    async fn live_keys_of(&mut self, _: AgentId) -> Result<Vec<ClientKey>, StoreError> {
        Ok(Vec::new())
    }

    async fn live_secrets_of(
        &mut self,
        _: AgentId,
        _: Timestamp,
    ) -> Result<Vec<Credential>, StoreError> {
        panic!("nothing is written here")
    }

    async fn client_keys_of(
        &mut self,
        _: AgentId,
        _: PageRequest<CredentialId>,
    ) -> Result<Page<ClientKey, CredentialId>, StoreError> {
        panic!("nobody lists here")
    }
}

impl SigningKeys for View {
    async fn signing_keys(&mut self) -> Result<KeptKeys, StoreError> {
        let whole = self.rows.signing_key.iter().cloned().collect();
        Ok(KeptKeys { whole, damaged: Vec::new() })
    }
}

impl SingleUses for CountingStore {
    async fn use_once(
        &self,
        _: OrganizationId,
        _: &SingleUse,
        _: Timestamp,
    ) -> Result<bool, StoreError> {
        panic!("nothing is written here")
    }
}

impl Credentials for View {
    async fn credential(&mut self, id: CredentialId) -> Result<Option<Credential>, StoreError> {
        let is_it = self.is_of_the_one() && id == self.rows.credential.id();
        Ok(is_it.then(|| self.rows.credential.clone()))
    }

    async fn credentials(
        &mut self,
        _: AgentId,
        _: PageRequest<CredentialId>,
    ) -> Result<Page<Credential, CredentialId>, StoreError> {
        panic!("nobody lists here")
    }

    async fn live_credentials(
        &mut self,
        _: AgentId,
        _: Timestamp,
    ) -> Result<LiveCount, StoreError> {
        panic!("nothing is written here")
    }

    async fn last_uses(
        &mut self,
        _: &[CredentialId],
    ) -> Result<BTreeMap<CredentialId, Timestamp>, StoreError> {
        panic!("nobody lists here")
    }
}
