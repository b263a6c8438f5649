//! Secrets at rest: sealed with AES-256-GCM for one purpose and one id, and opened for no other.
//!
//! What is stored: a version byte, the id of the sealing key (8 bytes), a nonce (12), and the
//! ciphertext with its tag.

use std::{fmt, sync::Arc};

use kernel::{Entropy, EntropyUnavailable};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use secrecy::{SecretSlice, zeroize::Zeroizing};
use thiserror::Error;

const VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 8;

/// What a sealed secret is for. A secret opens for the purpose and the id that it was sealed for:
/// whoever can write to the store cannot put one key in another's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purpose<'a> {
    /// What kind of secret it is.
    pub kind: &'a str,
    /// Which one of its kind.
    pub id: &'a str,
}

/// The sealing key is not 32 bytes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a sealing key must be 32 bytes long")]
pub struct InvalidSealingKey;

/// Why something did not open. Its text holds nothing of what was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// It was sealed with another key: the server was started with the wrong one.
    #[error("the sealing key does not fit: it was sealed with another")]
    OtherKey,
    /// It was altered, cut, or sealed for another purpose.
    #[error("it was altered, or sealed for something else")]
    Altered,
    /// It is of a form that this build does not know.
    #[error("it is not sealed in a form that is known")]
    Form,
}

/// Seals and opens with one key.
pub struct Sealer {
    key: LessSafeKey,
    key_id: [u8; KEY_ID_LENGTH],
    entropy: Arc<dyn Entropy>,
}

impl Sealer {
    /// A sealer that holds this key of 32 bytes.
    ///
    /// # Errors
    /// When the key is of another length.
    pub fn new(key: &[u8], entropy: Arc<dyn Entropy>) -> Result<Self, InvalidSealingKey> {
        let unbound = UnboundKey::new(&AES_256_GCM, key).map_err(|_| InvalidSealingKey)?;
        Ok(Self { key: LessSafeKey::new(unbound), key_id: key_id(key), entropy })
    }

    /// Seals a secret.
    ///
    /// # Errors
    /// When there is no randomness for the nonce.
    pub fn seal(&self, purpose: Purpose<'_>, secret: &[u8]) -> Result<Vec<u8>, EntropyUnavailable> {
        // Random nonces of 96 bits are safe for 2^32 secrets a key; there will be dozens.
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce)?;
        let mut body = secret.to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.bound_to(purpose)),
                &mut body,
            )
            // ring refuses nothing but texts of 64 GiB, and those fit into no key.
            .map_err(|_| EntropyUnavailable)?;
        Ok([&[VERSION][..], &self.key_id, &nonce, &body].concat())
    }

    /// Opens what was sealed for this very purpose.
    ///
    /// # Errors
    /// [`SealError`]
    pub fn open(&self, purpose: Purpose<'_>, sealed: &[u8]) -> Result<SecretSlice<u8>, SealError> {
        let (&[VERSION], rest) = sealed.split_first_chunk().ok_or(SealError::Form)? else {
            return Err(SealError::Form);
        };
        let (key_id, rest) = rest.split_first_chunk().ok_or(SealError::Form)?;
        let (nonce, body) = rest.split_first_chunk().ok_or(SealError::Form)?;
        if *key_id != self.key_id {
            return Err(SealError::OtherKey);
        }
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self
            .key
            .open_in_place(nonce, Aad::from(self.bound_to(purpose)), &mut body)
            .map_err(|_| SealError::Altered)?;
        // A copy of the exact size: growing or shrinking a buffer could leave the old one unwiped.
        Ok(SecretSlice::from(Box::<[u8]>::from(&*opened)))
    }

    /// Everything that a secret is bound to. The kind's length stands before it, so that no two
    /// purposes run together into the same bytes.
    fn bound_to(&self, purpose: Purpose<'_>) -> Vec<u8> {
        let Purpose { kind, id } = purpose;
        let length = u64::try_from(kind.len()).unwrap_or(u64::MAX).to_be_bytes();
        [&[VERSION][..], &self.key_id, &length, kind.as_bytes(), id.as_bytes()].concat()
    }
}

/// Names a sealing key without telling anything of it, so that a wrong one can be told from damage.
fn key_id(key: &[u8]) -> [u8; KEY_ID_LENGTH] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), b"agentidp sealing key id");
    let mut id = [0; KEY_ID_LENGTH];
    id.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
    id
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(REDACTED)")
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::sample::{NoEntropy, sealer};

    const PURPOSE: Purpose<'_> = Purpose { kind: "signing-key", id: "one" };
    const SECRET: &[u8] = b"canary-value";

    fn sealed() -> Vec<u8> {
        sealer(1).seal(PURPOSE, SECRET).unwrap()
    }

    fn refused(sealer: &Sealer, purpose: Purpose<'_>, sealed: &[u8]) -> SealError {
        sealer.open(purpose, sealed).unwrap_err()
    }

    #[test]
    fn what_is_sealed_opens_and_shows_nothing_of_itself() {
        let sealed = sealed();
        assert!(!sealed.windows(6).any(|part| part == b"canary"));
        assert_eq!(sealer(1).open(PURPOSE, &sealed).unwrap().expose_secret(), SECRET);
    }

    #[test]
    fn the_same_secret_never_seals_alike() {
        assert_ne!(sealed(), sealed());
    }

    #[test]
    fn any_bit_that_is_altered_is_refused() {
        let sealed = sealed();
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut altered = sealed.clone();
                altered[at] ^= 1 << bit;
                assert!(sealer(1).open(PURPOSE, &altered).is_err(), "byte {at}, bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_cut_or_longer_is_refused() {
        let sealed = sealed();
        for length in 0..sealed.len() {
            assert!(sealer(1).open(PURPOSE, &sealed[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(refused(&sealer(1), PURPOSE, &[&sealed[..], &[0]].concat()), SealError::Altered);
    }

    #[test]
    fn a_secret_opens_for_its_own_purpose_only() {
        let sealed = sealed();
        for other in [
            Purpose { kind: "signing-key", id: "two" },
            Purpose { kind: "pepper", id: "one" },
            Purpose { kind: "signing-keyo", id: "ne" },
            Purpose { kind: "signing-ke", id: "yone" },
        ] {
            assert_eq!(refused(&sealer(1), other, &sealed), SealError::Altered, "{other:?}");
        }
    }

    #[test]
    fn sm_01_another_sealing_key_is_told_from_damage() {
        let error = refused(&sealer(2), PURPOSE, &sealed());
        assert_eq!(error, SealError::OtherKey);
        assert!(error.to_string().contains("the sealing key does not fit"));
    }

    #[test]
    fn a_version_that_is_not_known_is_refused() {
        let mut later = sealed();
        later[0] = 2;
        assert_eq!(refused(&sealer(1), PURPOSE, &later), SealError::Form);
    }

    #[test]
    fn sm_01_a_key_of_another_length_is_refused() {
        for length in [0, 16, 31, 33] {
            let key = vec![1; length];
            assert!(Sealer::new(&key, Arc::new(NoEntropy)).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn without_randomness_nothing_is_sealed() {
        let sealer = Sealer::new(&[1; 32], Arc::new(NoEntropy)).unwrap();
        assert_eq!(sealer.seal(PURPOSE, SECRET), Err(EntropyUnavailable));
    }

    #[test]
    fn sl_05_debug_shows_nothing() {
        assert_eq!(format!("{:?}", sealer(1)), "Sealer(REDACTED)");
        let opened = sealer(1).open(PURPOSE, &sealed()).unwrap();
        assert!(!format!("{opened:?}").contains("99"), "{opened:?}");
    }
}
