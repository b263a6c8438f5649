//! Lists an agent's credentials.

use ::credentials::{Credential, Credentials};
use audit::Transactor;
use kernel::{AgentId, CredentialId, Page, PageRequest, StoreError};
use registry::Agents;
use thiserror::Error;

use super::CredentialDetails;
use crate::{caller::Caller, provider::IdentityProvider};

/// Why credentials, or keys, were not listed.
#[derive(Debug, Error)]
pub enum ListError {
    /// There is no such agent in the caller's organization.
    #[error("there is no such agent here")]
    UnknownAgent,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Agents + Credentials,
{
    /// A page of an agent's credentials, newest first. Never a secret.
    ///
    /// # Errors
    /// [`ListError`]
    pub async fn credentials(
        &self,
        caller: &Caller,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<CredentialDetails, CredentialId>, ListError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let holder = view.agent(agent).await?.ok_or(ListError::UnknownAgent)?;
        let ended_at = holder.status().ended_at();
        let found = view.credentials(agent, page).await?;
        let ids: Vec<_> = found.rows.iter().map(Credential::id).collect();
        let uses = view.last_uses(&ids).await?;
        let now = self.now();
        Ok(found.map(|credential| CredentialDetails {
            status: credential.status(ended_at, now),
            revoked_at: credential.revoked_at(ended_at),
            last_used_at: uses.get(&credential.id()).copied(),
            credential,
        }))
    }
}
