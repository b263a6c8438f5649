//! The keyed hash under which a secret is kept.

use std::{collections::BTreeMap, fmt};

use ring::hmac;
use zeroize::Zeroizing;

use crate::secret::PresentedSecret;

/// Which pepper a hash was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PepperVersion(u16);

impl PepperVersion {
    /// The first.
    pub const FIRST: Self = Self(1);

    /// A stored version.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        u16::try_from(number).ok().filter(|number| *number > 0).map(Self)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

/// The key of the hash. It is kept apart from the database, so that neither helps without the
/// other.
#[derive(Clone)]
pub struct Pepper(hmac::Key);

impl Pepper {
    /// A pepper of 32 bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(REDACTED)")
    }
}

/// A secret's keyed hash: HMAC-SHA-256 over the credential's id and the random part.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretHash {
    version: PepperVersion,
    mac: [u8; 32],
}

impl SecretHash {
    /// Takes back what a store kept.
    #[must_use]
    pub const fn from_parts(version: PepperVersion, mac: [u8; 32]) -> Self {
        Self { version, mac }
    }

    /// The pepper's version.
    #[must_use]
    pub const fn version(&self) -> PepperVersion {
        self.version
    }

    /// The hash, for a store.
    #[must_use]
    pub const fn mac(&self) -> &[u8; 32] {
        &self.mac
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretHash(version {}, REDACTED)", self.version.0)
    }
}

/// The pepper that new hashes are made with, and the older ones that still verify.
#[derive(Debug, Clone)]
pub struct Peppers {
    version: PepperVersion,
    current: Pepper,
    older: BTreeMap<PepperVersion, Pepper>,
}

impl Peppers {
    /// One pepper, as version 1.
    #[must_use]
    pub fn single(pepper: Pepper) -> Self {
        Self::with_older(PepperVersion::FIRST, pepper, [])
    }

    /// The current pepper and older ones.
    #[must_use]
    pub fn with_older(
        version: PepperVersion,
        current: Pepper,
        older: impl IntoIterator<Item = (PepperVersion, Pepper)>,
    ) -> Self {
        Self { version, current, older: older.into_iter().collect() }
    }

    fn pepper(&self, version: PepperVersion) -> Option<&Pepper> {
        if version == self.version { Some(&self.current) } else { self.older.get(&version) }
    }

    /// Hashes a secret for the store, with the current pepper.
    #[must_use]
    pub fn hash(&self, secret: &PresentedSecret) -> SecretHash {
        let tag = hmac::sign(&self.current.0, &message(secret));
        let mut mac = [0; 32];
        mac.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        SecretHash { version: self.version, mac }
    }

    /// Whether the secret is the one that was hashed, in constant time. A pepper that is not
    /// here any more verifies nothing.
    #[must_use]
    pub fn verify(&self, secret: &PresentedSecret, hash: &SecretHash) -> bool {
        self.pepper(hash.version)
            .is_some_and(|pepper| hmac::verify(&pepper.0, &message(secret), &hash.mac).is_ok())
    }

    /// What tells the current pepper from another without telling anything of it, so that a record
    /// can hold it: 16 hexadecimal digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        const PURPOSE: &[u8] = b"agentidp pepper fingerprint v1\0";
        let tag = hmac::sign(&self.current.0, PURPOSE);
        tag.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Does the work of [`Peppers::verify`] for a credential that does not exist, so that the
    /// time an answer takes does not tell which ids do.
    pub fn verify_nothing(&self, secret: &PresentedSecret) {
        let absent = SecretHash { version: self.version, mac: [0; 32] };
        let _ = self.verify(secret, &absent);
    }
}

/// What is hashed: the purpose, so that the pepper's other uses can never be mistaken for this
/// one, then the id and the random part, both of fixed length.
fn message(secret: &PresentedSecret) -> Zeroizing<Vec<u8>> {
    const PURPOSE: &[u8] = b"agentidp client secret v1\0";
    let id = secret.credential().uuid();
    Zeroizing::new([PURPOSE, id.as_bytes().as_slice(), secret.random().as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::ClientSecret;
    use kernel::{CredentialId, Entropy, EntropyUnavailable, Timestamp};

    struct Fixed(u8);
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
            buffer.fill(self.0);
            Ok(())
        }
    }

    fn secret(id: u8, random: u8) -> ClientSecret {
        let now = Timestamp::from_unix_micros(1).unwrap();
        let id = CredentialId::generate(now, &Fixed(id)).unwrap();
        ClientSecret::generate(id, &Fixed(random)).unwrap()
    }

    #[test]
    fn only_the_very_secret_verifies() {
        let peppers = Peppers::single(Pepper::new(&[7; 32]));
        let right = secret(1, 1);
        let hash = peppers.hash(right.presented());
        assert!(peppers.verify(right.presented(), &hash));
        assert!(!peppers.verify(secret(1, 2).presented(), &hash));
        assert!(!peppers.verify(secret(2, 1).presented(), &hash));
        assert!(!Peppers::single(Pepper::new(&[8; 32])).verify(right.presented(), &hash));
    }

    #[test]
    fn sm_01_a_fingerprint_tells_peppers_apart_and_shows_nothing_of_them() {
        let of = |byte| Peppers::single(Pepper::new(&[byte; 32])).fingerprint();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        assert_eq!(of(7).len(), 16);
        assert!(!of(7).contains("0707"));
    }

    #[test]
    fn a_hash_of_an_older_pepper_verifies_until_the_pepper_is_gone() {
        let old = Peppers::single(Pepper::new(&[7; 32]));
        let second = PepperVersion::new(2).unwrap();
        let right = secret(1, 1);
        let hash = old.hash(right.presented());
        let both = Peppers::with_older(
            second,
            Pepper::new(&[8; 32]),
            [(PepperVersion::FIRST, Pepper::new(&[7; 32]))],
        );
        assert!(both.verify(right.presented(), &hash));
        assert_eq!(both.hash(right.presented()).version(), second);
        let without = Peppers::with_older(second, Pepper::new(&[8; 32]), []);
        assert!(!without.verify(right.presented(), &hash));
    }
}
