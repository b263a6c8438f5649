//! Who issues, for whom, and for how long.

use std::{fmt, str::FromStr, time::Duration};

use thiserror::Error;
use url::Url;

/// The issuer's identifier (RFC 8414 section 2), byte for byte as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// Text that is no issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be an http or https URL with no query, fragment, user or slash at the end, in its \
     normal form"
)]
pub struct InvalidIssuer;

impl Issuer {
    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of something below the issuer; `path` begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    /// Only a URL in its normal form is taken: clients compare issuers byte for byte, and one that
    /// a URL library would print differently makes them disagree.
    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let url = Url::parse(text).map_err(|_| InvalidIssuer)?;
        let normal = url.as_str().strip_suffix('/').filter(|_| url.path() == "/");
        let formed = matches!(url.scheme(), "http" | "https")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
            && !text.ends_with('/')
            && normal.unwrap_or(url.as_str()) == text;
        if formed { Ok(Self(text.to_owned())) } else { Err(InvalidIssuer) }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A resource indicator (RFC 8707 section 2): what a token is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Resource(String);

/// Text that is no resource indicator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a resource is an absolute URI of at most 512 characters without a fragment")]
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
            Ok(url) if bounded && url.fragment().is_none() => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(InvalidResource),
        }
    }
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
    fn sm_03_an_issuer_is_in_its_normal_form() {
        for good in ["https://idp.example.com", "http://127.0.0.1:3000", "https://a.example/tenant"]
        {
            assert!(good.parse::<Issuer>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "idp.example.com",
            "ftp://a.example",
            "https://a.example/",
            "https://a.example/x/",
            "https://A.example",
            "https://a.example:443",
            "https://a.example?x",
            "https://a.example#x",
            "https://u@a.example",
        ] {
            assert_eq!(bad.parse::<Issuer>(), Err(InvalidIssuer), "{bad}");
        }
    }

    #[test]
    fn te_06_a_resource_is_absolute_and_has_no_fragment() {
        assert!("https://api.example.com/v1".parse::<Resource>().is_ok());
        assert!("urn:example:thing".parse::<Resource>().is_ok());
        let long = format!("https://a.example/{}", "x".repeat(512));
        for bad in ["", "/relative", "api", "https://a.example/#f", "https://a.example/ x", &long] {
            assert_eq!(bad.parse::<Resource>(), Err(InvalidResource), "{bad}");
        }
    }
}
