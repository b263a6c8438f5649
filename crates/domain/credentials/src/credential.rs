//! The credential and its life.

use std::time::Duration;

use kernel::{
    AgentId, CLOCK_SKEW, CredentialId, OrganizationId, Revision, Standing, Text, Timestamp,
};
use thiserror::Error;

use crate::{
    change::{CredentialCause, CredentialChange, CredentialRotation},
    hash::SecretHash,
};

/// What people call a credential.
pub type CredentialName = Text<128>;

/// Where a credential stands, its expiry apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialState {
    /// In use.
    Live,
    /// It has a successor, and works until it expires.
    Superseded {
        /// The successor.
        by: CredentialId,
    },
    /// Dead, and every token that it obtained with it.
    Revoked {
        /// Since when.
        at: Timestamp,
    },
}

/// How a credential looks to people at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialStatus {
    /// It works.
    Active,
    /// It works, and ends within seven days.
    Expiring,
    /// It ended by its expiry. Tokens that it obtained live on until their own.
    Expired,
    /// It was ended, and its tokens with it.
    Revoked,
}

impl CredentialStatus {
    /// The text of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// The status of what was ended then, if it was, and expires then, if it does.
    pub(crate) fn of(
        ended_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        const SOON: Duration = Duration::from_secs(7 * 24 * 60 * 60);
        match (ended_at, expires_at) {
            (Some(_), _) => Self::Revoked,
            (None, Some(end)) if end <= now => Self::Expired,
            (None, Some(end)) if end <= now.plus(SOON) => Self::Expiring,
            (None, Some(_) | None) => Self::Active,
        }
    }
}

/// For how long a rotated credential goes on working beside its successor: at most seven days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap(Duration);

impl Overlap {
    const MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// An overlap of so many seconds, if it is at most seven days.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        let overlap = Duration::from_secs(seconds);
        (overlap <= Self::MAX).then_some(Self(overlap))
    }
}

/// How many credentials of an agent work at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveCount(pub u64);

impl LiveCount {
    /// How many may.
    pub const MAX: u64 = 10;

    pub(crate) const fn admits_one_more(self) -> Result<(), LimitReached> {
        if self.0 < Self::MAX { Ok(()) } else { Err(LimitReached { used: self.0 }) }
    }
}

/// The agent has as many working credentials as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an agent has at most 10 credentials that work")]
pub struct LimitReached {
    /// How many it has.
    pub used: u64,
}

/// Why a credential was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GenerateError {
    /// It would have been expired from the start.
    #[error("must lie in the future")]
    ExpiryInThePast,
    /// There are too many.
    #[error(transparent)]
    Limit(LimitReached),
}

/// Why a credential was not rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RotateError {
    /// It does not work any more.
    #[error("a credential that is `{}` cannot be rotated", .0.as_str())]
    NotLive(CredentialStatus),
    /// It has a successor already.
    #[error("the credential was rotated already")]
    Superseded,
    /// Both would work side by side, and that is one too many.
    #[error(transparent)]
    Limit(LimitReached),
}

/// What somebody gives to make a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the contract")]
pub struct NewCredential {
    pub id: CredentialId,
    pub agent: AgentId,
    pub organization: OrganizationId,
    pub name: Option<CredentialName>,
    pub expires_at: Option<Timestamp>,
    pub hash: SecretHash,
}

/// Everything that a store keeps of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the contract")]
pub struct CredentialRecord {
    pub id: CredentialId,
    pub agent: AgentId,
    pub organization: OrganizationId,
    pub name: Option<CredentialName>,
    pub hash: SecretHash,
    pub state: CredentialState,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub revision: Revision,
}

/// A credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential(CredentialRecord);

