//! The newest checkpoint, and the key that it verifies with.

use audit::{LogReader, LogState, SignedCheckpoint, Transactor, VerifierKey};
use kernel::StoreError;

use crate::{caller::Caller, provider::IdentityProvider};

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: LogReader,
{
    /// The newest checkpoint of the caller's organization's log. `None` for the moment that the log
    /// takes to get its first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn newest_checkpoint(
        &self,
        caller: &Caller,
    ) -> Result<Option<SignedCheckpoint>, StoreError> {
        Ok(self.log_state(caller).await?.signed)
    }

    /// The key that checkpoints of the caller's organization's log verify with, under the log's name.
    /// `None` before the log's first leaf.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn verifier_key(&self, caller: &Caller) -> Result<Option<VerifierKey>, StoreError> {
        let origin = self.log_state(caller).await?.origin;
        Ok(origin.map(|origin| VerifierKey::new(origin.name().clone(), self.parts.checkpoint_key)))
    }

    async fn log_state(&self, caller: &Caller) -> Result<LogState, StoreError> {
        self.parts.store.view(caller.scope().organization()).await?.log_state().await
    }
}
