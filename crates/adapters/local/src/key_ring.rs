//! The keys that sign and verify, each opened and parsed once.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::signature::ParsedPublicKey;
use secrecy::ExposeSecret;
use thiserror::Error;
use tokens::{
    Algorithm, DamagedKey, Jwk, KeyId, KeyState, SealedPrivateKey, Signer, SigningKey,
    port::SigningFailed,
};

use crate::{
    bench::{Bench, NotDone},
    key_factory::purpose,
    key_pair::Pair,
    seal::{SealError, Sealer},
    verifier,
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

/// Keys were left out that cannot be used, and of those that are left none signs.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no key is left to sign with: {first}")]
pub struct NoneSigns {
    /// One that cannot be used.
    #[source]
    pub first: OpenError,
}

/// Why the ring does not sign, for the log.
#[derive(Debug, Error)]
enum Refused {
    #[error("the cryptographic library refused to sign")]
    Library,
}

/// Holds the published keys, ready for use, and swaps them for others all at once.
pub struct KeyRing {
    sealer: Arc<Sealer>,
    /// The algorithms to sign with, the first that has a key first.
    preferred: Vec<Algorithm>,
    // Held only as long as it takes to count a reference, so that a reader waits for no other
    // reader and for no signature.
    keys: RwLock<Arc<Keys>>,
    bench: Bench,
}

#[derive(Default, Clone)]
struct Keys {
    active: Option<(KeyId, Algorithm)>,
    by_id: BTreeMap<KeyId, Ready>,
}

#[derive(Clone)]
struct Ready {
    parsed: Arc<Parsed>,
    state: KeyState,
}

impl Ready {
    /// A key that verifiers may not know yet must not sign. One that ceased to sign still may, for
    /// a request that chose it just before.
    const fn may_sign(&self) -> bool {
        match self.state {
            KeyState::Active { .. } | KeyState::Retiring { .. } => true,
            KeyState::Published { .. }
            | KeyState::Retired { .. }
            | KeyState::Compromised { .. } => false,
        }
    }
}

/// What of a key never changes.
struct Parsed {
    public: Jwk,
    sealed: SealedPrivateKey,
    verifier: ParsedPublicKey,
    pair: Pair,
}

impl KeyRing {
    /// An empty ring that opens keys with this, and signs with ES256 where it can.
    #[must_use]
    pub fn new(sealer: Arc<Sealer>) -> Self {
        let preferred = vec![Algorithm::Es256];
        Self { sealer, preferred, keys: RwLock::default(), bench: Bench::of_the_machine() }
    }

    /// The ring, to sign with the first of these algorithms that has an active key. Where none has,
    /// another that has signs all the same: until the new ones may sign, which takes a while.
    #[must_use]
    pub fn preferring(mut self, algorithms: Vec<Algorithm>) -> Self {
        self.preferred = algorithms;
        self
    }

    /// Takes these keys in place of those before, where every row of one can be read.
    ///
    /// # Errors
    /// Those of [`replace_beside`](Self::replace_beside).
    pub fn replace(&self, keys: &[SigningKey]) -> Result<Vec<OpenError>, NoneSigns> {
        self.replace_beside(keys, &[])
    }

    /// Takes these keys in place of those before, and gives back those among them that cannot be
    /// used. They are left out: what does not open with the sealing key may be anybody's, and
    /// neither signs nor verifies. Keys that are not published are left out unopened.
    ///
    /// Keys that were opened before and whose rows cannot be read any more stay, unless the rows say
    /// that they are over: they verify as before, and one of them goes on signing where no other
    /// does. Whoever spoils a row cannot end a key that a server has, nor put another in its place.
    ///
    /// # Errors
    /// [`NoneSigns`], and the ring stays as it was but for the keys that are published no more: a
    /// server that signs goes on signing while its operator looks at keys that cannot be read.
    pub fn replace_beside(
        &self,
        keys: &[SigningKey],
        damaged: &[DamagedKey],
    ) -> Result<Vec<OpenError>, NoneSigns> {
        let before = self.keys();
        let (mut by_id, mut left_out) = (BTreeMap::new(), Vec::new());
        for key in keys.iter().filter(|key| key.state().is_published()) {
            let id = key.id();
            match parsed_before(&before, &id, key)
                .map_or_else(|| open(&self.sealer, key).map(Arc::new), Ok)
            {
                Ok(parsed) => {
                    by_id.insert(id, Ready { parsed, state: key.state() });
                }
                Err(reason) => left_out.push(OpenError { key: id, reason }),
            }
        }
        let readable = self.active_of(&by_id);
        by_id.extend(unreadable(&before, keys, damaged));
        let active = readable.or_else(|| self.active_of(&by_id));
        match left_out.first() {
            Some(first) if active.is_none() => {
                let first = first.clone();
                self.forget_ended(&before, keys, damaged);
                Err(NoneSigns { first })
            }
            Some(_) | None => {
                self.swap(Keys { active, by_id });
                Ok(left_out)
            }
        }
    }

    /// Leaves out those that are published no more. One of them may be compromised.
    fn forget_ended(&self, before: &Keys, keys: &[SigningKey], damaged: &[DamagedKey]) {
        let mut by_id = before.by_id.clone();
        for key in keys.iter().filter(|key| !key.state().is_published()) {
            by_id.remove(&key.id());
        }
        by_id.retain(|id, _| !damaged.iter().any(|one| one.is_over() && one.id == id.as_str()));
        self.swap(Keys { active: self.active_of(&by_id), by_id });
    }

    /// The key that signs: of its algorithm, the one that became active last.
    fn active_of(&self, by_id: &BTreeMap<KeyId, Ready>) -> Option<(KeyId, Algorithm)> {
        let newest_of = |algorithm: &Algorithm| {
            by_id
                .iter()
                .filter(|(_, key)| key.parsed.public.algorithm() == *algorithm)
                .filter_map(|(id, key)| match key.state {
                    KeyState::Active { since } => Some((since, id)),
                    KeyState::Published { .. }
                    | KeyState::Retiring { .. }
                    | KeyState::Retired { .. }
                    | KeyState::Compromised { .. } => None,
                })
                .max()
                .map(|(_, id)| (id.clone(), *algorithm))
        };
        self.preferred.iter().chain(&Algorithm::ALL).find_map(newest_of)
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn swap(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

/// The keys that were opened before and whose rows cannot be read now, but for those that are over.
/// Where it is the id that is damaged, a key has no row at all, since none is ever deleted.
fn unreadable(
    before: &Keys,
    keys: &[SigningKey],
    damaged: &[DamagedKey],
) -> BTreeMap<KeyId, Ready> {
    let mut by_id = before.by_id.clone();
    if damaged.iter().all(DamagedKey::is_over) {
        by_id.clear();
    }
    for key in keys {
        by_id.remove(&key.id());
    }
    by_id.retain(|id, _| !damaged.iter().any(|one| one.is_over() && one.id == id.as_str()));
    by_id
}

/// The key as it was opened before, where what is stored of it is the same.
fn parsed_before(before: &Keys, id: &KeyId, key: &SigningKey) -> Option<Arc<Parsed>> {
    let parsed = &before.by_id.get(id)?.parsed;
    let same = parsed.sealed == key.record().private && parsed.public == key.record().public;
    same.then(|| Arc::clone(parsed))
}

/// Opens a key, and makes sure that both halves belong together.
fn open(sealer: &Sealer, key: &SigningKey) -> Result<Parsed, Unusable> {
    let record = key.record();
    let private = sealer.open(purpose(&key.id()), record.private.as_bytes())?;
    let pair = Pair::from_pkcs8(record.public.algorithm(), private.expose_secret())
        .filter(|pair| pair.public().as_ref() == Some(&record.public))
        .ok_or(Unusable::Unpaired)?;
    let verifier = verifier::parse(&record.public).ok_or(Unusable::Unpaired)?;
    let (public, sealed) = (record.public.clone(), record.private.clone());
    Ok(Parsed { public, sealed, verifier, pair })
}

/// Whether a key opens.
pub(crate) fn opens(sealer: &Sealer, key: &SigningKey) -> bool {
    open(sealer, key).is_ok()
}

impl Signer for KeyRing {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        self.keys().active.clone()
    }

    fn algorithm(&self, key: &KeyId) -> Option<Algorithm> {
        self.keys().by_id.get(key).map(|key| key.parsed.public.algorithm())
    }

    /// A signature of an elliptic curve takes some twenty microseconds: less than handing it to
    /// another thread. One of RSA takes twenty times as long, and is handed over, if not too many
    /// are waited for already.
    async fn sign(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        let keys = self.keys();
        let key = keys.by_id.get(key).filter(|key| key.may_sign());
        let key = key.ok_or(SigningFailed::NoneSigns)?;
        let signed = if key.parsed.pair.is_slow() {
            let (parsed, message) = (Arc::clone(&key.parsed), message.to_vec());
            let signed = self.bench.work(move || parsed.pair.signature(&message)).await;
            signed.map_err(|error| match error {
                NotDone::Busy => SigningFailed::Busy,
                NotDone::Ending => SigningFailed::new(error),
            })?
        } else {
            key.parsed.pair.signature(message)
        };
        signed.map_err(|_| SigningFailed::new(Refused::Library))
    }

    fn verifies(&self, key: &KeyId, message: &[u8], signature: &[u8]) -> bool {
        let keys = self.keys();
        let key = keys.by_id.get(key);
        key.is_some_and(|key| key.parsed.verifier.verify_sig(message, signature).is_ok())
    }

    fn published(&self) -> Vec<Jwk> {
        self.keys().by_id.values().map(|key| key.parsed.public.clone()).collect()
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().by_id.keys()).finish()
    }
}

#[cfg(test)]
mod tests;
