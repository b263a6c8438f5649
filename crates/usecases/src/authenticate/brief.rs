//! What decides on a caller beyond its token: its agent, as it stands at this moment.

use std::sync::Arc;

use audit::Transactor;
use kernel::{AgentId, OrganizationId, StoreError};
use registry::Agents;

use super::AgentBrief;
use crate::provider::IdentityProvider;

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Agents,
{
    /// What is to know of an agent: from a copy where there is one, as there is of a caller that
    /// has just authenticated. `None` where there is no such agent.
    pub(crate) async fn agent_brief(
        &self,
        organization: OrganizationId,
        agent: AgentId,
    ) -> Result<Option<Arc<AgentBrief>>, StoreError> {
        if let Ok(brief) = self.parts.known.agent(organization, agent, self.now()) {
            return Ok(Some(brief));
        }
        let found = self.parts.store.view(organization).await?.agent(agent).await?;
        Ok(found.map(|agent| Arc::new(AgentBrief::of(&agent))))
    }
}
