//! Reads one agent.

use audit::Transactor;
use kernel::{AgentId, StoreError};
use registry::Agents;
use thiserror::Error;

use super::AgentDetails;
use crate::{caller::Caller, provider::IdentityProvider};

/// Why an agent was not read.
#[derive(Debug, Error)]
pub enum GetError {
    /// There is none in the caller's organization.
    #[error("there is no such agent here")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Agents,
{
    /// Reads an agent of the caller's organization.
    ///
    /// # Errors
    /// [`GetError`]
    pub async fn agent(&self, caller: &Caller, id: AgentId) -> Result<AgentDetails, GetError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let agent = view.agent(id).await?.ok_or(GetError::Unknown)?;
        Ok(AgentDetails::of(&mut view, agent).await?)
    }
}
