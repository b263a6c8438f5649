//! Letting a log go on that was halted: in the file of checkpoints, and in the store.

use audit::{LogReader, trim::NotHalted};
use kernel::OrganizationId;
use usecases::log::{AcknowledgeError, acknowledge};

use super::{ComposeError, Foundations, Store};
use crate::config::Config;

impl<S: Store> Foundations<S> {
    /// Lets a log go on, for this reason. Gives back why it had been halted.
    ///
    /// The file first: a server that finds the log going on, and the file as it was, would halt it
    /// again.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn acknowledge(
        &self,
        config: &Config,
        organization: OrganizationId,
        reason: &str,
    ) -> Result<String, ComposeError> {
        let state = self.store.view(organization).await?.log_state().await?;
        let found = state.halted.ok_or(AcknowledgeError::from(NotHalted))?;
        if let Some(file) = self.checkpoint_file(config.audit()).await? {
            file.acknowledge(organization, reason.to_owned(), self.clock.now()).await?;
        }
        acknowledge(&self.store, organization, reason).await?;
        Ok(found)
    }
}