impl Credential {
    /// Makes a credential for an agent that has so many already.
    ///
    /// # Errors
    /// [`GenerateError`]
    pub fn generate(
        new: NewCredential,
        live: LiveCount,
        now: Timestamp,
    ) -> Result<CredentialChange, GenerateError> {
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(GenerateError::ExpiryInThePast);
        }
        live.admits_one_more().map_err(GenerateError::Limit)?;
        let after = Self::fresh(new, now);
        Ok(CredentialChange::new(None, after, CredentialCause::Generated))
    }

    fn fresh(new: NewCredential, now: Timestamp) -> Self {
        Self(CredentialRecord {
            id: new.id,
            agent: new.agent,
            organization: new.organization,
            name: new.name,
            hash: new.hash,
            state: CredentialState::Live,
            created_at: now,
            expires_at: new.expires_at,
            revision: Revision::FIRST,
        })
    }

    /// Takes back what a store kept. A record is whole by its type.
    #[must_use]
    pub const fn from_record(record: CredentialRecord) -> Self {
        Self(record)
    }

    /// What a store must keep.
    #[must_use]
    pub const fn record(&self) -> &CredentialRecord {
        &self.0
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> CredentialId {
        self.0.id
    }

    /// The agent that it belongs to.
    #[must_use]
    pub const fn agent(&self) -> AgentId {
        self.0.agent
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.0.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether it lets anybody in at this instant.
    #[must_use]
    pub fn authenticates(&self, now: Timestamp) -> Standing {
        if self.is_expired(now) { Standing::Ended } else { self.standing() }
    }

    /// Whether the tokens that it obtained may be good. Its expiry does not end them: a rotation
    /// would otherwise break every call in flight.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self.0.state {
            CredentialState::Live | CredentialState::Superseded { .. } => Standing::GOOD,
            CredentialState::Revoked { .. } => Standing::Ended,
        }
    }

    /// How it looks to people, given when its agent ended for good, if it did: then all of its
    /// credentials count as revoked.
    #[must_use]
    pub fn status(&self, agent_ended_at: Option<Timestamp>, now: Timestamp) -> CredentialStatus {
        CredentialStatus::of(self.revoked_at(agent_ended_at), self.0.expires_at, now)
    }

    /// When it was revoked, by itself or with its agent.
    #[must_use]
    pub const fn revoked_at(&self, agent_ended_at: Option<Timestamp>) -> Option<Timestamp> {
        match self.0.state {
            CredentialState::Revoked { at } => Some(at),
            CredentialState::Live | CredentialState::Superseded { .. } => agent_ended_at,
        }
    }

    /// Makes its successor, which takes over its name and, where it expires, lives as long as it
    /// was given. It goes on working for the overlap, but never longer than it would have.
    ///
    /// # Errors
    /// [`RotateError`]
    pub fn rotate(
        self,
        (id, hash): (CredentialId, SecretHash),
        overlap: Overlap,
        live: LiveCount,
        now: Timestamp,
    ) -> Result<CredentialRotation, RotateError> {
        self.may_rotate(overlap, live, now)?;
        let lifetime = self.0.expires_at.map(|end| end.since(self.0.created_at));
        let successor = Self::fresh(
            NewCredential {
                id,
                agent: self.0.agent,
                organization: self.0.organization,
                name: self.0.name.clone(),
                expires_at: lifetime.map(|lifetime| now.plus(lifetime)),
                hash,
            },
            now,
        );
        let expected = self.0.revision;
        let mut old = self;
        // Without an overlap it is over by every clock at once, also by one that is behind.
        let at_once = overlap == Overlap::default();
        let end = if at_once { now.minus(CLOCK_SKEW) } else { now.plus(overlap.0) };
        old.0.expires_at = Some(old.0.expires_at.map_or(end, |was| was.min(end)));
        old.0.state = CredentialState::Superseded { by: id };
        old.0.revision = expected.next();
        Ok(CredentialRotation::new(expected, old, successor))
    }

    fn may_rotate(
        &self,
        overlap: Overlap,
        live: LiveCount,
        now: Timestamp,
    ) -> Result<(), RotateError> {
        match self.0.state {
            CredentialState::Revoked { .. } => {
                return Err(RotateError::NotLive(CredentialStatus::Revoked));
            }
            CredentialState::Superseded { .. } => return Err(RotateError::Superseded),
            CredentialState::Live if self.is_expired(now) => {
                return Err(RotateError::NotLive(CredentialStatus::Expired));
            }
            CredentialState::Live => {}
        }
        if overlap == Overlap::default() {
            return Ok(());
        }
        live.admits_one_more().map_err(RotateError::Limit)
    }

    /// Ends it, and its tokens with it. `None` where it is revoked already.
    #[must_use]
    pub fn revoke(self, now: Timestamp) -> Option<CredentialChange> {
        match self.0.state {
            CredentialState::Revoked { .. } => None,
            CredentialState::Live | CredentialState::Superseded { .. } => {
                let expected = Some(self.0.revision);
                let mut after = self;
                after.0.state = CredentialState::Revoked { at: now };
                after.0.revision = after.0.revision.next();
                Some(CredentialChange::new(expected, after, CredentialCause::Revoked))
            }
        }
    }
}

#[cfg(test)]
mod tests;
