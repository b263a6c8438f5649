//! What is known of a certificate: a digest of it.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use ring::digest;

/// The SHA-256 digest of a certificate in DER, `x5t#S256` (RFC 8705 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateThumbprint([u8; 32]);

impl CertificateThumbprint {
    /// The thumbprint of a certificate, in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, certificate);
        let mut thumbprint = [0; 32];
        thumbprint.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Self(thumbprint)
    }

    /// Takes back what a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads what a token says. `None` for text of any other form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// What a store keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CertificateThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_read_as_it_is_written() {
        let thumbprint = CertificateThumbprint::of(b"certificate");
        assert_eq!(CertificateThumbprint::parse(&thumbprint.to_string()), Some(thumbprint));
        assert_ne!(thumbprint, CertificateThumbprint::of(b"another"));
        for bad in ["", "AA", "???", &"A".repeat(44)] {
            assert_eq!(CertificateThumbprint::parse(bad), None);
        }
    }
}
