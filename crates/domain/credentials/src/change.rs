//! Changes of credentials and of keys, and the events that they leave.

use audit::{Action, Audited, Event, Resource, ResourceKind};
use kernel::Revision;

use crate::{client_key::ClientKey, credential::Credential};

/// Why a credential changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialCause {
    Generated,
    Revoked,
}

/// A credential that was made or revoked. Only [`Credential`] makes this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialChange {
    expected: Option<Revision>,
    after: Credential,
    cause: CredentialCause,
}

impl CredentialChange {
    pub(crate) const fn new(
        expected: Option<Revision>,
        after: Credential,
        cause: CredentialCause,
    ) -> Self {
        Self { expected, after, cause }
    }

    /// The revision that it was computed from; `None` where the credential is new.
    #[must_use]
    pub const fn expected(&self) -> Option<Revision> {
        self.expected
    }

    /// The credential as it will be.
    #[must_use]
    pub const fn after(&self) -> &Credential {
        &self.after
    }

    /// The credential, once the change is written.
    #[must_use]
    pub fn into_after(self) -> Credential {
        self.after
    }
}

impl Audited for CredentialChange {
    type After = Credential;

    fn event(&self) -> Event {
        let record = self.after.record();
        let event = match self.cause {
            CredentialCause::Generated => {
                let event = Event::success(Action::CredentialGenerated);
                match record.expires_at {
                    Some(end) => event.with("expiresAt", end.to_string()),
                    None => event,
                }
            }
            CredentialCause::Revoked => Event::success(Action::CredentialRevoked),
        };
        event.on(record.id).with("agentId", record.agent.to_string())
    }

    fn into_after(self) -> Credential {
        self.after
    }
}

/// A credential that got a successor: both are written, or neither. Only [`Credential`] makes
/// this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialRotation {
    expected: Revision,
    old: Credential,
    successor: Credential,
}

impl CredentialRotation {
    pub(crate) const fn new(expected: Revision, old: Credential, successor: Credential) -> Self {
        Self { expected, old, successor }
    }

    /// The old credential's revision that it was computed from.
    #[must_use]
    pub const fn expected(&self) -> Revision {
        self.expected
    }

    /// The old credential as it will be.
    #[must_use]
    pub const fn old(&self) -> &Credential {
        &self.old
    }

    /// The new one.
    #[must_use]
    pub const fn successor(&self) -> &Credential {
        &self.successor
    }

    /// The new one, once both are written.
    #[must_use]
    pub fn into_successor(self) -> Credential {
        self.successor
    }
}

impl Audited for CredentialRotation {
    type After = Credential;

    fn event(&self) -> Event {
        let old = self.old.record();
        let event = Event::success(Action::CredentialRotated)
            .on(old.id)
            .with("agentId", old.agent.to_string())
            .with("successorId", self.successor.id().to_string());
        match old.expires_at {
            Some(end) => event.with("worksUntil", end.to_string()),
            None => event,
        }
    }

    fn into_after(self) -> Credential {
        self.into_successor()
    }
}

/// Why a key changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyCause {
    Added,
    Removed,
}

/// A key that was registered or removed. Only [`ClientKey`] makes this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeyChange {
    expected: Option<Revision>,
    after: ClientKey,
    cause: KeyCause,
}

impl ClientKeyChange {
    pub(crate) const fn new(expected: Option<Revision>, after: ClientKey, cause: KeyCause) -> Self {
        Self { expected, after, cause }
    }

    /// The revision that it was computed from; `None` where the key is new.
    #[must_use]
    pub const fn expected(&self) -> Option<Revision> {
        self.expected
    }

    /// The key as it will be.
    #[must_use]
    pub const fn after(&self) -> &ClientKey {
        &self.after
    }
}

impl Audited for ClientKeyChange {
    type After = ClientKey;

    fn event(&self) -> Event {
        let record = self.after.record();
        let action = match self.cause {
            KeyCause::Added => Action::KeyAdded,
            KeyCause::Removed => Action::KeyRemoved,
        };
        let resource = Resource { kind: ResourceKind::Key, id: record.id.to_string() };
        let event = Event::success(action)
            .on(resource)
            .with("agentId", record.agent.to_string())
            .with("kid", record.kid.as_str())
            .with("method", record.material.method().name());
        let event = match record.material.algorithm() {
            Some(algorithm) => event.with("algorithm", algorithm.name()),
            None => event,
        };
        match (self.cause, record.expires_at) {
            (KeyCause::Added, Some(end)) => event.with("expiresAt", end.to_string()),
            (KeyCause::Added | KeyCause::Removed, _) => event,
        }
    }

    fn into_after(self) -> ClientKey {
        self.after
    }
}
