//! An origin whose pages may call the API from a browser.

use std::fmt;

use url::Url;

/// An exact origin, `scheme://host[:port]`, spelled as browsers send it: it is compared with the
/// `Origin` header letter by letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

/// The rule that a refused origin breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOrigin {
    /// A wildcard: it would let any page on the web use what a browser holds.
    #[error("a wildcard is not taken, list each origin")]
    Wildcard,
    /// It cannot be read as a URL of http or https.
    #[error("it is not of the form `https://host` or `http://host:port`")]
    Form,
    /// It is more than an origin, or spelled otherwise than browsers do.
    #[error("it has more than scheme, host and port, or a default port, or capitals")]
    Spelling,
}

impl Origin {
    /// Reads an origin.
    ///
    /// # Errors
    /// Tells the first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        if text.contains('*') {
            return Err(InvalidOrigin::Wildcard);
        }
        let url = Url::parse(text).map_err(|_| InvalidOrigin::Form)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidOrigin::Form);
        }
        if url.origin().ascii_serialization() == text {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidOrigin::Spelling)
        }
    }

    /// The origin, as a browser sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_an_origin() {
        use InvalidOrigin::*;
        for (text, outcome) in [
            ("https://console.example.com", Ok(())),
            ("http://localhost:5173", Ok(())),
            ("http://[::1]:5173", Ok(())),
            ("*", Err(Wildcard)),
            ("https://*.example.com", Err(Wildcard)),
            ("null", Err(Form)),
            ("console.example.com", Err(Form)),
            ("file:///etc", Err(Form)),
            ("https://console.example.com/", Err(Spelling)),
            ("https://console.example.com/path", Err(Spelling)),
            ("https://console.example.com:443", Err(Spelling)),
            ("https://Console.example.com", Err(Spelling)),
            ("https://root@console.example.com", Err(Spelling)),
            ("https://console.example.com?x", Err(Spelling)),
        ] {
            assert_eq!(Origin::parse(text).map(|_| ()), outcome, "{text}");
        }
    }
}
