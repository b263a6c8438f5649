//! What a token is for, and for how long.

use std::{str::FromStr, time::Duration};

use thiserror::Error;
use url::Url;

use crate::issuer::Issuer;

/// A resource indicator (RFC 8707 section 2): what a token is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource(String);

/// Text that is no resource indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a resource is an absolute URI of at most 512 characters without a fragment or a user")]
pub struct InvalidResource;

impl Resource {
    const MAX_LENGTH: usize = 512;

    /// The indicator, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Resource {
    type Err = InvalidResource;

    fn from_str(text: &str) -> Result<Self, InvalidResource> {
        let bounded = text.len() <= Self::MAX_LENGTH && text.bytes().all(|b| b.is_ascii_graphic());
        match Url::parse(text) {
            Ok(url) if bounded && url.fragment().is_none() && !names_a_user(&url) => {
                Ok(Self(text.to_owned()))
            }
            Ok(_) | Err(_) => Err(InvalidResource),
        }
    }
}

/// A password in a resource would stand in the token and in the log.
fn names_a_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

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

/// How far clocks of different machines may be apart.
pub const CLOCK_SKEW: Duration = Duration::from_secs(10);

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

    #[test]
    fn te_06_a_resource_is_absolute_and_has_no_fragment() {
        assert!("https://api.example.com/v1".parse::<Resource>().is_ok());
        assert!("urn:example:thing".parse::<Resource>().is_ok());
        let long = format!("https://a.example/{}", "x".repeat(512));
        for bad in [
            "",
            "/relative",
            "api",
            "https://a.example/#f",
            "https://a.example/ x",
            "https://u:p@a.example",
            &long,
        ] {
            assert_eq!(bad.parse::<Resource>(), Err(InvalidResource), "{bad}");
        }
    }
}
