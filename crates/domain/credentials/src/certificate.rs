//! What a certificate must be to authenticate a client (RFC 8705 section 2).

use std::net::IpAddr;

use kernel::Timestamp;
use thiserror::Error;

use crate::{
    client_key::ClientKey,
    distinguished_name::DistinguishedName,
    examination::Examination,
    material::{CertificateSubject, CertificateThumbprint, KeyMaterial, SubjectKind},
};

/// What a certificate says of itself. Who made it out is another question: [`Examination`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What it is known by.
    pub thumbprint: CertificateThumbprint,
    /// Every name that it bears, each in its one spelling.
    pub names: Vec<CertificateSubject>,
    /// The first instant of its validity.
    pub not_before: Timestamp,
    /// The last instant of it.
    pub not_after: Timestamp,
}

impl Certificate {
    /// Whether it may be used at this instant (RFC 5280 section 4.1.2.5).
    #[must_use]
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

impl ClientKey {
    /// Whether a certificate is what this client registered: the very certificate, or any of a trusted
    /// authority's that bears the name. A name on a certificate that nobody vouches for says nothing,
    /// since everybody can make one. Who vouches is asked last, and only about what bears the name: it
    /// is what costs most.
    #[must_use]
    pub fn matches(&self, shown: &Examination<'_>) -> bool {
        match self.material() {
            KeyMaterial::Jwk(_) => false,
            KeyMaterial::Certificate(registered) => {
                *registered == shown.thumbprint() && shown.is_valid()
            }
            KeyMaterial::Subject(name) => {
                shown.bears(name) && shown.is_valid() && shown.is_vouched_for()
            }
        }
    }
}

/// Text that is no name of that kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be {expected}")]
pub struct InvalidSubject {
    expected: &'static str,
}

impl CertificateSubject {
    /// Reads a name, and spells it in the one way in which it is compared.
    ///
    /// # Errors
    /// [`InvalidSubject`] for what no certificate would bear as a name of that kind.
    pub fn parse(kind: SubjectKind, text: &str) -> Result<Self, InvalidSubject> {
        let invalid = InvalidSubject { expected: expected(kind) };
        let spelled = match kind {
            SubjectKind::Dn => text.parse::<DistinguishedName>().ok().map(|name| name.to_string()),
            SubjectKind::SanDns => dns_name(text),
            SubjectKind::SanUri => is_uri(text).then(|| text.to_owned()),
            SubjectKind::SanIp => text.parse::<IpAddr>().ok().map(|address| address.to_string()),
            SubjectKind::SanEmail => mailbox(text),
        };
        let text = spelled.ok_or(invalid)?.parse().map_err(|_| invalid)?;
        Ok(Self { kind, text })
    }
}

const fn expected(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Dn => {
            "a distinguished name as RFC 4514 writes it, such as `CN=agent,O=Example`, of at most 1024 \
             characters"
        }
        SubjectKind::SanDns => "a DNS name in ASCII, such as `agent.example.com`",
        SubjectKind::SanUri => "an absolute URI of at most 1024 characters",
        SubjectKind::SanIp => "an IP address",
        SubjectKind::SanEmail => "a mail address in ASCII",
    }
}

/// DNS knows no case (RFC 4343). A wildcard is a name for servers, and never one of a client.
fn dns_name(text: &str) -> Option<String> {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_known);
    let is_name = text.len() <= 253 && text.split('.').all(is_label);
    is_name.then(|| text.to_ascii_lowercase())
}

