//! Ends a credential.

use ::credentials::CredentialChange;
use audit::{Apply, Journal, Notes, Transactor, record};
use kernel::{AgentId, CredentialId, StoreError};
use thiserror::Error;

use super::credential_of;
use crate::{
    agents::governed,
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    provider::IdentityProvider,
};

/// Why a credential was not revoked.
#[derive(Debug, Error)]
pub enum RevokeError {
    /// There is no such agent in the caller's organization, or it holds a role that permits more
    /// than the caller's own.
    #[error("there is no such agent here")]
    UnknownAgent,
    /// The agent has no such credential.
    #[error("the agent has no such credential")]
    UnknownCredential,
    /// The caller is not good any more.
    #[error(transparent)]
    CallerEnded(#[from] CallerEnded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + Apply<CredentialChange>,
{
    /// Revokes a credential, and every token that it obtained. Doing it again is no error and
    /// leaves no second event.
    ///
    /// # Errors
    /// [`RevokeError`]
    pub async fn revoke_credential(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: CredentialId,
    ) -> Result<(), RevokeError> {
        let mut tx = self.begin_as::<RevokeError>(caller).await?;
        governed(&mut tx, caller, agent).await?.ok_or(RevokeError::UnknownAgent)?;
        let credential = credential_of(&mut tx, agent, id).await?;
        let credential = credential.ok_or(RevokeError::UnknownCredential)?;
        if let Some(change) = credential.revoke(self.now()) {
            let (tx, _) = record(tx, change).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
