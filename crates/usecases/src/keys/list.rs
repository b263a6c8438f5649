//! Lists an agent's keys.

use ::credentials::{ClientKey, ClientKeys, Credentials};
use audit::Transactor;
use kernel::{AgentId, CredentialId, Page, PageRequest};
use registry::Agents;

use super::KeyDetails;
use crate::{caller::Caller, credentials::ListError, provider::IdentityProvider};

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: Agents + Credentials + ClientKeys,
{
    /// A page of an agent's keys, removed ones too, newest first.
    ///
    /// # Errors
    /// [`ListError`]
    pub async fn keys(
        &self,
        caller: &Caller,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> Result<Page<KeyDetails, CredentialId>, ListError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        let holder = view.agent(agent).await?.ok_or(ListError::UnknownAgent)?;
        let ended_at = holder.status().ended_at();
        let found = view.client_keys_of(agent, page).await?;
        let ids: Vec<_> = found.rows.iter().map(ClientKey::id).collect();
        let uses = view.last_uses(&ids).await?;
        let now = self.now();
        Ok(found.map(|key| KeyDetails {
            status: key.status(ended_at, now),
            removed_at: key.removed_at(ended_at),
            last_used_at: uses.get(&key.id()).copied(),
            key,
        }))
    }
}