/// URIs are compared as they are written (RFC 3986 section 6.2.1).
fn is_uri(text: &str) -> bool {
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    let has_scheme = text.split_once(':').is_some_and(|(scheme, rest)| {
        let begins = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
        begins && scheme.bytes().all(is_of_scheme) && !rest.is_empty()
    });
    has_scheme && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The part behind the `@` knows no case (RFC 5280 section 7.5).
fn mailbox(text: &str) -> Option<String> {
    let (local, host) = text.rsplit_once('@')?;
    let is_local =
        !local.is_empty() && local.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'@');
    let host = dns_name(host)?;
    is_local.then(|| format!("{local}@{host}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use jose::Jwk;

    use super::*;
    use crate::{client_key::NewClientKey, examination::ShownCertificate, ways::Ways};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
    }

    fn key(material: KeyMaterial) -> ClientKey {
        let new = NewClientKey {
            id: "018bcfe5-687b-7001-8203-040506070801".parse().unwrap(),
            organization: "018bcfe5-687b-7001-8203-040506070802".parse().unwrap(),
            agent: "018bcfe5-687b-7001-8203-040506070803".parse().unwrap(),
            kid: None,
            material,
            name: None,
            expires_at: None,
        };
        Ways::new(Vec::new(), Vec::new()).add(new, at(0)).unwrap().added.after().clone()
    }

    fn name(kind: SubjectKind, text: &str) -> CertificateSubject {
        CertificateSubject::parse(kind, text).unwrap()
    }

    /// A certificate that counts how often something is found out about it.
    #[derive(Debug)]
    struct Counting {
        certificate: Option<Certificate>,
        thumbprint: CertificateThumbprint,
        verdict: bool,
        reads: AtomicUsize,
        verdicts: AtomicUsize,
    }

    impl Counting {
        fn vouched_for(self, verdict: bool) -> Self {
            Self { verdict, ..self }
        }

        fn matches(&self, key: &ClientKey, now: i64) -> bool {
            key.matches(&Examination::new(self, at(now)))
        }

        /// How often it was read, and how often somebody was asked about it.
        fn cost(&self) -> (usize, usize) {
            (self.reads.load(Relaxed), self.verdicts.load(Relaxed))
        }
    }

    impl ShownCertificate for Counting {
        fn thumbprint(&self) -> CertificateThumbprint {
            self.thumbprint
        }

        fn read(&self) -> Option<Certificate> {
            self.reads.fetch_add(1, Relaxed);
            self.certificate.clone()
        }

        fn is_vouched_for(&self, _: Timestamp) -> bool {
            self.verdicts.fetch_add(1, Relaxed);
            self.verdict
        }
    }

    fn shown(of: &[u8], names: Vec<CertificateSubject>) -> Counting {
        let thumbprint = CertificateThumbprint::of(of);
        let (not_before, not_after) = (at(100), at(200));
        Counting {
            certificate: Some(Certificate { thumbprint, names, not_before, not_after }),
            thumbprint,
            verdict: true,
            reads: AtomicUsize::new(0),
            verdicts: AtomicUsize::new(0),
        }
    }

    #[test]
    fn dp_11_a_name_counts_on_a_certificate_that_somebody_vouches_for() {
        let uri = name(SubjectKind::SanUri, "spiffe://example/agent");
        let key = key(KeyMaterial::Subject(uri.clone()));
        let good = shown(b"one", vec![name(SubjectKind::SanDns, "a.example"), uri.clone()]);
        assert!(good.matches(&key, 150));
        // A new certificate by the same authority, with another key.
        assert!(shown(b"two", vec![uri.clone()]).matches(&key, 150));
        assert!(!good.vouched_for(false).matches(&key, 150));
        let other = name(SubjectKind::SanUri, "spiffe://example/other");
        assert!(!shown(b"one", vec![other]).matches(&key, 150));
        assert!(!shown(b"one", Vec::new()).matches(&key, 150));
        // The same text, as a name of another kind.
        let dn = CertificateSubject { kind: SubjectKind::Dn, text: uri.text };
        assert!(!shown(b"one", vec![dn]).matches(&key, 150));
    }

    #[test]
    fn dp_11_a_certificate_of_ones_own_is_that_one_alone_and_nobody_need_vouch_for_it() {
        let key = key(KeyMaterial::Certificate(CertificateThumbprint::of(b"one")));
        assert!(shown(b"one", Vec::new()).vouched_for(false).matches(&key, 150));
        assert!(!shown(b"two", Vec::new()).matches(&key, 150));
        let unreadable = Counting { certificate: None, ..shown(b"one", Vec::new()) };
        assert!(!unreadable.matches(&key, 150));
    }

    #[test]
    fn dp_11_a_certificate_is_good_within_its_validity() {
        let of_own = key(KeyMaterial::Certificate(CertificateThumbprint::of(b"one")));
        let uri = name(SubjectKind::SanUri, "spiffe://example/agent");
        let of_authority = key(KeyMaterial::Subject(uri.clone()));
        let certificate = shown(b"one", vec![uri]);
        for (when, good) in [(99, false), (100, true), (200, true), (201, false)] {
            for key in [&of_own, &of_authority] {
                let examination = Examination::new(&certificate, at(when));
                assert_eq!(key.matches(&examination), good, "{when}");
                assert_eq!(examination.found_it_out_of_date(), !good, "{when}");
            }
        }
    }

    #[test]
    fn a_client_of_a_key_is_not_known_by_a_certificate() {
        let key = key(KeyMaterial::Jwk(Jwk::Ed25519 { x: [1; 32] }));
        assert!(!shown(b"one", Vec::new()).matches(&key, 150));
    }

    #[test]
    fn ds_08_nothing_is_found_out_before_it_matters_and_nothing_twice() {
        let uri = name(SubjectKind::SanUri, "spiffe://example/agent");
        let of_key = key(KeyMaterial::Jwk(Jwk::Ed25519 { x: [1; 32] }));
        let of_own = key(KeyMaterial::Certificate(CertificateThumbprint::of(b"one")));
        let of_name = key(KeyMaterial::Subject(uri.clone()));
        let with = |of: &[u8], names: &[&CertificateSubject]| {
            shown(of, names.iter().map(|name| (*name).clone()).collect())
        };
        for (key, certificate, when, cost) in [
            (&of_key, with(b"one", &[&uri]), 150, (0, 0)),
            (&of_own, with(b"two", &[&uri]), 150, (0, 0)),
            (&of_own, with(b"one", &[&uri]), 150, (1, 0)),
            (&of_name, with(b"one", &[]), 150, (1, 0)),
            (&of_name, with(b"one", &[&uri]), 99, (1, 0)),
            (&of_name, with(b"one", &[&uri]), 150, (1, 1)),
        ] {
            let examination = Examination::new(&certificate, at(when));
            let first = key.matches(&examination);
            assert_eq!(key.matches(&examination), first);
            assert_eq!(certificate.cost(), cost, "{key:?} {when}");
        }
    }

    #[test]
    fn a_name_is_spelled_in_one_way_and_what_is_none_is_refused() {
        use SubjectKind::*;
        for (kind, text, one) in [
            (Dn, "cn=a, o=b", "CN=a,O=b"),
            (SanDns, "Agent.Example.com", "agent.example.com"),
            (SanUri, "spiffe://Example/A", "spiffe://Example/A"),
            (SanIp, "2001:DB8:0::1", "2001:db8::1"),
            (SanEmail, "Agent@EXAMPLE.com", "Agent@example.com"),
        ] {
            assert_eq!(name(kind, text).text.as_str(), one);
        }
        let long = format!("CN={}", "a".repeat(1_025));
        for (kind, text) in [
            (Dn, "agent"),
            (Dn, &long),
            (SanDns, "*.example.com"),
            (SanDns, "a..b"),
            (SanDns, "a b"),
            (SanDns, ""),
            (SanUri, "agent"),
            (SanUri, "1:a"),
            (SanUri, "urn:a b"),
            (SanIp, "10.0.0.256"),
            (SanIp, "10.0.0.0/8"),
            (SanEmail, "agent"),
            (SanEmail, "a@b@c.example"),
            (SanEmail, "@example.com"),
        ] {
            assert!(CertificateSubject::parse(kind, text).is_err(), "{text}");
        }
    }
}
