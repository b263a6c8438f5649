//! Registers a key of a client.

use ::credentials::{
    AddKeyError, ClientKeyChange, ClientKeyId, ClientKeys, CredentialChange, CredentialName,
    KeyMaterial, NewClientKey, Ways,
};
use audit::{Apply, Journal, Notes, Transactor, record};
use kernel::{AgentId, CLOCK_SKEW, CredentialId, EntropyUnavailable, StoreError, Timestamp};
use thiserror::Error;

use super::KeyDetails;
use crate::{
    agents::governed,
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    credentials::{AgentEnded, not_ended},
    provider::IdentityProvider,
};

/// What the caller gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRequest {
    /// What the client calls it; its thumbprint, if `None`.
    pub kid: Option<ClientKeyId>,
    /// The key.
    pub material: KeyMaterial,
    /// What people call it.
    pub name: Option<CredentialName>,
    /// When it ends; never, if `None`.
    pub expires_at: Option<Timestamp>,
}

/// Why a key was not registered.
#[derive(Debug, Error)]
pub enum AddError {
    /// There is no such agent in the caller's organization, or it holds a role that permits more
    /// than the caller's own.
    #[error("there is no such agent here")]
    UnknownAgent,
    /// The agent ended for good.
    #[error(transparent)]
    AgentEnded(#[from] AgentEnded),
    /// Nothing can be verified by it.
    #[error("it is no key: its point does not lie on the curve")]
    Unusable,
    /// The rules of keys forbid it.
    #[error(transparent)]
    Rule(#[from] AddKeyError),
    /// The caller is not good any more.
    #[error(transparent)]
    CallerEnded(#[from] CallerEnded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for the id.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + ClientKeys + Apply<CredentialChange> + Apply<ClientKeyChange>,
{
    /// Registers a key for an agent. If it is the first, all of the agent's secrets end with it,
    /// and the tokens that they obtained: be it the very token that asks for this.
    ///
    /// # Errors
    /// [`AddError`]
    pub async fn add_key(
        &self,
        caller: &Caller,
        agent: AgentId,
        request: KeyRequest,
    ) -> Result<KeyDetails, AddError> {
        self.usable(&request.material)?;
        let mut tx = self.begin_as::<AddError>(caller).await?;
        let holder = governed(&mut tx, caller, agent).await?.ok_or(AddError::UnknownAgent)?;
        not_ended(&holder)?;
        let now = self.now();
        // One that has just ended still lets somebody in where a clock is behind.
        let secrets = tx.live_secrets_of(agent, now.minus(CLOCK_SKEW)).await?;
        let ways = Ways::new(secrets, tx.live_keys_of(agent).await?);
        let new = NewClientKey {
            id: CredentialId::generate(now, self.entropy())?,
            organization: caller.scope().organization(),
            agent,
            kid: request.kid,
            material: request.material,
            name: request.name,
            expires_at: request.expires_at,
        };
        let addition = ways.add(new, now)?;
        for ended in addition.ended {
            (tx, _) = record(tx, ended).await?;
        }
        let (tx, key) = record(tx, addition.added).await?;
        tx.commit().await?;
        let status = key.status(None, now);
        Ok(KeyDetails { key, status, removed_at: None, last_used_at: None })
    }
}

impl<S, G> IdentityProvider<S, G> {
    /// A point has the right size and yet may lie off its curve.
    fn usable(&self, material: &KeyMaterial) -> Result<(), AddError> {
        match material {
            KeyMaterial::Jwk(key) if !self.parts.verifier.accepts(key) => Err(AddError::Unusable),
            KeyMaterial::Jwk(_) | KeyMaterial::Certificate(_) | KeyMaterial::Subject(_) => Ok(()),
        }
    }
}
