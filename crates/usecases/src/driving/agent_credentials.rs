//! The port of the credentials of agents.

use async_trait::async_trait;
use audit::{Apply, Notes, Transactor};
use credentials::{ClientKeys, CredentialChange, CredentialRotation, Credentials, Overlap};
use kernel::{AgentId, CredentialId, Page, PageRequest};
#[cfg(feature = "mocks")]
use mockall::automock;
use registry::Agents;

use crate::{
    authenticate::KnowsParties,
    caller::Caller,
    credentials::{
        CreateError, CredentialDetails, CredentialRequest, ListError, NewSecret, RevokeError,
        RotateError,
    },
    provider::IdentityProvider,
};

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
