//! The port of the registry of agents.

use async_trait::async_trait;
use audit::{Apply, Notes, Transactor};
use kernel::{AgentId, Page, PageRequest, StoreError};
#[cfg(feature = "mocks")]
use mockall::automock;
use registry::{AgentChange, AgentFilter, AgentPatch, Agents, IdempotencyKey, NewAgent};

use crate::{
    agents::{
        AgentDetails, DecommissionError, GetError, Precondition, RegisterError, Registered,
        UpdateError,
    },
    authenticate::KnowsParties,
    caller::Caller,
    provider::IdentityProvider,
};

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
