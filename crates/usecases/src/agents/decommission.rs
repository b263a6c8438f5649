//! Ends an agent for good.

use audit::{Apply, Journal, Notes, Transactor, record};
use kernel::{AgentId, StoreError};
use registry::{AgentChange, Agents};
use thiserror::Error;

use super::governed;
use crate::{
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    provider::IdentityProvider,
};

/// Why an agent was not decommissioned.
#[derive(Debug, Error)]
pub enum DecommissionError {
    /// There is none in the caller's organization, or it holds a role that permits more than the
    /// caller's own.
    #[error("there is no such agent here")]
    Unknown,
    /// The agent's own rules forbid it.
    #[error(transparent)]
    Rule(registry::agent::DecommissionError),
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
    S::Tx: KnowsParties + Apply<AgentChange>,
{
    /// Decommissions an agent. Its credentials and tokens end with it, at once.
    ///
    /// # Errors
    /// [`DecommissionError`]
    pub async fn decommission_agent(
        &self,
        caller: &Caller,
        id: AgentId,
    ) -> Result<(), DecommissionError> {
        let mut tx = self.begin_as::<DecommissionError>(caller).await?;
        let agent = governed(&mut tx, caller, id).await?.ok_or(DecommissionError::Unknown)?;
        let others = tx.other_admins(id).await?;
        let change = agent.decommission(others, self.now()).map_err(DecommissionError::Rule)?;
        let (tx, _) = record(tx, change).await?;
        tx.commit().await?;
        Ok(())
    }
}
