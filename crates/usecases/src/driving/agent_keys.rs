//! The port of the keys of agents.

use async_trait::async_trait;
use audit::{Apply, Notes, Transactor};
use credentials::{ClientKeyChange, ClientKeyId, ClientKeys, CredentialChange, Credentials};
use kernel::{AgentId, CredentialId, Page, PageRequest};
#[cfg(feature = "mocks")]
use mockall::automock;
use registry::Agents;

use crate::{
    authenticate::KnowsParties,
    caller::Caller,
    credentials::ListError,
    keys::{AddError, KeyDetails, KeyRequest, RemoveError},
    provider::IdentityProvider,
};

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
    ) -> Result<Page<KeyDetails, CredentialId>, ListError>;

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
    ) -> Result<Page<KeyDetails, CredentialId>, ListError> {
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
