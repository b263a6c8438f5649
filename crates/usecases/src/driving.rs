//! The driving ports: what HTTP and the command line see of the use cases. Object-safe, so that
//! generics stop at the composition root and a handler can be tested with a mock.

use ::credentials::{
    ClientKeyChange, ClientKeyId, ClientKeys, CredentialChange, CredentialRotation, Credentials,
    Overlap,
};
use ::tokens::{Algorithm, Issuer, Jwk, Signer, TokenRevoked, port::SigningFailed};
use async_trait::async_trait;
use audit::{
    Apply, AuditLog, Directory, EventFilter, LogReader, LoggedEvent, Notes, Organizations,
    SignedCheckpoint, Transactor, VerifierKey, merkle::TilePath,
};
use jose::SingleUses;
use kernel::{AgentId, CredentialId, EventId, Page, PageRequest, Secret, StoreError};
#[cfg(feature = "mocks")]
use mockall::automock;
use registry::{AgentChange, AgentFilter, AgentPatch, Agents, IdempotencyKey, NewAgent};
use serde_json::{Map, Value};
use tenancy::{Admission, Origin};

use crate::{
    agents::{
        AgentDetails, DecommissionError, GetError, Precondition, RegisterError, Registered,
        UpdateError,
    },
    audit_log::{
        ConsistencyProof, ExportCursor, ExportError, ExportPage, GetEventError, InclusionProof,
        ProofError, TileError,
    },
    authenticate::{
        Admitted, BearerError, ClientError, KnowsParties, PresentedClient, PresentedToken, Refused,
    },
    caller::{AuthenticatedClient, Caller, Denial},
    credentials::{
        CreateError, CredentialDetails, CredentialRequest, ListError, NewSecret, RevokeError,
        RotateError,
    },
    keys::{self, AddError, KeyDetails, KeyRequest, RemoveError},
    organization::OrganizationDetails,
    provider::IdentityProvider,
    tokens::{self, GrantRequest, Introspection, IssueError, IssuedToken},
};

/// Finds out who calls.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// See [`IdentityProvider::authenticate_client`].
    async fn client(
        &self,
        presented: &PresentedClient,
        origin: &Origin,
    ) -> Result<Admitted<AuthenticatedClient>, ClientError>;

    /// See [`IdentityProvider::authenticate_bearer`].
    async fn bearer(
        &self,
        token: &PresentedToken,
        origin: &Origin,
    ) -> Result<Admitted<Caller>, BearerError>;

    /// See [`IdentityProvider::admit_visitor`].
    async fn visitor(&self, origin: &Origin) -> Result<Option<Admission>, StoreError>;

    /// See [`IdentityProvider::admit_failure`].
    async fn failure(&self, origin: &Origin) -> Result<Option<Admission>, StoreError>;

    /// See [`IdentityProvider::refuse_anonymous`].
    async fn anonymous(&self, origin: &Origin) -> Result<Refused, StoreError>;

    /// See [`IdentityProvider::note_denial`].
    async fn denied(&self, caller: &Caller, denial: Denial) -> Result<(), StoreError>;
}

#[async_trait]
impl<S, G> Authenticator for IdentityProvider<S, G>
where
    S: Transactor + Directory + Notes,
    S::View: KnowsParties,
    S::Tx: SingleUses,
    G: Signer,
{
    async fn client(
        &self,
        presented: &PresentedClient,
        origin: &Origin,
    ) -> Result<Admitted<AuthenticatedClient>, ClientError> {
        self.authenticate_client(presented, origin).await
    }

    async fn bearer(
        &self,
        token: &PresentedToken,
        origin: &Origin,
    ) -> Result<Admitted<Caller>, BearerError> {
        self.authenticate_bearer(token, origin).await
    }

    async fn visitor(&self, origin: &Origin) -> Result<Option<Admission>, StoreError> {
        self.admit_visitor(origin).await
    }

    async fn failure(&self, origin: &Origin) -> Result<Option<Admission>, StoreError> {
        self.admit_failure(origin).await
    }

    async fn anonymous(&self, origin: &Origin) -> Result<Refused, StoreError> {
        self.refuse_anonymous(origin).await
    }

    async fn denied(&self, caller: &Caller, denial: Denial) -> Result<(), StoreError> {
        self.note_denial(caller, denial).await
    }
}

