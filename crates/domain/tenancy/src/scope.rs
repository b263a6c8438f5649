//! Who acts, where, and on whose request.

use std::{fmt, net::IpAddr, sync::Arc};

use kernel::{AgentId, OrganizationId, RequestId, text::is_unprintable};

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An agent that has authenticated.
    Agent(AgentId),
    /// Somebody who has not, and who claims to be this agent, if an existing one was named.
    Unauthenticated {
        /// The agent that was named.
        claims: Option<AgentId>,
    },
    /// The installation itself, at its first start or by its command line.
    System,
}

impl Actor {
    /// The agent that acts, or that is claimed to.
    #[must_use]
    pub const fn agent(self) -> Option<AgentId> {
        match self {
            Self::Agent(id) => Some(id),
            Self::Unauthenticated { claims } => claims,
            Self::System => None,
        }
    }
}

/// What a client says of itself, cut to 256 characters and cleared of what could break a log. A clone
/// shares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(Arc<str>);

impl UserAgent {
    const MAX_CHARACTERS: usize = 256;

    /// Keeps what can safely be kept of a client's words.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        // Nearly every client's words are of this kind, and stay as they are.
        if (1..=Self::MAX_CHARACTERS).contains(&text.len())
            && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        {
            return Some(Self(text.into()));
        }
        let kept: String =
            text.chars().filter(|c| !is_unprintable(*c)).take(Self::MAX_CHARACTERS).collect();
        (!kept.is_empty()).then(|| Self(kept.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The request that asks, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its id, which joins the answer, the log line and the audit event.
    pub request: RequestId,
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// The client's program.
    pub user_agent: Option<UserAgent>,
}

impl Origin {
    /// The origin of work that no request asked for.
    #[must_use]
    pub fn internal() -> Self {
        Self { request: RequestId::internal(), address: None, user_agent: None }
    }
}

/// On whose behalf something is done: the organization, the actor and the request.
///
/// The organization is the token's, never one that a body, a path or a query names. Whatever
/// writes takes the scope, and every event gets its organization, actor and request from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    organization: OrganizationId,
    actor: Actor,
    origin: Origin,
}

impl Scope {
    /// The scope of a request by this actor in this organization.
    #[must_use]
    pub const fn new(organization: OrganizationId, actor: Actor, origin: Origin) -> Self {
        Self { organization, actor, origin }
    }

    /// The organization whose rows may be seen and changed.
    #[must_use]
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// Who acts.
    #[must_use]
    pub const fn actor(&self) -> Actor {
        self.actor
    }

    /// The request that asks.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_agent_is_cut_and_cleared() {
        let kept = UserAgent::new(&format!("curl\r\n\u{202e}{}", "x".repeat(400))).unwrap();
        assert_eq!(kept.as_str().chars().count(), 256);
        assert!(kept.as_str().starts_with("curlxx"));
        assert_eq!(UserAgent::new("\n"), None);
    }
}
