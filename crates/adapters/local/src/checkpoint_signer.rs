//! Makes the key that signs checkpoints, and signs with it. It signs nothing else.

use std::{fmt, sync::Arc};

use audit::{
    CheckpointKey, CheckpointSigner, SealedCheckpointKey, checkpoint::SigningFailed,
    checkpoint_key::CheckpointKeyFactory,
};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use kernel::EntropyUnavailable;
use secrecy::ExposeSecret;
use thiserror::Error;

use crate::seal::{Purpose, SealError, Sealer};

/// Why a key cannot sign.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CheckpointKeyError {
    /// Its private half does not open.
    #[error("checkpoint key `{key}` cannot be used: {reason}")]
    Sealed {
        /// Which one.
        key: String,
        /// Why not.
        #[source]
        reason: SealError,
    },
    /// What was sealed is not the private half of the public one.
    #[error(
        "checkpoint key `{key}` cannot be used: its private half does not belong to its public one"
    )]
    Unpaired {
        /// Which one.
        key: String,
    },
}

/// Makes key pairs in this process.
#[derive(Debug, Clone)]
pub struct LocalCheckpointKeyFactory {
    sealer: Arc<Sealer>,
}

impl LocalCheckpointKeyFactory {
    /// A factory that seals with this.
    #[must_use]
    pub const fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer }
    }
}

impl CheckpointKeyFactory for LocalCheckpointKeyFactory {
    /// The key itself is made by the library's own generator: it must be unpredictable, not
    /// repeatable.
    fn generate(&self) -> Result<([u8; 32], SealedCheckpointKey), EntropyUnavailable> {
        let pair = Ed25519KeyPair::generate().map_err(|_| EntropyUnavailable)?;
        let public = public_half(&pair).ok_or(EntropyUnavailable)?;
        let private = pair.to_pkcs8().map_err(|_| EntropyUnavailable)?;
        let id = CheckpointKey::id_of(&public);
        let sealed = self.sealer.seal(purpose(&id), private.as_ref())?;
        Ok((public, SealedCheckpointKey::new(sealed)))
    }
}

/// Signs checkpoints with one key.
pub struct LocalCheckpointSigner {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl LocalCheckpointSigner {
    /// Opens a key.
    ///
    /// # Errors
    /// [`CheckpointKeyError`]
    pub fn open(key: &CheckpointKey, sealer: &Sealer) -> Result<Self, CheckpointKeyError> {
        let sealed = |reason| CheckpointKeyError::Sealed { key: key.id.clone(), reason };
        let private = sealer.open(purpose(&key.id), key.private.as_bytes()).map_err(sealed)?;
        let pair = Ed25519KeyPair::from_pkcs8(private.expose_secret()).ok();
        match pair.filter(|pair| public_half(pair) == Some(key.public)) {
            Some(pair) => Ok(Self { pair, public: key.public }),
            None => Err(CheckpointKeyError::Unpaired { key: key.id.clone() }),
        }
    }
}

impl fmt::Debug for LocalCheckpointSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCheckpointSigner").finish_non_exhaustive()
    }
}

impl CheckpointSigner for LocalCheckpointSigner {
    fn public_key(&self) -> [u8; 32] {
        self.public
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        self.pair.sign(bytes).as_ref().try_into().map_err(|_| SigningFailed)
    }
}

/// What a private key is sealed for: to sign checkpoints, under this id, and to sign nothing else.
fn purpose(id: &str) -> Purpose<'_> {
    Purpose { kind: "checkpoint-key", id }
}

fn public_half(pair: &Ed25519KeyPair) -> Option<[u8; 32]> {
    pair.public_key().as_ref().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{NoEntropy, sealer};
    use audit::{Checkpoint, CheckpointKeyCreated, VerifierKey, checkpoint, merkle::empty_root};
    use kernel::Timestamp;

    fn key() -> CheckpointKey {
        let (public, private) = LocalCheckpointKeyFactory::new(sealer(1)).generate().unwrap();
        let at = Timestamp::from_unix_micros(1).unwrap();
        CheckpointKeyCreated::new(public, private, at).key().clone()
    }

    #[test]
    fn what_it_signs_verifies_with_the_public_half_and_with_no_other() {
        let (key, other) = (key(), key());
        let signer = LocalCheckpointSigner::open(&key, &sealer(1)).unwrap();
        let origin = "idp.example.com/audit/0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b3c4d".parse().unwrap();
        let said = Checkpoint { origin, size: 0, root: empty_root() };
        let signed = checkpoint::sign(said.clone(), &signer).unwrap();
        let verifier = |public| VerifierKey::new(said.origin.name().clone(), public);
        assert_eq!(Checkpoint::open(&signed.note, &verifier(key.public)), Ok(said.clone()));
        assert!(Checkpoint::open(&signed.note, &verifier(other.public)).is_err());
    }

    #[test]
    fn a_key_opens_with_its_own_sealing_key_and_under_its_own_id_only() {
        let (key, other) = (key(), key());
        assert!(LocalCheckpointSigner::open(&key, &sealer(2)).is_err());
        let moved = CheckpointKey { private: other.private, ..key.clone() };
        assert!(LocalCheckpointSigner::open(&moved, &sealer(1)).is_err());
        let renamed = CheckpointKey { public: [7; 32], ..key.clone() };
        assert_eq!(
            LocalCheckpointSigner::open(&renamed, &sealer(1)).unwrap_err(),
            CheckpointKeyError::Unpaired { key: key.id }
        );
    }

    #[test]
    fn without_randomness_no_key_leaves_unsealed() {
        let dry = Sealer::new(&[1; 32], Arc::new(NoEntropy)).unwrap();
        let made = LocalCheckpointKeyFactory::new(Arc::new(dry)).generate();
        assert_eq!(made, Err(EntropyUnavailable));
    }

    #[test]
    fn sl_05_debug_shows_nothing_of_the_key() {
        let key = key();
        let signer = LocalCheckpointSigner::open(&key, &sealer(1)).unwrap();
        assert_eq!(format!("{signer:?}"), "LocalCheckpointSigner { .. }");
        assert!(format!("{key:?}").contains("REDACTED"));
    }
}
