//! Makes a credential.

use ::credentials::{
    ClientKeys, Credential, CredentialChange, CredentialName, Credentials, NewCredential,
    OtherMethod, credential::GenerateError,
};
use audit::{Apply, Journal, Notes, Transactor, record};
use kernel::{AgentId, EntropyUnavailable, StoreError, Timestamp};
use thiserror::Error;

use super::{AgentEnded, NewSecret, admits_secret, not_ended};
use crate::{
    agents::governed,
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    provider::IdentityProvider,
};

/// What the caller gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialRequest {
    /// What people call it.
    pub name: Option<CredentialName>,
    /// When it ends; never, if `None`.
    pub expires_at: Option<Timestamp>,
}

/// Why a credential was not made.
#[derive(Debug, Error)]
pub enum CreateError {
    /// There is no such agent in the caller's organization, or it holds a role that permits more
    /// than the caller's own.
    #[error("there is no such agent here")]
    UnknownAgent,
    /// The agent ended for good.
    #[error(transparent)]
    AgentEnded(#[from] AgentEnded),
    /// The credential's own rules forbid it.
    #[error(transparent)]
    Rule(#[from] GenerateError),
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
    S::Tx: KnowsParties + ClientKeys + Apply<CredentialChange>,
{
    /// Makes a credential for an agent, and gives out its secret, once.
    ///
    /// # Errors
    /// [`CreateError`]
    pub async fn create_credential(
        &self,
        caller: &Caller,
        agent: AgentId,
        request: CredentialRequest,
    ) -> Result<NewSecret, CreateError> {
        let mut tx = self.begin_as::<CreateError>(caller).await?;
        let holder = governed(&mut tx, caller, agent).await?.ok_or(CreateError::UnknownAgent)?;
        not_ended(&holder)?;
        admits_secret::<CreateError>(&mut tx, agent).await?;
        let now = self.now();
        let live = tx.live_credentials(agent, now).await?;
        let fresh = self.fresh_secret(now)?;
        let new = NewCredential {
            id: fresh.id,
            agent,
            organization: caller.scope().organization(),
            name: request.name,
            expires_at: request.expires_at,
            hash: fresh.hash,
        };
        let change = Credential::generate(new, live, now)?;
        let (tx, credential) = record(tx, change).await?;
        tx.commit().await?;
        let status = credential.status(None, now);
        Ok(NewSecret { credential, status, secret: fresh.secret.into_text() })
    }
}
