//! The values that protect connections: TLS of the server's own, and certificates of its clients.

use std::path::PathBuf;

use http_api::TrustedNetwork;

/// How connections are protected.
#[derive(Debug, Clone)]
pub struct Transport {
    /// What the server shows of itself, where it speaks TLS itself.
    pub identity: Option<IdentityFiles>,
    /// The file of the authorities that vouch for certificates of clients.
    pub authorities: Option<PathBuf>,
    /// Whether TLS of the server's own asks clients for a certificate without authorities too.
    pub asks_always: bool,
    /// The file of their lists of revoked certificates.
    pub revoked: Option<PathBuf>,
    /// The proxies in front of the server.
    pub proxies: Vec<TrustedNetwork>,
    /// Whether they pass on certificates of clients, in `Client-Cert`.
    pub forwarded: bool,
    /// Under which URL clients with certificates find the endpoints, if not under the issuer's.
    pub mtls_url: Option<String>,
}

/// The two files of the server's identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFiles {
    /// Its certificate, and those between it and an authority that clients know.
    pub certificate: PathBuf,
    /// The key of its certificate.
    pub key: PathBuf,
}

impl Transport {
    /// Whether any certificate of a client can come in.
    #[must_use]
    pub fn takes_client_certificates(&self) -> bool {
        self.forwarded || self.authorities.is_some() || self.asks_always
    }

    /// Whether TLS of the server's own asks clients for a certificate.
    #[must_use]
    pub fn asks_clients(&self) -> bool {
        self.authorities.is_some() || self.asks_always
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Problems, Scheme, Sources};

    fn load(variables: &[(&str, &str)]) -> Result<Config, Problems> {
        let pairs = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Config::load(&Sources { environment: pairs.collect(), file: None })
    }

    fn told(variables: &[(&str, &str)]) -> String {
        load(variables).unwrap_err().to_string()
    }

    const CERTIFICATE: (&str, &str) = ("IDP_TLS_CERTIFICATE", "tls.pem");
    const KEY: (&str, &str) = ("IDP_TLS_KEY", "tls.key");
    const CA: (&str, &str) = ("IDP_MTLS_CA", "ca.pem");
    const CRL: (&str, &str) = ("IDP_MTLS_CRL", "ca.crl");
    const ASK: (&str, &str) = ("IDP_MTLS_ASK", "always");
    const HEADER: (&str, &str) = ("IDP_CLIENT_CERTIFICATE_HEADER", "client-cert");
    const PROXIES: (&str, &str) = ("IDP_TRUSTED_PROXIES", "10.0.0.0/8, ::1");

    #[test]
    fn by_default_tls_ends_elsewhere_and_no_certificate_comes_in() {
        let config = load(&[]).unwrap();
        assert_eq!(config.scheme(), Scheme::Http);
        assert!(!config.transport().takes_client_certificates());
        assert!(config.transport().proxies.is_empty());
    }

    #[test]
    fn a_server_of_its_own_certificate_has_an_https_issuer() {
        let config = load(&[CERTIFICATE, KEY]).unwrap();
        assert_eq!(config.scheme(), Scheme::Https);
        assert_eq!(config.issuer().unwrap().as_str(), "https://127.0.0.1:3000");
        let any = load(&[CERTIFICATE, KEY, ("PORT", "0")]).unwrap();
        assert_eq!(any.issuer_at(4567).unwrap().as_str(), "https://127.0.0.1:4567");
        assert!(!config.transport().takes_client_certificates());
        assert!(load(&[CERTIFICATE, KEY, CA]).unwrap().transport().takes_client_certificates());
        let http = ("IDP_ISSUER", "http://127.0.0.1:3000");
        assert!(told(&[CERTIFICATE, KEY, http]).contains("needs an https issuer"));
    }

    #[test]
    fn clients_are_asked_without_authorities_where_the_operator_says_so() {
        for (more, asks) in [(None, false), (Some(ASK), true), (Some(CA), true)] {
            let variables: Vec<_> = [CERTIFICATE, KEY].into_iter().chain(more).collect();
            let config = load(&variables).unwrap();
            assert_eq!(config.transport().asks_clients(), asks, "{more:?}");
            assert_eq!(config.transport().takes_client_certificates(), asks, "{more:?}");
        }
        load(&[CERTIFICATE, KEY, ASK, ("IDP_MTLS_URL", "https://mtls.example")]).unwrap();
        assert!(told(&[("IDP_MTLS_ASK", "true")]).contains("`auto` or `always`"));
    }

    #[test]
    fn half_a_setting_is_refused() {
        for (variables, because) in [
            (vec![CERTIFICATE], "`tls.key` (environment variable `IDP_TLS_KEY`) must be set"),
            (vec![KEY], "(environment variable `IDP_TLS_CERTIFICATE`) must be set"),
            (vec![CA], "no certificate of a client comes in"),
            (vec![CA, CRL, PROXIES], "no certificate of a client comes in"),
            (vec![CERTIFICATE, KEY, CRL], "it needs the authorities of `mtls.ca`"),
            (vec![ASK], "whoever ends TLS asks"),
            (vec![ASK, HEADER, PROXIES], "whoever ends TLS asks"),
            (vec![HEADER], "name the proxies in `trusted_proxies`"),
            (vec![("IDP_MTLS_URL", "https://mtls.example")], "no certificate of a client comes in"),
            (vec![("IDP_CLIENT_CERTIFICATE_HEADER", "x-forwarded-for")], "`off` or `Client-Cert`"),
        ] {
            assert!(told(&variables).contains(because), "{}", told(&variables));
        }
    }

    #[test]
    fn a_trusted_proxy_passes_certificates_on_with_and_without_authorities() {
        for variables in [vec![HEADER, PROXIES], vec![HEADER, PROXIES, CA, CRL]] {
            let config = load(&variables).unwrap();
            assert!(config.transport().forwarded);
            assert!(config.transport().takes_client_certificates());
            assert_eq!(config.transport().proxies.len(), 2);
        }
    }

    #[test]
    fn sm_06_a_trusted_proxy_is_never_everybody() {
        for (entry, because) in [
            ("0.0.0.0/0", "would let strangers speak for any client"),
            ("::/0", "would let strangers speak for any client"),
            ("10.0.0.1/8", "the network would be 10.0.0.0/8"),
            ("proxy.internal", "it is neither an address nor a network"),
        ] {
            let problems = told(&[("IDP_TRUSTED_PROXIES", entry)]);
            assert!(problems.contains(because), "{problems}");
        }
    }

    #[test]
    fn the_url_for_certificates_has_one_spelling() {
        for (url, is_good) in [
            ("https://mtls.example", true),
            ("https://mtls.example:8443/idp", true),
            ("https://mtls.example/", false),
            ("http://mtls.example", false),
            ("https://user@mtls.example", false),
            ("https://mtls.example?a", false),
            ("mtls.example", false),
        ] {
            let loaded = load(&[HEADER, PROXIES, ("IDP_MTLS_URL", url)]);
            assert_eq!(loaded.is_ok(), is_good, "{url}");
        }
    }
}
