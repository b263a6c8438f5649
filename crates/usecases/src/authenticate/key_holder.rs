//! A client with its keys, as those who check what it shows need it.

use ::credentials::{ClientKey, ClientKeys};
use audit::{Organizations, Transactor};
use kernel::{AgentId, OrganizationId, StoreError};
use registry::{Agent, Agents};
use tenancy::Organization;

use crate::provider::IdentityProvider;

/// A client as a store has it, with its keys.
pub(super) struct KeyHolder {
    pub(super) organization: Organization,
    pub(super) agent: Agent,
    pub(super) keys: Vec<ClientKey>,
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Organizations + Agents + ClientKeys,
{
    /// Looks up a client and its keys; for an unknown one the same in the platform's organization,
    /// where it is not.
    pub(super) async fn key_holder(
        &self,
        home: Option<OrganizationId>,
        client: AgentId,
    ) -> Result<Option<KeyHolder>, StoreError> {
        let mut view = self.parts.store.view(home.unwrap_or(self.parts.platform)).await?;
        let organization = view.organization().await?;
        let agent = view.agent(client).await?;
        let keys = view.live_keys_of(client).await?;
        let both = organization.zip(agent);
        Ok(both.map(|(organization, agent)| KeyHolder { organization, agent, keys }))
    }
}
