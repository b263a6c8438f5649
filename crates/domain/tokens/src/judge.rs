//! The one function that judges whether a token is still good.

use kernel::{ScopeSet, Standing, Timestamp};
use thiserror::Error;

use crate::{jws::VerifiedToken, policy::CLOCK_SKEW};

/// Everything outside the token that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The standing of organization, agent and credential together.
    pub standing: Standing,
    /// Whether this very token was revoked.
    pub revoked: bool,
    /// Whether the key that signed it is believed no more, though it was when the token was read: the
    /// keys at hand may be from before.
    pub key_ended: bool,
    /// Everything that the agent may ask for at this moment.
    pub grantable: ScopeSet,
}

/// Why a token is not good. For the log and the audit event: a caller learns only that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Dead {
    /// It was made for later.
    #[error("the token is not valid yet")]
    NotYet,
    /// Its time is over.
    #[error("the token is expired")]
    Expired,
    /// It was revoked itself.
    #[error("the token is revoked")]
    Revoked,
    /// The key that signed it is not believed any more.
    #[error("the token's key is not believed any more")]
    Key,
    /// Its organization, agent or credential is not good.
    #[error("the token's agent, credential or organization is not good")]
    Ended,
    /// It comes from before a break in the standing of one of them.
    #[error("the token is from before its agent, credential or organization was last ended")]
    BeforeWatermark,
}

/// Judges a token, and says what it permits at this moment: the part of its scope that the agent
/// may still ask for.
///
/// # Errors
/// [`Dead`]
pub fn judge(token: &VerifiedToken, facts: &Facts, now: Timestamp) -> Result<ScopeSet, Dead> {
    let claims = token.claims();
    if claims.issued_at > now.plus(CLOCK_SKEW) {
        return Err(Dead::NotYet);
    }
    if claims.expires_at <= now {
        return Err(Dead::Expired);
    }
    if facts.revoked {
        return Err(Dead::Revoked);
    }
    if facts.key_ended {
        return Err(Dead::Key);
    }
    let Standing::Good { not_before } = facts.standing else {
        return Err(Dead::Ended);
    };
    if not_before.is_some_and(|watermark| !claims.is_after(watermark)) {
        return Err(Dead::BeforeWatermark);
    }
    Ok(claims.scope.within(&facts.grantable))
}

#[cfg(test)]
mod tests;
