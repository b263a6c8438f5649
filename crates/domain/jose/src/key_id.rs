//! The id of a key that this server made or gave a name to.

use std::{fmt, sync::Arc};

use data_encoding::BASE64URL_NOPAD;

/// The id of a key, `kid`: the SHA-256 thumbprint of its public half (RFC 7638). A clone shares it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The id that a digest of a key's members is.
    pub(crate) fn of_digest(digest: &[u8]) -> Self {
        Self(BASE64URL_NOPAD.encode(digest).into())
    }

    /// Text that can be a thumbprint: 43 characters of base64url. Whether there is such a key is
    /// another question; text of any other form is never looked up anywhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = BASE64URL_NOPAD.decode(text.as_bytes()).is_ok_and(|id| id.len() == 32);
        canonical.then(|| Self(text.into()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jv_04_a_key_id_has_the_form_of_a_thumbprint() {
        assert!(KeyId::parse(KeyId::of_digest(&[7; 32]).as_str()).is_some());
        let long = "A".repeat(1_000_000);
        for bad in ["", "../../etc/passwd", "' or 1=1 --", "https://a.example/jwks", &long] {
            assert!(KeyId::parse(bad).is_none());
        }
    }
}
