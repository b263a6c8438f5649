//! The two secret keys that a configuration may hold: the one that seals, and the pepper.

use std::collections::BTreeSet;
use std::fmt;

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use secrecy::{ExposeSecret, SecretBox};

/// How many bytes a secret key has.
pub const SECRET_KEY_LENGTH: usize = 32;

/// 32 secret bytes. They are wiped when dropped, `Debug` shows none of them, and reading them
/// takes [`SecretKey::expose`], which is easy to search for.
pub struct SecretKey(SecretBox<[u8; SECRET_KEY_LENGTH]>);

/// Why a text is no secret key. It tells nothing of the text but its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSecretKey {
    /// It is not base64.
    #[error("it is not base64")]
    Encoding,
    /// It has another length.
    #[error("it holds {0} bytes")]
    Length(usize),
    /// It is a placeholder: zeros, one byte over and over, counting up, or the like.
    #[error("its bytes are not random")]
    NotRandom,
}

impl SecretKey {
    /// Reads a key from base64, of the standard or the URL-safe alphabet, padded or not.
    ///
    /// # Errors
    /// Refuses another encoding, another length, and a key that is evidently a placeholder.
    pub fn parse(text: &str) -> Result<Self, InvalidSecretKey> {
        let decoded = [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
            .iter()
            .find_map(|encoding| encoding.decode(text.trim().as_bytes()).ok())
            .ok_or(InvalidSecretKey::Encoding)?;
        // From here on the bytes have an owner that wipes them, whatever is found.
        let decoded = secrecy::SecretSlice::from(decoded);
        let bytes = decoded.expose_secret();
        if bytes.len() != SECRET_KEY_LENGTH {
            return Err(InvalidSecretKey::Length(bytes.len()));
        }
        let copy = |key: &mut [u8; SECRET_KEY_LENGTH]| key.copy_from_slice(bytes);
        let key = Self(SecretBox::init_with_mut(copy));
        if key.is_placeholder() { Err(InvalidSecretKey::NotRandom) } else { Ok(key) }
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8; SECRET_KEY_LENGTH] {
        self.0.expose_secret()
    }

    /// 32 random bytes hold fewer than eight different ones, or one step throughout, less often
    /// than a disk lies.
    fn is_placeholder(&self) -> bool {
        let bytes = self.expose();
        let different: BTreeSet<_> = bytes.iter().collect();
        let pairs = bytes.iter().zip(bytes.iter().skip(1));
        let steps: BTreeSet<_> = pairs.map(|(one, next)| next.wrapping_sub(*one)).collect();
        different.len() < 8 || steps.len() == 1
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(REDACTED)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(bytes: &[u8]) -> Option<InvalidSecretKey> {
        SecretKey::parse(&BASE64.encode(bytes)).err()
    }

    fn random_looking() -> [u8; 32] {
        std::array::from_fn(|at| u8::try_from(at * at * 7 % 251).unwrap())
    }

    #[test]
    fn every_alphabet_of_base64_gives_the_same_key() {
        let bytes = random_looking();
        for encoding in [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD] {
            let text = format!("{}\n", encoding.encode(&bytes));
            assert_eq!(SecretKey::parse(&text).unwrap().expose(), &bytes);
        }
    }

    #[test]
    fn sm_01_a_short_long_or_placeholder_key_is_refused() {
        assert_eq!(parsed(&[]), Some(InvalidSecretKey::Length(0)));
        assert_eq!(parsed(&random_looking()[..31]), Some(InvalidSecretKey::Length(31)));
        assert_eq!(parsed(&[7; 33]), Some(InvalidSecretKey::Length(33)));
        assert_eq!(parsed(&[0; 32]), Some(InvalidSecretKey::NotRandom));
        assert_eq!(parsed(&[0xff; 32]), Some(InvalidSecretKey::NotRandom));
        let counting: Vec<u8> = (0..32).collect();
        assert_eq!(parsed(&counting), Some(InvalidSecretKey::NotRandom));
        assert_eq!(parsed(b"changemechangemechangemechangeme"), Some(InvalidSecretKey::NotRandom));
        assert_eq!(SecretKey::parse("not base64!").err(), Some(InvalidSecretKey::Encoding));
    }

    #[test]
    fn sl_05_debug_shows_nothing_of_a_key() {
        let text = BASE64.encode(&random_looking());
        assert_eq!(format!("{:?}", SecretKey::parse(&text).unwrap()), "SecretKey(REDACTED)");
    }
}
