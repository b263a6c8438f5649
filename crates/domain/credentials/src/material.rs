//! What a client registers to authenticate by instead of a secret: a public key, a certificate, or
//! the name that a certificate must bear. All of it is public.

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
pub use jose::CertificateThumbprint;
use jose::{Algorithm, Jwk};
use kernel::Text;
use ring::digest;
use thiserror::Error;

/// How a client authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticationMethod {
    /// By a secret, in either way of RFC 6749 section 2.3.1.
    ClientSecret,
    /// By an assertion that it signs (RFC 7523 section 2.2).
    PrivateKeyJwt,
    /// By a certificate that it registered itself (RFC 8705 section 2.2).
    SelfSignedTls,
    /// By a certificate that an authority made out to it (RFC 8705 section 2.1).
    Tls,
}

impl AuthenticationMethod {
    /// Its name as RFC 7591 section 2 and RFC 8705 have it. A secret goes by two there,
    /// `client_secret_basic` and `client_secret_post`, which are one method here.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientSecret => "client_secret",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::SelfSignedTls => "self_signed_tls_client_auth",
            Self::Tls => "tls_client_auth",
        }
    }
}

/// Which name of a certificate it is (RFC 8705 section 2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectKind {
    /// The distinguished name of its subject, as RFC 4514 writes it.
    Dn,
    /// A `dNSName` among its alternative names.
    SanDns,
    /// A `uniformResourceIdentifier` among them.
    SanUri,
    /// An `iPAddress` among them.
    SanIp,
    /// An `rfc822Name` among them.
    SanEmail,
}

impl SubjectKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Dn, Self::SanDns, Self::SanUri, Self::SanIp, Self::SanEmail];

    /// The end of the parameter's name in RFC 8705, and what a store keeps.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dn => "subject_dn",
            Self::SanDns => "san_dns",
            Self::SanUri => "san_uri",
            Self::SanIp => "san_ip",
            Self::SanEmail => "san_email",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The text of a name in a certificate.
pub type SubjectText = Text<1024>;

/// The one name that a client's certificate must bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSubject {
    /// Which name it is.
    pub kind: SubjectKind,
    /// The name.
    pub text: SubjectText,
}

/// What a client authenticates by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// A public key, by which its assertions are checked.
    Jwk(Jwk),
    /// A certificate of its own.
    Certificate(CertificateThumbprint),
    /// The name in a certificate of an authority's.
    Subject(CertificateSubject),
}

impl KeyMaterial {
    /// How a client authenticates by it.
    #[must_use]
    pub const fn method(&self) -> AuthenticationMethod {
        match self {
            Self::Jwk(_) => AuthenticationMethod::PrivateKeyJwt,
            Self::Certificate(_) => AuthenticationMethod::SelfSignedTls,
            Self::Subject(_) => AuthenticationMethod::Tls,
        }
    }

    /// The one algorithm that it signs with, where it is a key.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        match self {
            Self::Jwk(key) => Some(key.algorithm()),
            Self::Certificate(_) | Self::Subject(_) => None,
        }
    }

    /// What tells it from every other: the thumbprint of RFC 7638 or of RFC 8705, or a digest of the
    /// name.
    #[must_use]
    pub fn thumbprint(&self) -> ClientKeyId {
        match self {
            Self::Jwk(key) => ClientKeyId(key.thumbprint().as_str().to_owned()),
            Self::Certificate(certificate) => ClientKeyId(certificate.to_string()),
            Self::Subject(CertificateSubject { kind, text }) => {
                let named = [kind.name(), "\0", text.as_str()].concat();
                let digest = digest::digest(&digest::SHA256, named.as_bytes());
                ClientKeyId(BASE64URL_NOPAD.encode(digest.as_ref()))
            }
        }
    }
}

/// What a client calls a key of its own, `kid`: told apart among the keys of one agent alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientKeyId(String);

/// Text that is no id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("`kid` must be 1 to 128 letters, digits, or any of `._~:=+-`, and neither `.` nor `..`")]
pub struct InvalidKeyId;

impl ClientKeyId {
    const MAX_LENGTH: usize = 128;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientKeyId {
    type Err = InvalidKeyId;

    fn from_str(text: &str) -> Result<Self, InvalidKeyId> {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"._~:=+-".contains(&byte);
        let fits = (1..=Self::MAX_LENGTH).contains(&text.len());
        // What stands for a folder in a path would be taken for one.
        let is_folder = [".", ".."].contains(&text);
        if fits && !is_folder && text.bytes().all(is_known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKeyId)
        }
    }
}

impl fmt::Display for ClientKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jv_04_an_id_that_a_client_chose_is_short_and_of_plain_letters() {
        let longest = "a".repeat(128);
        for good in ["a", "key-1", "urn:example:key=2", "A~b.c_d+e", &longest] {
            assert_eq!(good.parse::<ClientKeyId>().unwrap().as_str(), good);
        }
        let long = "a".repeat(129);
        for bad in
            ["", ".", "..", "a b", "../../etc/passwd", "' or 1=1 --", "é", "a\0", "a%2f", &long]
        {
            assert_eq!(bad.parse::<ClientKeyId>(), Err(InvalidKeyId), "{bad}");
        }
        assert!(InvalidKeyId.to_string().ends_with("and neither `.` nor `..`"));
    }

    #[test]
    fn what_differs_has_another_thumbprint_and_each_is_an_id() {
        let subject = |kind, text: &str| {
            KeyMaterial::Subject(CertificateSubject { kind, text: text.parse().unwrap() })
        };
        let all = [
            KeyMaterial::Jwk(Jwk::P256 { x: [1; 32], y: [2; 32] }),
            KeyMaterial::Certificate(CertificateThumbprint::from_bytes([1; 32])),
            KeyMaterial::Certificate(CertificateThumbprint::from_bytes([2; 32])),
            subject(SubjectKind::SanDns, "a.example"),
            subject(SubjectKind::SanUri, "a.example"),
            subject(SubjectKind::SanDns, "b.example"),
        ];
        let ids: std::collections::BTreeSet<_> = all.iter().map(KeyMaterial::thumbprint).collect();
        assert_eq!(ids.len(), all.len());
        assert!(ids.iter().all(|id| id.as_str().parse::<ClientKeyId>().is_ok()));
    }

    #[test]
    fn a_kind_of_name_reads_back() {
        for kind in SubjectKind::ALL {
            assert_eq!(SubjectKind::parse(kind.name()), Some(kind));
        }
        assert_eq!(SubjectKind::parse("san_srv"), None);
    }
}
