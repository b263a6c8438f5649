//! The port of the caller's own organization.

use async_trait::async_trait;
use audit::{Organizations, Transactor};
use kernel::StoreError;
#[cfg(feature = "mocks")]
use mockall::automock;
use registry::Agents;

use crate::{caller::Caller, organization::OrganizationDetails, provider::IdentityProvider};

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
