//! What a client authenticated by, whatever its kind.

use kernel::{AgentId, CredentialId, Revision, Standing, Timestamp};

use crate::{client_key::ClientKey, credential::Credential, material::AuthenticationMethod};

/// What a client authenticated by, and what the claim `credential_id` of its tokens names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// A secret.
    Secret(Credential),
    /// A key, or a certificate. Boxed, since most have a secret, which is smaller.
    Key(Box<ClientKey>),
}

impl Means {
    /// Its id. Secrets and keys have ids of one kind, and never the same.
    #[must_use]
    pub const fn id(&self) -> CredentialId {
        match self {
            Self::Secret(credential) => credential.id(),
            Self::Key(key) => key.id(),
        }
    }

    /// The agent that it belongs to.
    #[must_use]
    pub const fn agent(&self) -> AgentId {
        match self {
            Self::Secret(credential) => credential.agent(),
            Self::Key(key) => key.agent(),
        }
    }

    /// The number of its last change.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        match self {
            Self::Secret(credential) => credential.record().revision,
            Self::Key(key) => key.record().revision,
        }
    }

    /// How somebody authenticates by it.
    #[must_use]
    pub const fn method(&self) -> AuthenticationMethod {
        match self {
            Self::Secret(_) => AuthenticationMethod::ClientSecret,
            Self::Key(key) => key.material().method(),
        }
    }

    /// Whether the tokens that were obtained with it may be good.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self {
            Self::Secret(credential) => credential.standing(),
            Self::Key(key) => key.standing(),
        }
    }

    /// Whether it lets anybody in at this instant.
    #[must_use]
    pub fn authenticates(&self, now: Timestamp) -> Standing {
        match self {
            Self::Secret(credential) => credential.authenticates(now),
            Self::Key(key) => key.authenticates(now),
        }
    }
}
