//! What a token is for, and for how long.

use std::time::Duration;

pub use kernel::{CLOCK_SKEW, InvalidResource, Resource};

use crate::issuer::Issuer;

/// How long a token lives: 1 minute to 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime(Duration);

impl Lifetime {
    /// A lifetime, if it lies within the bounds.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        (60..=86_400).contains(&seconds).then(|| Self(Duration::from_secs(seconds)))
    }

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl Default for Lifetime {
    /// Fifteen minutes.
    fn default() -> Self {
        Self(Duration::from_secs(900))
    }
}

/// How long a revocation is remembered after its token has ended. A clock that is behind still takes
/// the token for alive; and so would a server that is started after a clock that ran ahead by an hour
/// was put right, had it been forgotten meanwhile.
pub const REMEMBERED: Duration = Duration::from_secs(2 * 60 * 60);

/// What every token has in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPolicy {
    /// Who issues.
    pub issuer: Issuer,
    /// For how long.
    pub lifetime: Lifetime,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_has_both_ends() {
        assert!(Lifetime::from_seconds(59).is_none());
        assert!(Lifetime::from_seconds(60).is_some());
        assert!(Lifetime::from_seconds(86_400).is_some());
        assert!(Lifetime::from_seconds(86_401).is_none());
        assert!(Lifetime::from_seconds(u64::MAX).is_none());
    }
}
