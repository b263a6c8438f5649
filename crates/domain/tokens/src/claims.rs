//! What a token says (RFC 9068 section 2.2).

use kernel::{AgentId, CredentialId, OrganizationId, ScopeSet, Timestamp, TokenId};

use crate::{confirmation::Confirmation, issuer::Issuer};

/// The claims of an access token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`
    pub issuer: String,
    /// `sub` and `client_id`: the agent.
    pub agent: AgentId,
    /// `aud`: what it is for, at least one.
    pub audience: Vec<String>,
    /// `organization_id`
    pub organization: OrganizationId,
    /// `agent_type`, as the contract spells it.
    pub agent_type: String,
    /// `credential_id`: what obtained it, so that it dies with that.
    pub credential: CredentialId,
    /// `scope`
    pub scope: ScopeSet,
    /// `iat` and `nbf`, in whole seconds.
    pub issued_at: Timestamp,
    /// `exp`, in whole seconds.
    pub expires_at: Timestamp,
    /// `jti`
    pub id: TokenId,
    /// `cnf`: what whoever shows it must hold besides.
    pub confirmation: Option<Confirmation>,
}

impl Claims {
    /// Whether the token is for the issuer's own API, and for nobody else: one that others hold
    /// too could be played back here by any of them.
    #[must_use]
    pub fn is_only_for(&self, issuer: &Issuer) -> bool {
        matches!(self.audience.as_slice(), [only] if only == issuer.as_str())
    }

    /// Whether it was made after the watermark. The id tells to the millisecond, `iat` only to the
    /// second, in which a token from before a suspension could hide.
    #[must_use]
    pub fn is_after(&self, not_before: Timestamp) -> bool {
        let watermark = u64::try_from(not_before.unix_micros()).unwrap_or(u64::MAX);
        self.id
            .made_at_millis()
            .and_then(|millis| millis.checked_mul(1_000))
            .is_some_and(|micros| micros > watermark)
    }
}
