//! Tokens whose signatures were found to hold, so that none is checked twice.
//!
//! Checking a signature of ES256 takes as long as all the rest of an introspection together, and
//! whether it holds never changes: it depends on the token's text and on the key, whose id is in
//! the text and is the hash of the key. So it is remembered by the SHA-256 of the whole text. A
//! token that differs in one character is another one.
//!
//! What is remembered saves the signature and the reading, and decides nothing:
//! - Every hit asks whether the signer still has the key. One that was given up is not asked for
//!   what it once said.
//! - A token that has expired is forgotten, and is read like one that nobody has seen.
//! - Whether the token is good, [`judge`](crate::judge) says each time, by the facts of that moment.
//!
//! Only what holds is remembered, so that garbage takes no place. There is a fixed number of places.

use std::{
    collections::HashSet,
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hashlink::LruCache;
use jose::{Algorithm, KeyId};
use kernel::{ExposeSecret, Secret, Timestamp};
use ring::digest::{SHA256, digest};

use crate::{
    issue::UnsignedToken,
    issuer::Issuer,
    jws::{self, InvalidToken, MAX_LENGTH, Signature, VerifiedToken},
    port::{Signer, SigningFailed},
};

/// How many tokens are kept as they were read, of about a kilobyte each.
const READ: usize = 16_384;

/// Up to which length a token is kept as it was read, in characters. Of a longer one it is known that
/// its signature holds, and it is read each time: few are, and a few thousand would take a hundred
/// megabytes.
const SHORT: usize = 2 * 1024;

/// Of how many tokens at least it is known that their signatures hold, of some forty bytes each: the
/// last so many, and as many again before them. Fits a hash table that is as full as it gets.
const SIGNED: usize = 114_688;

/// The SHA-256 of a token's text.
type Digest = [u8; 32];

/// Remembers which tokens bear signatures that hold.
pub struct VerifiedTokens {
    // Each lock is held for one look-up; nothing is checked, read or dropped under it.
    read: Mutex<LruCache<Digest, Arc<VerifiedToken>>>,
    signed: Mutex<Generations>,
}

impl VerifiedTokens {
    /// A memory of 16,384 tokens as they were read, and of the signatures of 114,688 and more.
    #[must_use]
    pub fn new() -> Self {
        Self::holding(READ, SIGNED)
    }

    /// A memory of so many tokens, and of so many signatures, up to twice as many. At least one of
    /// each.
    #[must_use]
    pub fn holding(read: usize, signed: usize) -> Self {
        Self {
            read: Mutex::new(LruCache::new(read.max(1))),
            signed: Mutex::new(Generations::of(signed.max(1))),
        }
    }

    /// Reads a token and checks it, as [`verify`](jws::verify) does, but for what is known of it.
    ///
    /// # Errors
    /// [`InvalidToken`]
    pub fn verify(
        &self,
        token: &str,
        issuer: &Issuer,
        (signer, now): (&impl Signer, Timestamp),
    ) -> Result<Arc<VerifiedToken>, InvalidToken> {
        if token.len() > MAX_LENGTH {
            return Err(InvalidToken::Malformed);
        }
        let digest = digest_of(token);
        let known = self.read().get(&digest).cloned();
        if let Some(known) = known.filter(|known| is_current(known, issuer, (signer, now))) {
            return Ok(known);
        }
        let signature = self.signature(&digest);
        let read = Arc::new(jws::read(token, issuer, signer, signature)?);
        if read.claims().expires_at > now {
            self.signed().insert(digest);
            if token.len() <= SHORT {
                self.read().insert(digest, Arc::clone(&read));
            }
            return Ok(read);
        }
        self.forget(&digest);
        match signature {
            Signature::Unknown => Ok(read),
            // Checked again, so that nothing is said of a token past its end by what is remembered.
            Signature::Holds => jws::verify(token, issuer, signer).map(Arc::new),
        }
    }

    /// Signs a token, and remembers that it did: whoever has it checked here has nothing checked.
    ///
    /// # Errors
    /// [`SigningFailed`]
    pub async fn sign(
        &self,
        token: &UnsignedToken,
        key: (&KeyId, Algorithm),
        signer: &impl Signer,
    ) -> Result<Secret, SigningFailed> {
        let token = token.sign(key, signer).await?;
        self.signed().insert(digest_of(token.expose_secret()));
        Ok(token)
    }

    /// How many tokens are kept as they were read, and how many signatures are known to hold.
    #[must_use]
    pub fn sizes(&self) -> (usize, usize) {
        (self.read().len(), self.signed().len())
    }

    fn signature(&self, digest: &Digest) -> Signature {
        if self.signed().contains(digest) { Signature::Holds } else { Signature::Unknown }
    }

    fn forget(&self, digest: &Digest) {
        self.signed().remove(digest);
        self.read().remove(digest);
    }

    // Under either lock nothing runs that could panic midway: what is there is whole.

    fn read(&self) -> MutexGuard<'_, LruCache<Digest, Arc<VerifiedToken>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signed(&self) -> MutexGuard<'_, Generations> {
        self.signed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for VerifiedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (read, signed) = self.sizes();
        f.debug_struct("VerifiedTokens").field("read", &read).field("signed", &signed).finish()
    }
}

/// Whether what was read once may be taken for what would be read now.
fn is_current(
    known: &VerifiedToken,
    issuer: &Issuer,
    (signer, now): (&impl Signer, Timestamp),
) -> bool {
    let claims = known.claims();
    claims.expires_at > now
        && claims.issuer == issuer.as_str()
        && signer.algorithm(known.key()).is_some()
}

fn digest_of(token: &str) -> Digest {
    let mut bytes = [0; 32];
    let digest = digest(&SHA256, token.as_bytes());
    bytes.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    bytes
}

/// The last digests, in two halves: when the young one is full, the old one is given up and the young
/// one grows old. That needs no order among them, and so no more than the digests themselves.
struct Generations {
    each: usize,
    young: HashSet<Digest>,
    old: HashSet<Digest>,
}

impl Generations {
    fn of(each: usize) -> Self {
        Self { each, young: HashSet::new(), old: HashSet::new() }
    }

    fn contains(&self, digest: &Digest) -> bool {
        self.young.contains(digest) || self.old.contains(digest)
    }

    fn insert(&mut self, digest: Digest) {
        if self.young.len() >= self.each {
            mem::swap(&mut self.young, &mut self.old);
            // It keeps its room: a table is grown no more than twice as often as needed.
            self.young.clear();
        }
        self.young.insert(digest);
    }

    fn remove(&mut self, digest: &Digest) {
        self.young.remove(digest);
        self.old.remove(digest);
    }

    fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}

#[cfg(test)]
mod tests;
