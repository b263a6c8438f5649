//! The issuer: the URL by which tokens say who made them. Verifiers compare it letter by letter,
//! so only one spelling of it is taken, the shortest.

use std::{fmt, str::FromStr};

use thiserror::Error;
use url::{Host, Url};

/// The issuer's identifier (RFC 8414 section 2), byte for byte as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// The rule that a refused issuer breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidIssuer {
    /// It cannot be read as an absolute URL.
    #[error("it is not an absolute URL")]
    NotAbsolute,
    /// Its scheme is another.
    #[error("its scheme is neither `https` nor `http`")]
    Scheme,
    /// It holds a user name or a password.
    #[error("it has a user name or a password")]
    UserInformation,
    /// It has a query.
    #[error("it has a query")]
    Query,
    /// It has a fragment.
    #[error("it has a fragment")]
    Fragment,
    /// It ends with a slash.
    #[error("it ends with a slash")]
    TrailingSlash,
    /// Its path is more than plain segments.
    #[error("its path has more than letters, digits and `-` `.` `_` `~` between single slashes")]
    Path,
    /// Its host is no host that a client could reach.
    #[error("its host stands for no single machine")]
    Host,
    /// Its port is zero.
    #[error("its port is 0")]
    Port,
    /// The same URL has a shorter or plainer spelling: a default port, capitals in the host, ….
    #[error("it has a plainer spelling: a lower-case host, and no default port")]
    Spelling,
}

impl Issuer {
    /// The identifier, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of something below the issuer; `path` begins with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    /// Its path: empty, or what begins with a slash and does not end with one.
    #[must_use]
    pub fn path(&self) -> &str {
        self.split().1
    }

    /// Where a document about it is found: the well-known name stands between the host and the
    /// issuer's own path (RFC 8414 section 3.1, RFC 9728 section 3.1).
    #[must_use]
    pub fn well_known(&self, name: &str) -> String {
        let (origin, path) = self.split();
        format!("{origin}/.well-known/{name}{path}")
    }

