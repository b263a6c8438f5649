//! Ends a key of a client.

use ::credentials::{ClientKeyChange, ClientKeyId, ClientKeys};
use audit::{Apply, Journal, Notes, Transactor, record};
use kernel::{AgentId, StoreError};
use thiserror::Error;

use crate::{
    agents::governed,
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    provider::IdentityProvider,
};

/// Why a key was not removed.
#[derive(Debug, Error)]
pub enum RemoveError {
    /// There is no such agent in the caller's organization, or it holds a role that permits more
    /// than the caller's own.
    #[error("there is no such agent here")]
    UnknownAgent,
    /// The agent has no such key, and never had.
    #[error("the agent has no such key")]
    UnknownKey,
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
    S::Tx: KnowsParties + ClientKeys + Apply<ClientKeyChange>,
{
    /// Removes a key, and with it every token that it obtained. Doing it again is no error and
    /// leaves no second event.
    ///
    /// # Errors
    /// [`RemoveError`]
    pub async fn remove_key(
        &self,
        caller: &Caller,
        agent: AgentId,
        kid: &ClientKeyId,
    ) -> Result<(), RemoveError> {
        let mut tx = self.begin_as::<RemoveError>(caller).await?;
        governed(&mut tx, caller, agent).await?.ok_or(RemoveError::UnknownAgent)?;
        let key = tx.client_key_called(agent, kid).await?.ok_or(RemoveError::UnknownKey)?;
        if let Some(change) = key.remove(self.now()) {
            let (tx, _) = record(tx, change).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
