//! What tokens are for: resource indicators.

use std::str::FromStr;

use thiserror::Error;
use url::Url;

/// A resource indicator (RFC 8707 section 2): what a token is for. Two of them are the same where
/// they are letter by letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

#[cfg(test)]
mod tests {
    use super::*;

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
