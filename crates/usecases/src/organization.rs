//! Reads the caller's own organization.

use audit::{Organizations, Transactor};
use kernel::StoreError;
use registry::Agents;
use tenancy::{Organization, Quotas};

use crate::{caller::Caller, provider::IdentityProvider};

/// An organization, what its plan allows, and what it uses of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationDetails {
    /// The organization.
    pub organization: Organization,
    /// What its plan allows.
    pub quotas: Quotas,
    /// How many agents it has that are neither decommissioned nor archived.
    pub agents: u64,
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Organizations + Agents,
{
    /// Reads the caller's organization.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn own_organization(
        &self,
        caller: &Caller,
    ) -> Result<OrganizationDetails, StoreError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let missing = StoreError::Corrupt { table: "agent", column: "organization_id" };
        let organization = view.organization().await?.ok_or(missing)?;
        let quotas = *self.parts.plans.quotas(organization.plan());
        Ok(OrganizationDetails { quotas, agents: view.agent_count().await?, organization })
    }
}