    /// Scheme, host and port; and the path.
    fn split(&self) -> (&str, &str) {
        let host = self.0.find("://").map_or(0, |scheme| scheme + "://".len());
        let end = self.0.get(host..).and_then(|rest| rest.find('/'));
        self.0.split_at(end.map_or(self.0.len(), |slash| host + slash))
    }
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    /// Only a URL in its normal form is taken: clients compare issuers byte for byte, and one that
    /// a URL library would print differently makes them disagree. The error tells the first rule
    /// that the text breaks.
    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let url = Url::parse(text).map_err(|_| InvalidIssuer::NotAbsolute)?;
        judge_parts(&url, text)?;
        judge_host(&url.host().ok_or(InvalidIssuer::Host)?)?;
        // The parser corrects what it reads; where it had to, the text was another spelling.
        let corrected = url.as_str();
        let plain = if url.path() == "/" { corrected.strip_suffix('/') } else { Some(corrected) };
        if plain == Some(text) { Ok(Self(text.to_owned())) } else { Err(InvalidIssuer::Spelling) }
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn judge_parts(url: &Url, text: &str) -> Result<(), InvalidIssuer> {
    if !matches!(url.scheme(), "https" | "http") {
        Err(InvalidIssuer::Scheme)
    } else if !url.username().is_empty() || url.password().is_some() {
        Err(InvalidIssuer::UserInformation)
    } else if url.query().is_some() {
        Err(InvalidIssuer::Query)
    } else if url.fragment().is_some() {
        Err(InvalidIssuer::Fragment)
    } else if text.ends_with('/') {
        Err(InvalidIssuer::TrailingSlash)
    } else if url.port() == Some(0) {
        Err(InvalidIssuer::Port)
    } else if url.path() != "/" && !url.path().split('/').skip(1).all(is_plain_segment) {
        Err(InvalidIssuer::Path)
    } else {
        Ok(())
    }
}

fn is_plain_segment(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !segment.is_empty() && segment.bytes().all(plain)
}

fn judge_host(host: &Host<&str>) -> Result<(), InvalidIssuer> {
    let nowhere = match host {
        // `idp.example.com.` resolves to the same machine, and is yet another issuer to a verifier.
        Host::Domain(name) => name.is_empty() || name.ends_with('.'),
        Host::Ipv4(address) => address.is_unspecified(),
        Host::Ipv6(address) => address.is_unspecified(),
    };
    if nowhere { Err(InvalidIssuer::Host) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sm_03_the_rules_of_an_issuer() {
        use InvalidIssuer::*;
        for (text, outcome) in [
            ("https://idp.example.com", Ok(())),
            ("https://idp.example.com:8443", Ok(())),
            ("https://idp.example.com/tenant/one", Ok(())),
            ("http://127.0.0.1:3000", Ok(())),
            ("http://127.255.0.9", Ok(())),
            ("http://[::1]:3000", Ok(())),
            ("http://localhost:3000", Ok(())),
            ("http://10.0.0.1", Ok(())),
            ("https://localhost.example.com", Ok(())),
            ("https://[::ffff:127.0.0.1]", Err(Spelling)),
            ("https://[::ffff:7f00:1]", Ok(())),
            ("", Err(NotAbsolute)),
            ("idp.example.com", Err(NotAbsolute)),
            ("/idp", Err(NotAbsolute)),
            ("https://", Err(NotAbsolute)),
            ("ftp://idp.example.com", Err(Scheme)),
            ("idp.example.com:443", Err(Scheme)),
            ("https://root@idp.example.com", Err(UserInformation)),
            ("https://root:word@idp.example.com", Err(UserInformation)),
            ("https://idp.example.com?", Err(Query)),
            ("https://idp.example.com?a=b", Err(Query)),
            ("https://idp.example.com#", Err(Fragment)),
            ("https://idp.example.com/", Err(TrailingSlash)),
            ("https://idp.example.com/tenant/", Err(TrailingSlash)),
            ("https://idp.example.com/a//b", Err(Path)),
            ("https://idp.example.com/a%2fb", Err(Path)),
            ("https://idp.example.com/a b", Err(Path)),
            ("https://idp.example.com/a/../b", Err(Spelling)),
            ("https://idp.example.com:443", Err(Spelling)),
            ("http://127.0.0.1:80", Err(Spelling)),
            ("https://IDP.example.com", Err(Spelling)),
            ("HTTPS://idp.example.com", Err(Spelling)),
            (" https://idp.example.com", Err(Spelling)),
            ("https://idp.example.com\n", Err(Spelling)),
            ("https:idp.example.com", Err(Spelling)),
            ("https:\\\\idp.example.com", Err(Spelling)),
            ("http://127.1", Err(Spelling)),
            ("https://bücher.example", Err(Spelling)),
            ("https://idp.example.com:0", Err(Port)),
            ("https://idp.example.com:99999", Err(NotAbsolute)),
            ("https://idp.example.com.", Err(Host)),
            ("http://0.0.0.0:3000", Err(Host)),
            ("http://[::]:3000", Err(Host)),
        ] {
            assert_eq!(text.parse::<Issuer>().map(|_| ()), outcome, "{text}");
        }
    }

    #[test]
    fn a_well_known_name_stands_before_the_issuers_path() {
        for (issuer, path, place) in [
            ("https://idp.example.com", "", "https://idp.example.com/.well-known/x"),
            ("http://[::1]:3000", "", "http://[::1]:3000/.well-known/x"),
            ("https://a.example:8443/b", "/b", "https://a.example:8443/.well-known/x/b"),
            ("https://a.example/b/c", "/b/c", "https://a.example/.well-known/x/b/c"),
        ] {
            let issuer: Issuer = issuer.parse().unwrap();
            assert_eq!((issuer.path(), issuer.well_known("x").as_str()), (path, place));
        }
    }

    proptest! {
        #[test]
        fn an_issuer_is_kept_letter_by_letter(text in "https?://[a-zA-Z0-9.:/?#@%\\[\\]-]{0,24}") {
            if let Ok(issuer) = text.parse::<Issuer>() {
                prop_assert_eq!(issuer.as_str(), text.as_str());
                prop_assert!(!text.ends_with('/') && !text.contains(['?', '#', '@', '%']));
            }
        }
    }
}
