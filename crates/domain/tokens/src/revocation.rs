//! A token that was ended before its time.

use audit::{Action, Audited, Event};
use kernel::{AgentId, Timestamp, TokenId};

use crate::jws::VerifiedToken;

/// The revocation of one token (RFC 7009). It is remembered until the token would have expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRevoked {
    id: TokenId,
    agent: AgentId,
    expires_at: Timestamp,
    at: Timestamp,
}

impl TokenRevoked {
    /// Revokes a token that was verified. Only such a one: text that merely looks like a token
    /// could otherwise fill the store. `None` where it is over already.
    #[must_use]
    pub fn of(token: &VerifiedToken, now: Timestamp) -> Option<Self> {
        let claims = token.claims();
        (claims.expires_at > now).then_some(Self {
            id: claims.id,
            agent: claims.agent,
            expires_at: claims.expires_at,
            at: now,
        })
    }

    /// The token.
    #[must_use]
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// Until when it must be remembered.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// When it was revoked.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}

impl Audited for TokenRevoked {
    type After = ();

    fn event(&self) -> Event {
        Event::success(Action::TokenRevoked)
            .on(self.id)
            .with("agentId", self.agent.to_string())
            .with("expiresAt", self.expires_at.to_string())
    }

    fn into_after(self) {}
}
