//! Making credentials, listing, rotating and revoking them.

mod create;
mod list;
mod revoke;
mod rotate;

pub use create::{CreateError, CredentialRequest};
pub use list::ListError;
pub use revoke::RevokeError;
pub use rotate::RotateError;

use ::credentials::{
    ClientKeys, ClientSecret, Credential, CredentialStatus, Credentials, OtherMethod, SecretHash,
    Ways,
};
use kernel::{AgentId, CredentialId, EntropyUnavailable, Secret, StoreError, Timestamp};
use registry::{Agent, AgentStatus};
use thiserror::Error;

use crate::provider::IdentityProvider;

/// A credential as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialDetails {
    /// The credential.
    pub credential: Credential,
    /// How it stands.
    pub status: CredentialStatus,
    /// When it was revoked, by itself or with its agent.
    pub revoked_at: Option<Timestamp>,
    /// When it last obtained a token.
    pub last_used_at: Option<Timestamp>,
}

/// A credential that was just made, with the only copy of its secret.
#[derive(Debug)]
pub struct NewSecret {
    /// The credential.
    pub credential: Credential,
    /// How it stands.
    pub status: CredentialStatus,
    /// The secret, to be shown once.
    pub secret: Secret,
}

/// The agent ended for good: it gets no more credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the agent is `{}`", .0.name())]
pub struct AgentEnded(pub AgentStatus);

pub(crate) fn not_ended(agent: &Agent) -> Result<(), AgentEnded> {
    match agent.status().ended_at() {
        None => Ok(()),
        Some(_) => Err(AgentEnded(agent.status())),
    }
}

/// A credential, if it is this agent's.
async fn credential_of(
    credentials: &mut impl Credentials,
    agent: AgentId,
    id: CredentialId,
) -> Result<Option<Credential>, StoreError> {
    Ok(credentials.credential(id).await?.filter(|credential| credential.agent() == agent))
}

/// Whether the agent may get a secret: not while it has a key (CA-03). In a transaction it stays so.
async fn admits_secret<E>(keys: &mut impl ClientKeys, agent: AgentId) -> Result<(), E>
where
    E: From<StoreError> + From<OtherMethod>,
{
    let keys = keys.live_keys_of(agent).await?;
    Ok(Ways::new(Vec::new(), keys).admit_secret()?)
}

/// A secret on its way to its owner, and what is kept of it.
struct Fresh {
    id: CredentialId,
    hash: SecretHash,
    secret: ClientSecret,
}

impl<S, G> IdentityProvider<S, G> {
    fn fresh_secret(&self, now: Timestamp) -> Result<Fresh, EntropyUnavailable> {
        let id = CredentialId::generate(now, self.entropy())?;
        let secret = ClientSecret::generate(id, self.entropy())?;
        let hash = self.parts.peppers.hash(secret.presented());
        Ok(Fresh { id, hash, secret })
    }
}
