//! The signature algorithms that are allowed.

/// A signature algorithm (RFC 7518 section 3.1, RFC 8037 section 3.1). All are asymmetric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA with the padding of PKCS #1 v1.5, and SHA-256.
    Rs256,
    /// RSA with the padding PSS, and SHA-256.
    Ps256,
}

impl Algorithm {
    /// Every one there is, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// Every name that others may sign under. Ed25519 has two: `EdDSA`, which says so only together
    /// with the key, and its own (RFC 9864 section 2.2). Some clients sign under the second alone.
    #[must_use]
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Es256 => &["ES256"],
            Self::EdDsa => &["EdDSA", "Ed25519"],
            Self::Rs256 => &["RS256"],
            Self::Ps256 => &["PS256"],
        }
    }

    /// The algorithm of that name, which is compared letter by letter: there is no `nOnE` either.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.names().contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed25519_is_known_by_both_of_its_names() {
        assert_eq!(Algorithm::parse("Ed25519"), Some(Algorithm::EdDsa));
        assert_eq!(Algorithm::parse("Ed448"), None);
    }

    #[test]
    fn jv_01_no_name_but_the_four_is_an_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(algorithm.name()), Some(algorithm));
            assert_eq!(algorithm.names().first(), Some(&algorithm.name()));
        }
        for bad in
            ["", "none", "None", "nOnE", "HS256", "es256", "ES384", "ES256K", "RS1", "ES256 "]
        {
            assert_eq!(Algorithm::parse(bad), None, "{bad}");
        }
    }
}
