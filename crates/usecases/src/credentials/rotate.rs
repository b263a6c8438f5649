//! Replaces a credential by a new one.

use ::credentials::{Credential, CredentialRotation, Credentials, LiveCount, Overlap, credential};
use audit::{Apply, Journal, Transactor, record};
use kernel::{AgentId, CredentialId, EntropyUnavailable, StoreError};
use registry::Agents;
use tenancy::Plan;
use thiserror::Error;

use super::{AgentEnded, NewSecret, not_ended};
use crate::{agents::governed, caller::Caller, provider::IdentityProvider};

/// Why a credential was not rotated.
#[derive(Debug, Error)]
pub enum RotateError {
    /// There is no such agent in the caller's organization, or it holds a role that permits more
    /// than the caller's own.
    #[error("there is no such agent here")]
    UnknownAgent,
    /// The agent has no such credential.
    #[error("the agent has no such credential")]
    UnknownCredential,
    /// The agent ended for good.
    #[error(transparent)]
    AgentEnded(#[from] AgentEnded),
    /// The agent has as many credentials as it may have.
    #[error("an agent has at most {} credentials that work", LiveCount::MAX)]
    Limit {
        /// How many it has.
        used: u64,
        /// The plan of its organization.
        plan: Plan,
    },
    /// The credential's own rules forbid it.
    #[error(transparent)]
    Rule(credential::RotateError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for the secret.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::Tx: Agents + Credentials + Apply<CredentialRotation>,
{
    /// Makes a credential's successor, and gives out its secret, once. The old one works for the
    /// overlap.
    ///
    /// # Errors
    /// [`RotateError`]
    pub async fn rotate_credential(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: CredentialId,
        overlap: Overlap,
    ) -> Result<NewSecret, RotateError> {
        let mut tx = self.parts.store.begin(caller.scope().clone()).await?;
        let holder = governed(&mut tx, caller, agent).await?.ok_or(RotateError::UnknownAgent)?;
        let old = credential_of(&mut tx, agent, id).await?;
        let old = old.ok_or(RotateError::UnknownCredential)?;
        not_ended(&holder)?;
        let now = self.now();
        let live = tx.live_credentials(agent, now).await?;
        let fresh = self.fresh_secret(now)?;
        let rotation = old
            .rotate((fresh.id, fresh.hash), overlap, live, now)
            .map_err(|error| refused(error, caller))?;
        let (tx, credential) = record(tx, rotation).await?;
        tx.commit().await?;
        let status = credential.status(None, now);
        Ok(NewSecret { credential, status, secret: fresh.secret.into_text() })
    }
}

/// A credential, if it is this agent's.
pub(super) async fn credential_of(
    credentials: &mut impl Credentials,
    agent: AgentId,
    id: CredentialId,
) -> Result<Option<Credential>, StoreError> {
    Ok(credentials.credential(id).await?.filter(|credential| credential.agent() == agent))
}

/// The rule that was broken; for the limit, with the plan that it stands in.
fn refused(error: credential::RotateError, caller: &Caller) -> RotateError {
    match error {
        credential::RotateError::Limit(reached) => {
            RotateError::Limit { used: reached.used, plan: caller.plan() }
        }
        error @ (credential::RotateError::NotLive(_) | credential::RotateError::Superseded) => {
            RotateError::Rule(error)
        }
    }
}
