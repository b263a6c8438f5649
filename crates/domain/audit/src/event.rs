//! What an event says.

use std::str::FromStr;

use kernel::{AgentId, CredentialId, OrganizationId, TokenId};
use serde_json::{Map, Value};
use thiserror::Error;

/// Text that names no such thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not one of the known values")]
pub struct UnknownName;

/// The first sentence of a comment.
fn first_sentence(comment: &str) -> &str {
    let end = comment.find(". ").map_or(comment.len(), |end| end + 1);
    comment.get(..end).unwrap_or(comment).trim()
}

/// An enum whose variants each have one name on the wire and in the store.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident {
        $($(#[doc = $meaning:literal])+ $variant:ident => $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name on the wire and in the store. It never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => first_sentence(concat!($($meaning),+)),)+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownName;

            fn from_str(text: &str) -> Result<Self, UnknownName> {
                Self::ALL.iter().copied().find(|one| one.name() == text).ok_or(UnknownName)
            }
        }
    };
}

named! {
    /// What was done, or tried: past tense, the thing before the dot.
    Action {
        /// An agent was registered.
        AgentCreated => "agent.created",
        /// An agent's fields were changed, its status apart.
        AgentUpdated => "agent.updated",
        /// An agent was suspended.
        AgentSuspended => "agent.suspended",
        /// A suspended agent was taken back into use.
        AgentReactivated => "agent.reactivated",
        /// An agent was revoked: no way back to active.
        AgentRevoked => "agent.revoked",
        /// An agent was decommissioned for good.
        AgentDecommissioned => "agent.decommissioned",
        /// A decommissioned agent was taken out of lists after its retention.
        AgentArchived => "agent.archived",
        /// A credential was made.
        CredentialGenerated => "credential.generated",
        /// A credential got a successor.
        CredentialRotated => "credential.rotated",
        /// A credential was revoked.
        CredentialRevoked => "credential.revoked",
        /// A client's key was registered: from here on the agent authenticates by keys like it alone.
        KeyAdded => "key.added",
        /// A client's key was removed, and its tokens with it.
        KeyRemoved => "key.removed",
        /// A token was issued.
        TokenIssued => "token.issued",
        /// A token was refused to a client that had authenticated.
        TokenRefused => "token.refused",
        /// A token was introspected.
        TokenIntrospected => "token.introspected",
        /// A token was revoked.
        TokenRevoked => "token.revoked",
        /// Somebody failed to authenticate.
        AuthFailed => "auth.failed",
        /// A caller that had authenticated was not permitted what it asked for.
        AccessDenied => "access.denied",
        /// An organization was founded.
        OrganizationCreated => "organization.created",
        /// An organization was suspended.
        OrganizationSuspended => "organization.suspended",
        /// A suspended organization was taken back into use.
        OrganizationReactivated => "organization.reactivated",
        /// From here on the hashes of secrets are made with another pepper than before, or with the
        /// first.
        PepperAdopted => "pepper.adopted",
        /// A signing key was made and published.
        SigningKeyPublished => "signing_key.published",
        /// A published key began to sign.
        SigningKeyActivated => "signing_key.activated",
        /// An active key ceased to sign, and still verifies.
        SigningKeyRetiring => "signing_key.retiring",
        /// A retiring key ceased to verify.
        SigningKeyRetired => "signing_key.retired",
        /// A key is believed no more, at once: somebody else may have its private half, or its row
        /// is damaged.
        SigningKeyCompromised => "signing_key.compromised",
        /// The key that signs the checkpoints of all logs was made.
        CheckpointKeyCreated => "checkpoint_key.created",
        /// Content or personal data of the first positions of the log is over, and will be erased.
        LogTrimmed => "log.trimmed",
        /// An operator knows why the log was halted, and lets it go on.
        LogAcknowledged => "log.acknowledged",
    }
}

named! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success => "success",
        /// It was refused or failed.
        Failure => "failure",
    }
}

named! {
    /// What kind of thing an event is about.
    ResourceKind {
        /// An agent.
        Agent => "agent",
        /// A credential.
        Credential => "credential",
        /// A client's key.
        Key => "key",
        /// An access token.
        Token => "token",
        /// An organization.
        Organization => "organization",
        /// A signing key.
        SigningKey => "signing_key",
        /// A route of the API.
        Route => "route",
        /// The key that signs checkpoints.
        CheckpointKey => "checkpoint_key",
        /// The audit log of an organization.
        Log => "log",
    }
}

/// The thing that an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its id.
    pub id: String,
}

impl From<AgentId> for Resource {
    fn from(id: AgentId) -> Self {
        Self { kind: ResourceKind::Agent, id: id.to_string() }
    }
}

impl From<CredentialId> for Resource {
    fn from(id: CredentialId) -> Self {
        Self { kind: ResourceKind::Credential, id: id.to_string() }
    }
}

impl From<TokenId> for Resource {
    fn from(id: TokenId) -> Self {
        Self { kind: ResourceKind::Token, id: id.to_string() }
    }
}

impl From<OrganizationId> for Resource {
    fn from(id: OrganizationId) -> Self {
        Self { kind: ResourceKind::Organization, id: id.to_string() }
    }
}

/// What happened, without who, where and when: the [`Scope`](tenancy::Scope) and the store add
/// those.
///
/// Metadata is a deliberate wire format: members are only ever added. It never holds a secret, a
/// token or a key, only their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    action: Action,
    outcome: Outcome,
    resource: Option<Resource>,
    used: Option<CredentialId>,
    metadata: Map<String, Value>,
}

impl Event {
    /// Something that was done.
    #[must_use]
    pub fn success(action: Action) -> Self {
        Self { action, outcome: Outcome::Success, resource: None, used: None, metadata: Map::new() }
    }

    /// Something that was refused or failed.
    #[must_use]
    pub fn failure(action: Action) -> Self {
        Self { outcome: Outcome::Failure, ..Self::success(action) }
    }

    /// The same, about this thing.
    #[must_use]
    pub fn on(mut self, resource: impl Into<Resource>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The same, done by a client that authenticated with this credential: stores keep the time
    /// as the last use of the credential and of its agent.
    #[must_use]
    pub fn using(mut self, credential: CredentialId) -> Self {
        self.used = Some(credential);
        self.with("credentialId", credential.to_string())
    }

    /// The same, with one more detail.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }

    /// The same, about this thing or about none.
    #[must_use]
    pub(crate) fn about(self, resource: Option<Resource>) -> Self {
        Self { resource, ..self }
    }

    /// What was done.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// How it ended.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// What it is about.
    #[must_use]
    pub const fn resource(&self) -> Option<&Resource> {
        self.resource.as_ref()
    }

    /// The credential whose use it is.
    #[must_use]
    pub const fn used(&self) -> Option<CredentialId> {
        self.used
    }

    /// The details.
    #[must_use]
    pub const fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_variant_and_none_is_used_twice() {
        for action in Action::ALL {
            assert_eq!(action.name().parse(), Ok(*action));
        }
        assert_eq!("agent.exploded".parse::<Action>(), Err(UnknownName));
    }

    #[test]
    fn a_meaning_is_the_first_sentence_of_the_comment() {
        assert_eq!(Action::AgentRevoked.meaning(), "An agent was revoked: no way back to active.");
        assert_eq!(first_sentence(" One. Two."), "One.");
        for action in Action::ALL {
            let meaning = action.meaning();
            assert!(meaning.ends_with('.') && !meaning.contains("  "), "{meaning}");
        }
    }
}
