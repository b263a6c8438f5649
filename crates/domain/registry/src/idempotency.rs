//! Registering twice by mistake: a key that makes the second request find the first one's agent.

use std::{fmt, str::FromStr, time::Duration};

use kernel::{AgentId, Resource, Timestamp};
use ring::digest;
use serde_json::{Value, json};
use thiserror::Error;

use crate::{agent::NewAgent, role::Role};

/// For how long a key is remembered.
pub const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A key that the client chose for one registration: 1 to 255 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

/// Text that is no idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 255 visible ASCII characters")]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, InvalidIdempotencyKey> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({})", self.0)
    }
}

/// What a registration asks for, in 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request: equal for equal content, however it was spelled.
    #[must_use]
    pub fn of(new: &NewAgent) -> Self {
        let mut content = vec![
            json!(new.email.as_str()),
            json!(new.agent_type.as_str()),
            json!(new.version.as_str()),
            json!(new.capabilities.iter().map(crate::Capability::as_str).collect::<Vec<_>>()),
            json!(new.owner.as_str()),
            json!(new.deployment_env.as_str()),
            json!(new.roles.iter().map(Role::name).collect::<Vec<_>>()),
            json!(new.is_public),
            json!(new.metadata.as_object()),
        ];
        // What came later counts only where it is given: without it the fingerprint is that of the
        // release before, under which a request may have come first.
        if !new.resources.is_empty() || new.dpop_bound_access_tokens {
            let resources: Vec<_> = new.resources.iter().map(Resource::as_str).collect();
            content.extend([json!(resources), json!(new.dpop_bound_access_tokens)]);
        }
        let content = Value::Array(content).to_string();
        let digest = digest::digest(&digest::SHA256, content.as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }

    /// The bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Takes stored bytes back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// The key under which an agent is registered, to be kept with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The key.
    pub key: IdempotencyKey,
    /// Who chose it: another caller's equal key is another key.
    pub caller: AgentId,
    /// What was asked for.
    pub fingerprint: Fingerprint,
    /// Until when the key is remembered.
    pub expires_at: Timestamp,
}

impl Registration {
    /// A registration under this key, asked for now.
    #[must_use]
    pub fn new(key: IdempotencyKey, caller: AgentId, new: &NewAgent, now: Timestamp) -> Self {
        let fingerprint = Fingerprint::of(new);
        Self { key, caller, fingerprint, expires_at: now.plus(KEPT_FOR) }
    }
}

/// What was registered under a key before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastRegistration {
    /// What was asked for then.
    pub fingerprint: Fingerprint,
    /// The agent that came of it.
    pub agent: AgentId,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::{AgentType, Capabilities, DeploymentEnv, Metadata, Resources};

    fn new() -> NewAgent {
        NewAgent {
            email: "bot@example.com".parse().unwrap(),
            agent_type: AgentType::Custom,
            version: "1.0.0".parse().unwrap(),
            capabilities: Capabilities::new(["resume:read".parse().unwrap()]).unwrap(),
            owner: "hiring".parse().unwrap(),
            deployment_env: DeploymentEnv::Development,
            roles: crate::Roles::default(),
            is_public: false,
            metadata: Metadata::default(),
            resources: Resources::default(),
            dpop_bound_access_tokens: false,
        }
    }

    #[test]
    fn a_request_that_asks_for_another_thing_has_another_fingerprint() {
        let resources = |text: &str| Resources::new([text.parse().unwrap()]).unwrap();
        let all = [
            new(),
            NewAgent { is_public: true, ..new() },
            NewAgent { resources: resources("urn:a"), ..new() },
            NewAgent { resources: resources("urn:b"), ..new() },
            NewAgent { dpop_bound_access_tokens: true, ..new() },
        ];
        for (at, one) in all.iter().enumerate() {
            for (other_at, other) in all.iter().enumerate() {
                assert_eq!(Fingerprint::of(one) == Fingerprint::of(other), at == other_at);
            }
        }
    }

    #[test]
    fn a_key_from_before_an_upgrade_still_finds_what_it_registered() {
        let before = r#"["bot@example.com","custom","1.0.0",["resume:read"],"hiring","development",[],false,{}]"#;
        let digest = digest::digest(&digest::SHA256, before.as_bytes());
        assert_eq!(Fingerprint::of(&new()).as_bytes().as_slice(), digest.as_ref());
    }

    #[test]
    fn id_04_a_key_is_bounded_and_visible() {
        assert!("a-1".parse::<IdempotencyKey>().is_ok());
        for bad in ["", "a b", "é", "a\n", &"k".repeat(256)] {
            assert_eq!(bad.parse::<IdempotencyKey>(), Err(InvalidIdempotencyKey), "{bad}");
        }
    }
}