/// The registry of agents.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait AgentRegistry: Send + Sync {
    /// See [`IdentityProvider::register_agent`].
    async fn register(
        &self,
        caller: &Caller,
        new: NewAgent,
        key: Option<IdempotencyKey>,
    ) -> Result<Registered, RegisterError>;

    /// See [`IdentityProvider::agent`].
    async fn get(&self, caller: &Caller, id: AgentId) -> Result<AgentDetails, GetError>;

    /// See [`IdentityProvider::agents`].
    async fn list(
        &self,
        caller: &Caller,
        filter: &AgentFilter,
        page: PageRequest<AgentId>,
    ) -> Result<Page<AgentDetails, AgentId>, StoreError>;

    /// See [`IdentityProvider::update_agent`].
    async fn update(
        &self,
        caller: &Caller,
        id: AgentId,
        patch: AgentPatch,
        precondition: Option<Precondition>,
    ) -> Result<AgentDetails, UpdateError>;

    /// See [`IdentityProvider::decommission_agent`].
    async fn decommission(&self, caller: &Caller, id: AgentId) -> Result<(), DecommissionError>;
}

#[async_trait]
impl<S, G> AgentRegistry for IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + Apply<AgentChange>,
    S::View: Agents,
    G: Send + Sync,
{
    async fn register(
        &self,
        caller: &Caller,
        new: NewAgent,
        key: Option<IdempotencyKey>,
    ) -> Result<Registered, RegisterError> {
        self.register_agent(caller, new, key).await
    }

    async fn get(&self, caller: &Caller, id: AgentId) -> Result<AgentDetails, GetError> {
        self.agent(caller, id).await
    }

    async fn list(
        &self,
        caller: &Caller,
        filter: &AgentFilter,
        page: PageRequest<AgentId>,
    ) -> Result<Page<AgentDetails, AgentId>, StoreError> {
        self.agents(caller, filter, page).await
    }

    async fn update(
        &self,
        caller: &Caller,
        id: AgentId,
        patch: AgentPatch,
        precondition: Option<Precondition>,
    ) -> Result<AgentDetails, UpdateError> {
        self.update_agent(caller, id, patch, precondition).await
    }

    async fn decommission(&self, caller: &Caller, id: AgentId) -> Result<(), DecommissionError> {
        self.decommission_agent(caller, id).await
    }
}

/// The credentials of agents.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait AgentCredentials: Send + Sync {
    /// See [`IdentityProvider::create_credential`].
    async fn create(
        &self,
        caller: &Caller,
        agent: AgentId,
        request: CredentialRequest,
    ) -> Result<NewSecret, CreateError>;

    /// See [`IdentityProvider::credentials`].
    async fn list(
        &self,
        caller: &Caller,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<CredentialDetails, CredentialId>, ListError>;

    /// See [`IdentityProvider::rotate_credential`].
    async fn rotate(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: CredentialId,
        overlap: Overlap,
    ) -> Result<NewSecret, RotateError>;

    /// See [`IdentityProvider::revoke_credential`].
    async fn revoke(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: CredentialId,
    ) -> Result<(), RevokeError>;
}

