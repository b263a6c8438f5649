//! What only a server asks of its issuer: who can reach it, how, and what it is where nobody says.

use std::net::Ipv4Addr;

use tokens::{Issuer, issuer::InvalidIssuer};
use url::{Host, Url};

/// The way to an issuer.
pub trait Reach {
    /// Whether its scheme is https.
    fn is_https(&self) -> bool;

    /// Whether only this machine can reach it.
    fn is_loopback(&self) -> bool;
}

impl Reach for Issuer {
    fn is_https(&self) -> bool {
        self.as_str().starts_with("https:")
    }

    fn is_loopback(&self) -> bool {
        let url = Url::parse(self.as_str());
        match url.as_ref().ok().and_then(Url::host) {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

/// What a server speaks itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP in the clear: TLS, if any, ends in front of it.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    pub(super) const fn of(speaks_tls: bool) -> Self {
        if speaks_tls { Self::Https } else { Self::Http }
    }

    /// Its name in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The issuer of a server that nobody configured: on this machine, at that port.
///
/// # Errors
/// Where the port is 0.
pub(super) fn on_this_machine(scheme: Scheme, port: u16) -> Result<Issuer, InvalidIssuer> {
    let host = Ipv4Addr::LOCALHOST;
    let name = scheme.name();
    if port == scheme.port() {
        format!("{name}://{host}").parse()
    } else {
        format!("{name}://{host}:{port}").parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_and_addresses_of_this_machine_are_loopback() {
        for (text, https, loopback) in [
            ("https://idp.example.com", true, false),
            ("https://idp.example.com:8443", true, false),
            ("https://idp.example.com/tenant/one", true, false),
            ("http://127.0.0.1:3000", false, true),
            ("http://127.255.0.9", false, true),
            ("http://[::1]:3000", false, true),
            ("http://localhost:3000", false, true),
            ("https://localhost", true, true),
            ("http://10.0.0.1", false, false),
            ("https://localhost.example.com", true, false),
            ("https://127.0.0.1.example.com", true, false),
            ("https://[::ffff:7f00:1]", true, false),
        ] {
            let issuer: Issuer = text.parse().unwrap();
            assert_eq!((issuer.is_https(), issuer.is_loopback()), (https, loopback), "{text}");
        }
    }

    #[test]
    fn the_issuer_of_this_machine_is_reached_from_it_only() {
        for port in [1, 80, 443, 3000, 65535] {
            for scheme in [Scheme::Http, Scheme::Https] {
                let made = on_this_machine(scheme, port).unwrap();
                assert!(made.is_loopback(), "{made}");
                assert_eq!(made.is_https(), scheme == Scheme::Https, "{made}");
            }
        }
        assert_eq!(on_this_machine(Scheme::Http, 80).unwrap().as_str(), "http://127.0.0.1");
        assert_eq!(on_this_machine(Scheme::Https, 443).unwrap().as_str(), "https://127.0.0.1");
        assert_eq!(on_this_machine(Scheme::Http, 0), Err(InvalidIssuer::Port));
    }
}
