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
    /// Reads an agent of the caller's organization: a copy where there is an exact one. There is none
    /// of what does not exist, whether elsewhere or nowhere, so that both are the same work.
    ///
    /// # Errors
    /// [`GetError`]
    pub async fn agent(&self, caller: &Caller, id: AgentId) -> Result<AgentDetails, GetError> {
        let (known, organization) = (&self.parts.known, caller.scope().organization());
        let ticket = match known.details(organization, id, self.now()) {
            Ok(details) => return Ok(details),
            Err(ticket) => ticket,
        };
        let mut view = self.parts.store.view(organization).await?;
        let agent = view.agent(id).await?.ok_or(GetError::Unknown)?;
        let details = AgentDetails::of(&mut view, agent).await?;
        if let Some(ticket) = ticket {
            known.keep_details(ticket, &details, self.now());
        }
        Ok(details)
    }
}
