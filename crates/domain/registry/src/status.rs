//! The life cycle: `active` and `suspended` to and fro, either to `revoked`, any of the three to
//! `decommissioned`, and from there to `archived`.

use std::{fmt, str::FromStr};

use kernel::Timestamp;
use thiserror::Error;

/// Where an agent stands, with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgentStatus {
    /// It may authenticate and act.
    Active,
    /// It may not, for now.
    Suspended {
        /// Since when.
        since: Timestamp,
    },
    /// It may never again; its record stays in use for reading and for its fields.
    Revoked {
        /// Since when.
        since: Timestamp,
    },
    /// It is gone for good; its record is kept.
    Decommissioned {
        /// Since when.
        since: Timestamp,
    },
    /// Gone for so long that lists leave it out unless asked.
    Archived {
        /// Since when.
        since: Timestamp,
        /// When it was decommissioned.
        decommissioned_at: Timestamp,
    },
}

/// A status without its data, as the contract spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusName {
    /// `active`
    Active,
    /// `suspended`
    Suspended,
    /// `revoked`
    Revoked,
    /// `decommissioned`
    Decommissioned,
    /// `archived`
    Archived,
}

impl StatusName {
    /// All of them, in the order of the life cycle.
    pub const ALL: [Self; 5] =
        [Self::Active, Self::Suspended, Self::Revoked, Self::Decommissioned, Self::Archived];

    /// The text of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
            Self::Decommissioned => "decommissioned",
            Self::Archived => "archived",
        }
    }
}

impl fmt::Display for StatusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of `active`, `suspended`, `revoked`, `decommissioned`, `archived`")]
pub struct UnknownStatus;

impl FromStr for StatusName {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|name| name.as_str() == text).ok_or(UnknownStatus)
    }
}

/// A status that an update may ask for. Decommissioning is an act of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusRequest {
    /// Into use, or back into use.
    Active,
    /// Out of use for now.
    Suspended,
    /// Out of use for good.
    Revoked,
}

/// Text that names no status that an update may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of `active`, `suspended`, `revoked`; DELETE decommissions an agent")]
pub struct UnknownStatusRequest;

impl FromStr for StatusRequest {
    type Err = UnknownStatusRequest;

    fn from_str(text: &str) -> Result<Self, UnknownStatusRequest> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            "revoked" => Ok(Self::Revoked),
            _ => Err(UnknownStatusRequest),
        }
    }
}

impl StatusRequest {
    /// The status asked for.
    #[must_use]
    pub const fn name(self) -> StatusName {
        match self {
            Self::Active => StatusName::Active,
            Self::Suspended => StatusName::Suspended,
            Self::Revoked => StatusName::Revoked,
        }
    }
}

/// A step that the life cycle does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an agent that is `{from}` cannot become `{to}`")]
pub struct InvalidTransition {
    /// Where the agent stands.
    pub from: StatusName,
    /// Where it was to go.
    pub to: StatusName,
}

impl AgentStatus {
    /// The status without its data.
    #[must_use]
    pub const fn name(self) -> StatusName {
        match self {
            Self::Active => StatusName::Active,
            Self::Suspended { .. } => StatusName::Suspended,
            Self::Revoked { .. } => StatusName::Revoked,
            Self::Decommissioned { .. } => StatusName::Decommissioned,
            Self::Archived { .. } => StatusName::Archived,
        }
    }

    /// When the agent ended for good, if it did.
    #[must_use]
    pub const fn ended_at(self) -> Option<Timestamp> {
        match self {
            Self::Active | Self::Suspended { .. } => None,
            Self::Revoked { since } | Self::Decommissioned { since } => Some(since),
            Self::Archived { decommissioned_at, .. } => Some(decommissioned_at),
        }
    }

    /// The status after a request, the same one where it is so already.
    ///
    /// # Errors
    /// [`InvalidTransition`] where the life cycle has no such step.
    pub fn moved(self, to: StatusRequest, now: Timestamp) -> Result<Self, InvalidTransition> {
        match (self, to) {
            (Self::Active, StatusRequest::Active)
            | (Self::Suspended { .. }, StatusRequest::Suspended)
            | (Self::Revoked { .. }, StatusRequest::Revoked) => Ok(self),
            (Self::Suspended { .. }, StatusRequest::Active) => Ok(Self::Active),
            (Self::Active, StatusRequest::Suspended) => Ok(Self::Suspended { since: now }),
            (Self::Active | Self::Suspended { .. }, StatusRequest::Revoked) => {
                Ok(Self::Revoked { since: now })
            }
            (Self::Revoked { .. }, StatusRequest::Active | StatusRequest::Suspended)
            | (Self::Decommissioned { .. } | Self::Archived { .. }, _) => {
                Err(InvalidTransition { from: self.name(), to: to.name() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rg_08_only_the_steps_of_the_life_cycle_exist() {
        let now = Timestamp::from_unix_micros(1).unwrap();
        let all = [
            AgentStatus::Active,
            AgentStatus::Suspended { since: now },
            AgentStatus::Revoked { since: now },
            AgentStatus::Decommissioned { since: now },
            AgentStatus::Archived { since: now, decommissioned_at: now },
        ];
        let requests = [StatusRequest::Active, StatusRequest::Suspended, StatusRequest::Revoked];
        let reachable = |from: AgentStatus| -> Vec<&str> {
            let to = requests.iter().filter_map(|to| from.moved(*to, now).ok());
            to.map(|status| status.name().as_str()).collect()
        };
        let table: Vec<_> = all.into_iter().map(reachable).collect();
        assert_eq!(
            table,
            [
                vec!["active", "suspended", "revoked"],
                vec!["active", "suspended", "revoked"],
                vec!["revoked"],
                vec![],
                vec![],
            ]
        );
    }
}
