//! Lists agents.

use audit::Transactor;
use kernel::{AgentId, Page, PageRequest, StoreError};
use registry::{Agent, AgentFilter, Agents};

use super::AgentDetails;
use crate::{caller::Caller, provider::IdentityProvider};

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Agents,
{
    /// A page of the caller's organization's agents, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn agents(
        &self,
        caller: &Caller,
        filter: &AgentFilter,
        page: PageRequest<AgentId>,
    ) -> Result<Page<AgentDetails, AgentId>, StoreError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let found = view.agents(filter, page).await?;
        let ids: Vec<_> = found.rows.iter().map(Agent::id).collect();
        let last = view.last_authentications(&ids).await?;
        Ok(found.map(|agent| {
            let last_auth_at = last.get(&agent.id()).copied();
            AgentDetails { agent, last_auth_at }
        }))
    }
}
