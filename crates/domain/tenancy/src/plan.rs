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

/// There is as much of something as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{used} are there, and there may be {limit}")]
pub struct QuotaReached {
    /// How much there may be.
    pub limit: u64,
    /// How much there is: more than the limit where that was lowered since.
    pub used: u64,
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

    /// Whether there may be one more than these. Nobody else may add one between the count and what
    /// is decided by it: count in the transaction that adds.
    ///
    /// # Errors
    /// [`QuotaReached`]
    pub const fn admits_one_more(self, used: u64) -> Result<(), QuotaReached> {
        match self {
            Self::AtMost(limit) if used >= limit => Err(QuotaReached { limit, used }),
            Self::AtMost(_) | Self::Unlimited => Ok(()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rl_05_a_quota_admits_up_to_its_limit_and_not_one_more() {
        let quota = Quota::AtMost(3);
        for used in 0..3 {
            assert_eq!(quota.admits_one_more(used), Ok(()), "{used}");
        }
        for used in [3, 4, u64::MAX] {
            assert_eq!(quota.admits_one_more(used), Err(QuotaReached { limit: 3, used }));
        }
        let nothing = Quota::AtMost(0).admits_one_more(0);
        assert_eq!(nothing, Err(QuotaReached { limit: 0, used: 0 }));
    }

    #[test]
    fn without_a_limit_there_is_always_room() {
        for used in [0, 1, u64::MAX] {
            assert_eq!(Quota::Unlimited.admits_one_more(used), Ok(()));
        }
    }

    #[test]
    fn the_plans_of_the_contract_allow_a_hundred_agents_a_thousand_and_any_number() {
        let agents = |plan| Plans::default().quotas(plan).agents;
        assert_eq!(agents(Plan::Free), Quota::AtMost(100));
        assert_eq!(agents(Plan::Pro), Quota::AtMost(1_000));
        assert_eq!(agents(Plan::Enterprise), Quota::Unlimited);
    }
}
