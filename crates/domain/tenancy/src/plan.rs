//! What an organization's plan allows.

use std::str::FromStr;

use thiserror::Error;

use crate::limits::Rate;

/// A plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plan {
    /// For trying it out.
    Free,
    /// For a team.
    Pro,
    /// For a company.
    Enterprise,
}

/// Text that names no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of `free`, `pro`, `enterprise`")]
pub struct UnknownPlan;

impl Plan {
    /// The plan as the contract spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }
}

impl FromStr for Plan {
    type Err = UnknownPlan;

    fn from_str(text: &str) -> Result<Self, UnknownPlan> {
        [Self::Free, Self::Pro, Self::Enterprise]
            .into_iter()
            .find(|plan| plan.name() == text)
            .ok_or(UnknownPlan)
    }
}

/// How much of something there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// At most so many.
    AtMost(u64),
    /// As many as one likes.
    Unlimited,
}

impl Quota {
    /// The number, where there is one.
    #[must_use]
    pub const fn limit(self) -> Option<u64> {
        match self {
            Self::AtMost(limit) => Some(limit),
            Self::Unlimited => None,
        }
    }
}

/// The numbers of one plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Agents that are not decommissioned.
    pub agents: Quota,
    /// Requests of each client.
    pub requests: Rate,
    /// Tokens issued a calendar month.
    pub tokens_per_month: Quota,
    /// Days for which the content of audit events is kept.
    pub audit_retention_days: u32,
}

/// The numbers of every plan. The default is the contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plans {
    /// Of [`Plan::Free`].
    pub free: Quotas,
    /// Of [`Plan::Pro`].
    pub pro: Quotas,
    /// Of [`Plan::Enterprise`].
    pub enterprise: Quotas,
}

impl Plans {
    /// The numbers of one plan.
    #[must_use]
    pub const fn quotas(&self, plan: Plan) -> &Quotas {
        match plan {
            Plan::Free => &self.free,
            Plan::Pro => &self.pro,
            Plan::Enterprise => &self.enterprise,
        }
    }
}

impl Default for Plans {
    fn default() -> Self {
        let quotas = |agents, per_minute, tokens, audit_retention_days| Quotas {
            agents,
            requests: Rate { per_minute },
            tokens_per_month: tokens,
            audit_retention_days,
        };
        Self {
            free: quotas(Quota::AtMost(100), 100, Quota::AtMost(10_000), 90),
            pro: quotas(Quota::AtMost(1_000), 1_000, Quota::AtMost(1_000_000), 365),
            enterprise: quotas(Quota::Unlimited, 1_000_000, Quota::Unlimited, 2_555),
        }
    }
}
