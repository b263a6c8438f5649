//! The keys that sign and verify, each opened and parsed once.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        ParsedPublicKey,
    },
};
use secrecy::ExposeSecret;
use thiserror::Error;
use tokens::{Algorithm, Jwk, KeyId, KeyState, Signer, SigningKey, port::SigningFailed};

use crate::{
    key_factory::{public_half, purpose},
    seal::{SealError, Sealer},
};

/// A signing key that cannot be used. Its text names the key, and nothing of what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("signing key `{key}` cannot be used: {reason}")]
pub struct OpenError {
    /// Which one.
    pub key: KeyId,
    /// Why not.
    #[source]
    pub reason: Unusable,
}

/// Why a signing key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unusable {
    /// Its private half does not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// What was sealed is not the private half of the published key.
    #[error("its private half does not belong to its public one")]
    Unpaired,
}

/// Why the ring does not sign, for the log.
#[derive(Debug, Error)]
enum Refused {
    #[error("no such key signs")]
    NotSigning,
    #[error("the cryptographic library refused to sign")]
    Library,
}

/// Holds the published keys, ready for use, and swaps them for others all at once.
pub struct KeyRing {
    sealer: Arc<Sealer>,
    // Held only as long as it takes to count a reference, so that a reader waits for no other
    // reader and for no signature.
    keys: RwLock<Arc<Keys>>,
}

#[derive(Default)]
struct Keys {
    active: Option<KeyId>,
    by_id: BTreeMap<KeyId, ParsedKey>,
}

struct ParsedKey {
    public: Jwk,
    verifier: ParsedPublicKey,
    pair: EcdsaKeyPair,
    /// A key that verifiers may not know yet must not sign. One that ceased to sign still may, for
    /// a request that chose it just before.
    may_sign: bool,
}

impl KeyRing {
    /// An empty ring that opens keys with this.
    #[must_use]
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, keys: RwLock::default() }
    }

    /// Takes these keys in place of those before; the retired ones are left out, unopened.
    ///
    /// # Errors
    /// [`OpenError`], and the ring stays as it was: a server that signs goes on signing while its
    /// operator looks at a key that cannot be read.
    pub fn replace(&self, keys: &[SigningKey]) -> Result<(), OpenError> {
        let mut by_id = BTreeMap::new();
        for key in keys.iter().filter(|key| key.state().is_published()) {
            let id = key.id();
            match self.open(&id, key) {
                Ok(parsed) => by_id.insert(id, parsed),
                Err(reason) => return Err(OpenError { key: id, reason }),
            };
        }
        let next = Arc::new(Keys { active: active(keys), by_id });
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn open(&self, id: &KeyId, key: &SigningKey) -> Result<ParsedKey, Unusable> {
        let record = key.record();
        let private = self.sealer.open(purpose(id), record.private.as_bytes())?;
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.expose_secret())
                .map_err(|_| Unusable::Unpaired)?;
        if public_half(&pair).as_ref() != Some(&record.public) {
            return Err(Unusable::Unpaired);
        }
        let verifier = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())
            .map_err(|_| Unusable::Unpaired)?;
        let may_sign = !matches!(key.state(), KeyState::Published { .. });
        Ok(ParsedKey { public: record.public.clone(), verifier, pair, may_sign })
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The key that signs: the one that became active last, where a rotation left more than one.
fn active(keys: &[SigningKey]) -> Option<KeyId> {
    let since = |key: &SigningKey| match key.state() {
        KeyState::Active { since } => Some((since, key.id())),
        KeyState::Published { .. } | KeyState::Retiring { .. } | KeyState::Retired { .. } => None,
    };
    keys.iter().filter_map(since).max().map(|(_, id)| id)
}

impl Signer for KeyRing {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        let keys = self.keys();
        let id = keys.active.clone()?;
        let algorithm = keys.by_id.get(&id)?.public.algorithm();
        Some((id, algorithm))
    }

    fn algorithm(&self, key: &KeyId) -> Option<Algorithm> {
        self.keys().by_id.get(key).map(|key| key.public.algorithm())
    }

    /// An ES256 signature takes some twenty microseconds: less than handing it to another thread.
    async fn sign(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let keys = self.keys();
        let key = keys.by_id.get(key).filter(|key| key.may_sign);
        let key = key.ok_or_else(|| SigningFailed::new(Refused::NotSigning))?;
        let signature = key
            .pair
            .sign_digest(&digest(&SHA256, message))
            .map_err(|_| SigningFailed::new(Refused::Library))?;
        Ok(signature.as_ref().to_vec())
    }

    fn verifies(&self, key: &KeyId, message: &[u8], signature: &[u8]) -> bool {
        let keys = self.keys();
        keys.by_id.get(key).is_some_and(|key| key.verifier.verify_sig(message, signature).is_ok())
    }

    fn published(&self) -> Vec<Jwk> {
        self.keys().by_id.values().map(|key| key.public.clone()).collect()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().by_id.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
