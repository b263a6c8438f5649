//! Nonces of the server (RFC 9449 section 8). None is kept: a nonce says when it was made and for
//! which memory, and a keyed hash says that it was made here, for this organization.

use std::{fmt, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use kernel::{Entropy, EntropyUnavailable, OrganizationId, Timestamp};
use ring::hmac;

use crate::policy::CLOCK_SKEW;

const VERSION: u8 = 1;
const LABEL: &[u8] = b"agentidp dpop nonces";

/// How long a nonce is good.
const LIFE: Duration = Duration::from_secs(300);

/// One life of a memory of proofs: it ends when anything is forgotten that is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Epoch([u8; 8]);

impl Epoch {
    /// The one life of the store of record: what is forgotten there is lost with all else.
    pub const OF_RECORD: Self = Self([0; 8]);

    /// A new life, of any other memory.
    ///
    /// # Errors
    /// When the source of randomness fails.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes)?;
        // By this bit it is never that of the store of record.
        bytes[0] |= 0x80;
        Ok(Self(bytes))
    }

    /// Takes back what a memory kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// What a memory keeps.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// Makes nonces, and reads those that it or another replica made.
#[derive(Clone)]
pub struct Nonces {
    key: hmac::Key,
}

impl Nonces {
    /// With a key that is derived from a secret which all replicas share, and which serves for
    /// something else, too.
    #[must_use]
    pub fn derived_from(secret: &[u8]) -> Self {
        let derived = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), LABEL);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()) }
    }

    /// A nonce for proofs to this organization, that this memory is to take.
    #[must_use]
    pub fn make(&self, organization: OrganizationId, epoch: Epoch, now: Timestamp) -> String {
        let told = Told { made_at: now.unix_seconds(), epoch };
        let tag = hmac::sign(&self.key, &told.signed(organization));
        BASE64URL_NOPAD.encode(&[told.bytes().as_slice(), tag.as_ref()].concat())
    }

    /// The memory that a nonce is for. `None` where it is forged, of another organization, or over.
    #[must_use]
    pub fn read(&self, nonce: &str, organization: OrganizationId, now: Timestamp) -> Option<Epoch> {
        let bytes = BASE64URL_NOPAD.decode(nonce.as_bytes()).ok()?;
        let (told, tag) = bytes.split_first_chunk()?;
        let told = Told::read(told)?;
        hmac::verify(&self.key, &told.signed(organization), tag).ok()?;
        told.is_good_at(now).then_some(told.epoch)
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(REDACTED)")
    }
}

/// What a nonce tells.
struct Told {
    /// In whole seconds.
    made_at: i64,
    epoch: Epoch,
}

impl Told {
    fn bytes(&self) -> [u8; 17] {
        let mut bytes = [VERSION; 17];
        let parts = self.made_at.to_be_bytes().into_iter().chain(self.epoch.0);
        bytes.iter_mut().skip(1).zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    fn read(bytes: &[u8; 17]) -> Option<Self> {
        let (&[version], rest) = bytes.split_first_chunk()?;
        let (made_at, epoch) = rest.split_first_chunk()?;
        let epoch = Epoch(epoch.try_into().ok()?);
        (version == VERSION).then(|| Self { made_at: i64::from_be_bytes(*made_at), epoch })
    }

    fn signed(&self, organization: OrganizationId) -> Vec<u8> {
        [self.bytes().as_slice(), organization.uuid().as_bytes()].concat()
    }

    /// One of the future is of a replica whose clock is ahead, or of a clock that was set back since:
    /// by what was used before that it must not become good again.
    fn is_good_at(&self, now: Timestamp) -> bool {
        let Some(micros) = self.made_at.checked_mul(1_000_000) else { return false };
        Timestamp::from_unix_micros(micros)
            .is_ok_and(|made_at| made_at <= now.plus(CLOCK_SKEW) && now < made_at.plus(LIFE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{Fixed, at};

    const NOW: i64 = 1_700_000_000_000;

    fn organization(last: char) -> OrganizationId {
        format!("018bcfe5-687b-7001-8203-04050607080{last}").parse().unwrap()
    }

    fn epoch() -> Epoch {
        Epoch::generate(&Fixed(3)).unwrap()
    }

    #[test]
    fn a_nonce_is_good_for_five_minutes_at_every_replica() {
        let [one, another] = [Nonces::derived_from(&[1; 32]), Nonces::derived_from(&[1; 32])];
        let nonce = one.make(organization('a'), epoch(), at(NOW));
        for (late, is_good) in [(0, true), (-10_000, true), (299_999, true), (300_000, false)] {
            let read = another.read(&nonce, organization('a'), at(NOW + late));
            assert_eq!(read, is_good.then(epoch), "{late}");
        }
        assert_eq!(another.read(&nonce, organization('a'), at(NOW - 11_000)), None);
    }

    #[test]
    fn dp_08_a_nonce_of_another_organization_or_another_key_is_none() {
        let nonces = Nonces::derived_from(&[1; 32]);
        let nonce = nonces.make(organization('a'), epoch(), at(NOW));
        assert_eq!(nonces.read(&nonce, organization('b'), at(NOW)), None);
        let others = Nonces::derived_from(&[2; 32]);
        assert_eq!(others.read(&nonce, organization('a'), at(NOW)), None);
    }

    #[test]
    fn dp_08_no_byte_of_a_nonce_can_be_another() {
        let nonces = Nonces::derived_from(&[1; 32]);
        let nonce = nonces.make(organization('a'), epoch(), at(NOW));
        let bytes = BASE64URL_NOPAD.decode(nonce.as_bytes()).unwrap();
        for position in 0..bytes.len() {
            for bit in 0..8 {
                let mut forged = bytes.clone();
                forged[position] ^= 1 << bit;
                let forged = BASE64URL_NOPAD.encode(&forged);
                assert_eq!(nonces.read(&forged, organization('a'), at(NOW)), None);
            }
        }
        let (_, cut) = nonce.split_at(1);
        for bad in ["", "AA", "???", cut, &format!("{nonce}AAAA"), &"A".repeat(10_000)] {
            assert_eq!(nonces.read(bad, organization('a'), at(NOW)), None, "{bad}");
        }
    }

    #[test]
    fn no_memory_but_that_of_record_has_its_epoch() {
        assert_ne!(Epoch::generate(&Fixed(0)).unwrap(), Epoch::OF_RECORD);
    }
}