#[async_trait]
impl<S, G> AgentCredentials for IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + ClientKeys + Apply<CredentialChange> + Apply<CredentialRotation>,
    S::View: Agents + Credentials,
    G: Send + Sync,
{
    async fn create(
        &self,
        caller: &Caller,
        agent: AgentId,
        request: CredentialRequest,
    ) -> Result<NewSecret, CreateError> {
        self.create_credential(caller, agent, request).await
    }

    async fn list(
        &self,
        caller: &Caller,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<CredentialDetails, CredentialId>, ListError> {
        self.credentials(caller, agent, page).await
    }

    async fn rotate(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: CredentialId,
        overlap: Overlap,
    ) -> Result<NewSecret, RotateError> {
        self.rotate_credential(caller, agent, id, overlap).await
    }

    async fn revoke(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: CredentialId,
    ) -> Result<(), RevokeError> {
        self.revoke_credential(caller, agent, id).await
    }
}

/// The keys of agents.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait AgentKeys: Send + Sync {
    /// See [`IdentityProvider::add_key`].
    async fn add(
        &self,
        caller: &Caller,
        agent: AgentId,
        request: KeyRequest,
    ) -> Result<KeyDetails, AddError>;

    /// See [`IdentityProvider::keys`].
    async fn list(
        &self,
        caller: &Caller,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<KeyDetails, CredentialId>, keys::ListError>;

    /// See [`IdentityProvider::remove_key`].
    async fn remove(
        &self,
        caller: &Caller,
        agent: AgentId,
        kid: &ClientKeyId,
    ) -> Result<(), RemoveError>;
}

#[async_trait]
impl<S, G> AgentKeys for IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + ClientKeys + Apply<CredentialChange> + Apply<ClientKeyChange>,
    S::View: Agents + Credentials + ClientKeys,
    G: Send + Sync,
{
    async fn add(
        &self,
        caller: &Caller,
        agent: AgentId,
        request: KeyRequest,
    ) -> Result<KeyDetails, AddError> {
        self.add_key(caller, agent, request).await
    }

    async fn list(
        &self,
        caller: &Caller,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<KeyDetails, CredentialId>, keys::ListError> {
        self.keys(caller, agent, page).await
    }

    async fn remove(
        &self,
        caller: &Caller,
        agent: AgentId,
        kid: &ClientKeyId,
    ) -> Result<(), RemoveError> {
        self.remove_key(caller, agent, kid).await
    }
}

/// The authorization server.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait AuthorizationServer: Send + Sync {
    /// See [`IdentityProvider::issue_token`].
    async fn issue(
        &self,
        client: &AuthenticatedClient,
        request: &GrantRequest,
    ) -> Result<IssuedToken, IssueError>;

    /// See [`IdentityProvider::introspect_token`].
    async fn introspect(&self, caller: &Caller, token: &str) -> Result<Introspection, StoreError>;

    /// See [`IdentityProvider::sign_introspection`].
    async fn sign_introspection(
        &self,
        caller: &Caller,
        members: &Map<String, Value>,
    ) -> Result<Secret, SigningFailed>;

    /// See [`IdentityProvider::revoke_token`].
    async fn revoke(&self, caller: &Caller, token: &str) -> Result<(), tokens::RevokeError>;

    /// The algorithms that tokens are or will soon be signed with, the one that signs now first.
    fn signing_algorithms(&self) -> Vec<Algorithm>;

    /// The keys that verifiers should know.
    fn published_keys(&self) -> Vec<Jwk>;

    /// The issuer.
    fn issuer(&self) -> &Issuer;
}

#[async_trait]
impl<S, G> AuthorizationServer for IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + Apply<TokenRevoked>,
    S::View: KnowsParties,
    G: Signer,
{
    async fn issue(
        &self,
        client: &AuthenticatedClient,
        request: &GrantRequest,
    ) -> Result<IssuedToken, IssueError> {
        self.issue_token(client, request).await
    }

    async fn introspect(&self, caller: &Caller, token: &str) -> Result<Introspection, StoreError> {
        self.introspect_token(caller, token).await
    }

    async fn sign_introspection(
        &self,
        caller: &Caller,
        members: &Map<String, Value>,
    ) -> Result<Secret, SigningFailed> {
        self.sign_introspection(caller, members).await
    }

    async fn revoke(&self, caller: &Caller, token: &str) -> Result<(), tokens::RevokeError> {
        self.revoke_token(caller, token).await
    }

    fn signing_algorithms(&self) -> Vec<Algorithm> {
        self.parts.signer.signing_algorithms()
    }

    fn published_keys(&self) -> Vec<Jwk> {
        self.parts.signer.published()
    }

    fn issuer(&self) -> &Issuer {
        &self.parts.policy.issuer
    }
}

/// The audit log, to read and to prove.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// See [`IdentityProvider::event`].
    async fn get(&self, caller: &Caller, id: EventId) -> Result<LoggedEvent, GetEventError>;

    /// See [`IdentityProvider::events`].
    async fn list(
        &self,
        caller: &Caller,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Page<LoggedEvent, EventId>, StoreError>;

    /// See [`IdentityProvider::newest_checkpoint`].
    async fn checkpoint(&self, caller: &Caller) -> Result<Option<SignedCheckpoint>, StoreError>;

    /// See [`IdentityProvider::verifier_key`].
    async fn key(&self, caller: &Caller) -> Result<Option<VerifierKey>, StoreError>;

    /// See [`IdentityProvider::prove_inclusion`].
    async fn inclusion(
        &self,
        caller: &Caller,
        event: EventId,
        size: Option<u64>,
    ) -> Result<InclusionProof, ProofError>;

    /// See [`IdentityProvider::prove_consistency`].
    async fn consistency(
        &self,
        caller: &Caller,
        from: u64,
        to: Option<u64>,
    ) -> Result<ConsistencyProof, ProofError>;

    /// See [`IdentityProvider::tile`].
    async fn tile(&self, caller: &Caller, path: TilePath) -> Result<Vec<u8>, TileError>;

    /// See [`IdentityProvider::begin_export`].
    async fn begin_export(&self, caller: &Caller, from: u64) -> Result<ExportCursor, ExportError>;

    /// See [`IdentityProvider::export`].
    async fn export(&self, caller: &Caller, cursor: ExportCursor)
    -> Result<ExportPage, StoreError>;
}

#[async_trait]
impl<S, G> AuditTrail for IdentityProvider<S, G>
where
    S: Transactor,
    S::View: AuditLog + LogReader,
    G: Send + Sync,
{
    async fn get(&self, caller: &Caller, id: EventId) -> Result<LoggedEvent, GetEventError> {
        self.event(caller, id).await
    }

    async fn list(
        &self,
        caller: &Caller,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Page<LoggedEvent, EventId>, StoreError> {
        self.events(caller, filter, page).await
    }

    async fn checkpoint(&self, caller: &Caller) -> Result<Option<SignedCheckpoint>, StoreError> {
        self.newest_checkpoint(caller).await
    }

    async fn key(&self, caller: &Caller) -> Result<Option<VerifierKey>, StoreError> {
        self.verifier_key(caller).await
    }

    async fn inclusion(
        &self,
        caller: &Caller,
        event: EventId,
        size: Option<u64>,
    ) -> Result<InclusionProof, ProofError> {
        self.prove_inclusion(caller, event, size).await
    }

    async fn consistency(
        &self,
        caller: &Caller,
        from: u64,
        to: Option<u64>,
    ) -> Result<ConsistencyProof, ProofError> {
        self.prove_consistency(caller, from, to).await
    }

    async fn tile(&self, caller: &Caller, path: TilePath) -> Result<Vec<u8>, TileError> {
        Self::tile(self, caller, path).await
    }

    async fn begin_export(&self, caller: &Caller, from: u64) -> Result<ExportCursor, ExportError> {
        Self::begin_export(self, caller, from).await
    }

    async fn export(
        &self,
        caller: &Caller,
        cursor: ExportCursor,
    ) -> Result<ExportPage, StoreError> {
        Self::export(self, caller, cursor).await
    }
}

/// The caller's own organization.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait OwnOrganization: Send + Sync {
    /// See [`IdentityProvider::own_organization`].
    async fn get(&self, caller: &Caller) -> Result<OrganizationDetails, StoreError>;
}

#[async_trait]
impl<S, G> OwnOrganization for IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Organizations + Agents,
    G: Send + Sync,
{
    async fn get(&self, caller: &Caller) -> Result<OrganizationDetails, StoreError> {
        self.own_organization(caller).await
    }
}
