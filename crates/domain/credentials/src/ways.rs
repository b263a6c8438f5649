//! The one way in which an agent authenticates: by secrets, or by keys of one method, never by two.
//!
//! A server that accepts a weaker way beside a stronger one is as good as the weaker. So the first key
//! ends the secrets, and while a key is there no secret is made: there is nothing to fall back to.

use kernel::Timestamp;
use thiserror::Error;

use crate::{
    change::{ClientKeyChange, CredentialChange},
    client_key::{ClientKey, NewClientKey},
    credential::{Credential, LiveCount},
    material::AuthenticationMethod,
};

/// The agent authenticates in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "the agent authenticates by `{}`, and never in two ways; `{}` is for when its keys are removed",
    .from.name(), .to.name()
)]
pub struct OtherMethod {
    /// How it does.
    pub from: AuthenticationMethod,
    /// How it would.
    pub to: AuthenticationMethod,
}

/// Why a key was not registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AddKeyError {
    /// It would have been expired from the start.
    #[error("must lie in the future")]
    ExpiryInThePast,
    /// There are too many. One that has expired counts until it is removed.
    #[error("an agent has at most 10 keys")]
    Limit {
        /// How many it has.
        used: u64,
    },
    /// It has keys of another method.
    #[error(transparent)]
    OtherMethod(#[from] OtherMethod),
    /// It has a key of that id.
    #[error("the agent has a key of this `kid` already")]
    KidTaken,
    /// It has that very key, by another id: who removed the one would leave the other.
    #[error("the agent has this key already")]
    Doubled,
}

/// What an agent has to authenticate by: its secrets that work, and its keys that were not removed.
#[derive(Debug, Clone)]
pub struct Ways {
    secrets: Vec<Credential>,
    keys: Vec<ClientKey>,
}

/// A key that is registered, and the secrets that end with it: all are written, or none.
#[derive(Debug, Clone)]
pub struct KeyAddition {
    /// The ends of the secrets, to be written first.
    pub ended: Vec<CredentialChange>,
    /// The key.
    pub added: ClientKeyChange,
}

impl Ways {
    /// What an agent has, all of it.
    #[must_use]
    pub const fn new(secrets: Vec<Credential>, keys: Vec<ClientKey>) -> Self {
        Self { secrets, keys }
    }

    /// How the agent authenticates; `None` where it cannot.
    #[must_use]
    pub fn method(&self) -> Option<AuthenticationMethod> {
        let of_secrets = || self.secrets.first().map(|_| AuthenticationMethod::ClientSecret);
        self.keys.first().map(|key| key.material().method()).or_else(of_secrets)
    }

    /// Whether the agent may get a secret.
    ///
    /// # Errors
    /// [`OtherMethod`] while it has a key.
    pub fn admit_secret(&self) -> Result<(), OtherMethod> {
        self.admit(AuthenticationMethod::ClientSecret)
    }

    /// A key must be removed by hand before another method is taken; a secret is not asked for.
    fn admit(&self, to: AuthenticationMethod) -> Result<(), OtherMethod> {
        match self.keys.first().map(|key| key.material().method()) {
            Some(from) if from != to => Err(OtherMethod { from, to }),
            Some(_) | None => Ok(()),
        }
    }

    /// Registers a key, and ends every secret that works.
    ///
    /// # Errors
    /// [`AddKeyError`]
    pub fn add(self, new: NewClientKey, now: Timestamp) -> Result<KeyAddition, AddKeyError> {
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(AddKeyError::ExpiryInThePast);
        }
        self.admit(new.material.method())?;
        let added = ClientKey::add(new, now);
        self.admit_beside(added.after())?;
        let ended = self.secrets.into_iter().filter_map(|secret| secret.revoke(now)).collect();
        Ok(KeyAddition { ended, added })
    }

    fn admit_beside(&self, new: &ClientKey) -> Result<(), AddKeyError> {
        if self.keys.iter().any(|key| key.kid() == new.kid()) {
            return Err(AddKeyError::KidTaken);
        }
        let thumbprint = new.material().thumbprint();
        if self.keys.iter().any(|key| key.material().thumbprint() == thumbprint) {
            return Err(AddKeyError::Doubled);
        }
        let live = LiveCount(u64::try_from(self.keys.len()).unwrap_or(u64::MAX));
        live.admits_one_more().map_err(|reached| AddKeyError::Limit { used: reached.used })
    }
}

#[cfg(test)]
mod tests;
