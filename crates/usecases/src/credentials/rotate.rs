//! Replaces a credential by a new one.

use ::credentials::{
    ClientKeys, CredentialRotation, Credentials, OtherMethod, Overlap, credential,
};
use audit::{Apply, Journal, Notes, Transactor, record};
use kernel::{AgentId, CredentialId, EntropyUnavailable, StoreError};
use thiserror::Error;

use super::{AgentEnded, NewSecret, admits_secret, credential_of, not_ended};
use crate::{
    agents::governed,
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    provider::IdentityProvider,
};

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
    /// The credential's own rules forbid it.
    #[error(transparent)]
    Rule(#[from] credential::RotateError),
    /// The agent authenticates by keys.
    #[error(transparent)]
    OtherMethod(#[from] OtherMethod),
    /// The caller is not good any more.
    #[error(transparent)]
    CallerEnded(#[from] CallerEnded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for the secret.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + ClientKeys + Apply<CredentialRotation>,
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
        let mut tx = self.begin_as::<RotateError>(caller).await?;
        let holder = governed(&mut tx, caller, agent).await?.ok_or(RotateError::UnknownAgent)?;
        let old = credential_of(&mut tx, agent, id).await?;
        let old = old.ok_or(RotateError::UnknownCredential)?;
        not_ended(&holder)?;
        admits_secret::<RotateError>(&mut tx, agent).await?;
        let now = self.now();
        let live = tx.live_credentials(agent, now).await?;
        let fresh = self.fresh_secret(now)?;
        let rotation = old.rotate((fresh.id, fresh.hash), overlap, live, now)?;
        let (tx, credential) = record(tx, rotation).await?;
        tx.commit().await?;
        let status = credential.status(None, now);
        Ok(NewSecret { credential, status, secret: fresh.secret.into_text() })
    }
}
