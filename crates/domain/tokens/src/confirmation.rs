//! What a token is bound to: whoever shows it must also hold this (RFC 7800 section 3.1).

use jose::{CertificateThumbprint, KeyId};
use thiserror::Error;

/// The claim `cnf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmation {
    /// `jkt`: a key, of which a proof is shown with each request (RFC 9449 section 6.1).
    Key(KeyId),
    /// `x5t#S256`: a certificate, with which the connection was made (RFC 8705 section 3.1).
    Certificate(CertificateThumbprint),
}

impl Confirmation {
    /// How a token that is bound to this is shown: `token_type`, and the scheme of the
    /// `Authorization` header (RFC 9449 section 5, RFC 8705 section 3).
    #[must_use]
    pub const fn scheme(this: Option<&Self>) -> Scheme {
        match this {
            Some(Self::Key(_)) => Scheme::Dpop,
            Some(Self::Certificate(_)) | None => Scheme::Bearer,
        }
    }
}

/// How a token is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// By holding it (RFC 6750).
    Bearer,
    /// With a proof (RFC 9449).
    Dpop,
}

impl Scheme {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

/// What somebody held who showed a token. Proofs and connections were checked before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// The key of the proof that came with the token, where it was shown under the scheme `DPoP`.
    pub key: Option<KeyId>,
    /// The certificate of the connection, if it has one.
    pub certificate: Option<CertificateThumbprint>,
}

/// Whoever shows the token does not hold what it is bound to, or shows it in another way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the token is bound to a key or a certificate that was not shown with it")]
pub struct NotHeld;

/// Checks that a token is shown by whom it is bound to. A bound token is refused as a bearer token,
/// and a token that is not bound is refused under the scheme `DPoP` (RFC 9449 section 7.1).
///
/// # Errors
/// [`NotHeld`]
pub fn confirm(bound_to: Option<&Confirmation>, held: &Held) -> Result<(), NotHeld> {
    let is_held = match bound_to {
        Some(Confirmation::Key(key)) => held.key.as_ref() == Some(key),
        Some(Confirmation::Certificate(certificate)) => {
            held.key.is_none() && held.certificate.as_ref() == Some(certificate)
        }
        None => held.key.is_none(),
    };
    if is_held { Ok(()) } else { Err(NotHeld) }
}

#[cfg(test)]
mod tests {
    use jose::Jwk;

    use super::*;

    fn key(byte: u8) -> KeyId {
        Jwk::Ed25519 { x: [byte; 32] }.thumbprint()
    }

    #[test]
    fn dp_02_a_token_is_shown_in_its_own_way_and_no_other() {
        let certificate = CertificateThumbprint::of(b"one");
        let by_key = Held { key: Some(key(9)), certificate: None };
        let by_other_key = Held { key: Some(key(8)), certificate: None };
        let by_certificate = Held { key: None, certificate: Some(certificate) };
        let by_other = Held { key: None, certificate: Some(CertificateThumbprint::of(b"two")) };
        let by_both = Held { key: Some(key(9)), certificate: Some(certificate) };
        let bare = Held::default();

        let bound = Confirmation::Key(key(9));
        assert_eq!(confirm(Some(&bound), &by_key), Ok(()));
        assert_eq!(confirm(Some(&bound), &by_both), Ok(()));
        for held in [&by_other_key, &by_certificate, &bare] {
            assert_eq!(confirm(Some(&bound), held), Err(NotHeld));
        }
        let bound = Confirmation::Certificate(certificate);
        assert_eq!(confirm(Some(&bound), &by_certificate), Ok(()));
        for held in [&by_other, &by_key, &by_both, &bare] {
            assert_eq!(confirm(Some(&bound), held), Err(NotHeld));
        }
        // Connections may have a certificate that no token is bound to.
        for held in [&bare, &by_certificate] {
            assert_eq!(confirm(None, held), Ok(()));
        }
        assert_eq!(confirm(None, &by_key), Err(NotHeld));
    }
}
