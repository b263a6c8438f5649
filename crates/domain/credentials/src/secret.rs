//! The secret itself: `idp_sk_` and 84 characters, one word for secret scanners.
//!
//! The 84 characters are lower-case base32 (RFC 4648 section 6, no padding) of 52 bytes: the
//! credential's id (16), 256 random bits (32), and the CRC-32 of the prefix and those 48 (4).

use std::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use kernel::{CredentialId, Entropy, EntropyUnavailable, ExposeSecret, Secret};
use thiserror::Error;
use uuid::Uuid;
use zeroize::Zeroizing;

const PREFIX: &str = "idp_sk_";
const RANDOM_BYTES: usize = 32;
const ID_BYTES: usize = 16;
const BODY_BYTES: usize = ID_BYTES + RANDOM_BYTES;
const CHECKSUM_BYTES: usize = 4;
const LENGTH: usize = PREFIX.len() + 84;

fn checksum(body: &[u8; BODY_BYTES]) -> [u8; CHECKSUM_BYTES] {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(PREFIX.as_bytes());
    hasher.update(body);
    hasher.finalize().to_be_bytes()
}

/// A secret that was just made: to be hashed for the store, and shown to its owner once.
pub struct ClientSecret {
    presented: PresentedSecret,
    text: Secret,
}

impl ClientSecret {
    /// Makes the secret of a credential.
    ///
    /// # Errors
    /// When the source of randomness fails.
    pub fn generate(
        credential: CredentialId,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyUnavailable> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        entropy.fill(&mut *random)?;
        let presented = PresentedSecret { credential, random };
        let text = presented.to_text();
        Ok(Self { presented, text })
    }

    /// The secret as its owner will present it.
    #[must_use]
    pub const fn presented(&self) -> &PresentedSecret {
        &self.presented
    }

    /// The text to show to its owner, once.
    #[must_use]
    pub fn into_text(self) -> Secret {
        self.text
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(REDACTED)")
    }
}

/// A secret that somebody presented and whose checksum holds. Whether it is right, only the store
/// knows. Its memory is wiped when it is dropped.
#[derive(Clone)]
pub struct PresentedSecret {
    credential: CredentialId,
    random: Zeroizing<[u8; RANDOM_BYTES]>,
}

/// Text that cannot be a secret of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("is not a client secret")]
pub struct NotASecret;

impl PresentedSecret {
    /// The credential that it claims to be the secret of.
    #[must_use]
    pub const fn credential(&self) -> CredentialId {
        self.credential
    }

    /// The random part.
    pub(crate) fn random(&self) -> &[u8; RANDOM_BYTES] {
        &self.random
    }

    fn to_text(&self) -> Secret {
        let mut body = Zeroizing::new([0; BODY_BYTES]);
        let (id, random) = body.split_at_mut(ID_BYTES);
        id.copy_from_slice(self.credential.uuid().as_bytes());
        random.copy_from_slice(&*self.random);
        let mut bytes = Zeroizing::new(Vec::with_capacity(BODY_BYTES + CHECKSUM_BYTES));
        bytes.extend_from_slice(&*body);
        bytes.extend_from_slice(&checksum(&body));
        let mut encoded = Zeroizing::new(BASE32_NOPAD.encode(&bytes));
        encoded.make_ascii_lowercase();
        Secret::from(format!("{PREFIX}{}", *encoded))
    }
}

impl FromStr for PresentedSecret {
    type Err = NotASecret;

    fn from_str(text: &str) -> Result<Self, NotASecret> {
        if text.len() != LENGTH {
            return Err(NotASecret);
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(NotASecret)?;
        if encoded.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(NotASecret);
        }
        let upper = Zeroizing::new(encoded.to_ascii_uppercase());
        let bytes = BASE32_NOPAD.decode(upper.as_bytes()).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| NotASecret)?;
        let (body, sum) = bytes.split_first_chunk::<BODY_BYTES>().ok_or(NotASecret)?;
        if sum != checksum(body) {
            return Err(NotASecret);
        }
        let (id, random) = body.split_first_chunk::<ID_BYTES>().ok_or(NotASecret)?;
        let credential = CredentialId::from_uuid(Uuid::from_bytes(*id));
        let random = random.try_into().map(Zeroizing::new).map_err(|_| NotASecret)?;
        Ok(Self { credential, random })
    }
}

impl TryFrom<&Secret> for PresentedSecret {
    type Error = NotASecret;

    fn try_from(secret: &Secret) -> Result<Self, NotASecret> {
        secret.expose_secret().parse()
    }
}

impl fmt::Debug for PresentedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PresentedSecret({}, REDACTED)", self.credential)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Timestamp;
    use proptest::prelude::*;

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
            buffer.fill(self.0);
            Ok(())
        }
    }

    fn made(byte: u8) -> ClientSecret {
        let now = Timestamp::from_unix_micros(1).unwrap();
        let id = CredentialId::generate(now, &Fixed(1)).unwrap();
        ClientSecret::generate(id, &Fixed(byte)).unwrap()
    }

    #[test]
    fn a_secret_is_one_word_and_reads_back() {
        let secret = made(9);
        let credential = secret.presented().credential();
        let text = secret.into_text();
        let text = text.expose_secret();
        assert_eq!(text.len(), 91);
        assert!(text.starts_with("idp_sk_"));
        assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'));
        assert_eq!(text.parse::<PresentedSecret>().unwrap().credential(), credential);
    }

    #[test]
    fn sl_05_debug_shows_nothing_of_a_secret() {
        let secret = made(9);
        let shown = format!("{secret:?} {:?}", secret.presented());
        let text = secret.into_text();
        let random_part = text.expose_secret().get(40..80).unwrap().to_owned();
        assert!(!shown.contains(&random_part) && shown.contains("REDACTED"));
    }

    proptest! {
        #[test]
        fn ca_15_a_secret_with_any_one_character_changed_is_refused(
            at in 0_usize..91, replacement in "[a-z2-7_]",
        ) {
            let text = made(3).into_text().expose_secret().to_owned();
            let mut changed = text.clone();
            changed.replace_range(at..=at, &replacement);
            prop_assume!(changed != text);
            prop_assert!(changed.parse::<PresentedSecret>().is_err());
        }

        #[test]
        fn any_other_text_is_refused(text in "\\PC{0,120}") {
            prop_assert!(text.parse::<PresentedSecret>().is_err());
        }
    }
}
