//! Proofs that were used, in this process's memory.
//!
//! It remembers a bounded number. Once they are that many and all still good, it forgets none of
//! them and begins a new epoch instead: what was good until then is refused, and whoever shows it is
//! told a nonce of the new one. With the process, all of it is gone, and the epoch with it.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jose::SingleUse;
use kernel::{Entropy, EntropyUnavailable, OrganizationId, StoreError, Timestamp};
use tokens::{
    ProofUses,
    dpop::{Epoch, ProofUse},
};

/// How many are remembered where nobody says otherwise: more than a thousand a second.
const PROOFS: usize = 100_000;

/// What is remembered of a proof.
type Key = (OrganizationId, [u8; 32]);

/// Remembers for one process. No proof of another is taken, nor of this one before its start.
pub struct LocalProofUses {
    capacity: usize,
    entropy: Arc<dyn Entropy>,
    memory: Mutex<Memory>,
}

impl fmt::Debug for LocalProofUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalProofUses").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

/// One epoch of it.
struct Memory {
    epoch: Epoch,
    used: HashSet<Key>,
    /// The same, by when it is over.
    by_end: BTreeMap<Timestamp, Vec<Key>>,
}

impl Memory {
    fn new(epoch: Epoch) -> Self {
        Self { epoch, used: HashSet::new(), by_end: BTreeMap::new() }
    }

    /// Time does not run backwards in a process, so that nothing becomes good again.
    fn forget_what_is_over(&mut self, now: Timestamp) {
        while let Some(first) = self.by_end.first_entry() {
            if *first.key() > now {
                return;
            }
            for key in first.remove() {
                self.used.remove(&key);
            }
        }
    }
}

impl LocalProofUses {
    /// A memory of 100,000 proofs.
    ///
    /// # Errors
    /// When the source of randomness fails.
    pub fn new(entropy: Arc<dyn Entropy>) -> Result<Self, EntropyUnavailable> {
        Self::remembering(PROOFS, entropy)
    }

    /// A memory of at most this many proofs.
    ///
    /// # Errors
    /// When the source of randomness fails.
    pub fn remembering(
        capacity: usize,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, EntropyUnavailable> {
        let memory = Mutex::new(Memory::new(Epoch::generate(&*entropy)?));
        Ok(Self { capacity, entropy, memory })
    }

    /// How many are remembered now.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.lock().used.len()
    }

    /// What somebody panicked under is as good as before: nothing below leaves it halfway.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ProofUses for LocalProofUses {
    async fn epoch(&self, _: Timestamp) -> Result<Epoch, StoreError> {
        Ok(self.lock().epoch)
    }

    async fn use_once(
        &self,
        organization: OrganizationId,
        epoch: Epoch,
        single_use: &SingleUse,
        now: Timestamp,
    ) -> Result<ProofUse, StoreError> {
        let mut memory = self.lock();
        if memory.epoch != epoch {
            return Ok(ProofUse::OtherEpoch { next: memory.epoch });
        }
        let key = (organization, *single_use.digest());
        if memory.used.contains(&key) {
            return Ok(ProofUse::Again);
        }
        memory.forget_what_is_over(now);
        if memory.used.len() >= self.capacity {
            let next = Epoch::generate(&*self.entropy).map_err(StoreError::unavailable)?;
            *memory = Memory::new(next);
            tracing::warn!("too many proofs at once: all clients are told new nonces");
            return Ok(ProofUse::OtherEpoch { next });
        }
        memory.used.insert(key);
        memory.by_end.entry(single_use.over()).or_default().push(key);
        Ok(ProofUse::First { next: epoch })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::SystemEntropy;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_micros((1_700_000_000 + second) * 1_000_000).unwrap()
    }

    fn organization(last: u8) -> OrganizationId {
        format!("018bcfe5-687b-7001-8203-0405060708{last:02x}").parse().unwrap()
    }

    fn proof(id: &str, over: i64) -> SingleUse {
        SingleUse::new("proof", "key", id, at(over))
    }

    fn remembering(capacity: usize) -> LocalProofUses {
        LocalProofUses::remembering(capacity, Arc::new(SystemEntropy::new())).unwrap()
    }

    #[tokio::test]
    async fn what_is_over_makes_room_and_what_is_good_does_not() {
        let uses = remembering(2);
        let epoch = uses.epoch(at(0)).await.unwrap();
        let first = ProofUse::First { next: epoch };
        for (id, over, now) in [("a", 60, 0), ("b", 61, 0), ("c", 120, 60), ("d", 121, 61)] {
            let used = uses.use_once(organization(1), epoch, &proof(id, over), at(now)).await;
            assert_eq!(used.unwrap(), first, "{id}");
        }
        assert_eq!(uses.remembered(), 2);
    }

    #[tokio::test]
    async fn dp_06_each_start_is_an_epoch_of_its_own_and_takes_no_proof_of_another() {
        let (before, after) = (remembering(2), remembering(2));
        let epoch = before.epoch(at(0)).await.unwrap();
        before.use_once(organization(1), epoch, &proof("a", 60), at(0)).await.unwrap();
        let next = after.epoch(at(0)).await.unwrap();
        assert_ne!(next, epoch);
        let used = after.use_once(organization(1), epoch, &proof("a", 60), at(0)).await.unwrap();
        assert_eq!(used, ProofUse::OtherEpoch { next });
    }

    #[tokio::test]
    async fn ds_09_a_full_memory_forgets_nothing_but_its_epoch_with_all() {
        let uses = remembering(3);
        let epoch = uses.epoch(at(0)).await.unwrap();
        for id in ["a", "b", "c"] {
            uses.use_once(organization(1), epoch, &proof(id, 60), at(0)).await.unwrap();
        }
        let again = uses.use_once(organization(1), epoch, &proof("a", 60), at(0)).await.unwrap();
        assert_eq!(again, ProofUse::Again);
        let full = uses.use_once(organization(1), epoch, &proof("d", 60), at(0)).await.unwrap();
        let next = uses.epoch(at(0)).await.unwrap();
        assert_eq!(full, ProofUse::OtherEpoch { next });
        assert_ne!(next, epoch);
        for id in ["a", "d"] {
            let used = uses.use_once(organization(1), epoch, &proof(id, 60), at(0)).await.unwrap();
            assert_eq!(used, ProofUse::OtherEpoch { next });
        }
        let used = uses.use_once(organization(1), next, &proof("a", 60), at(0)).await.unwrap();
        assert_eq!((used, uses.remembered()), (ProofUse::First { next }, 1));
    }

    #[tokio::test]
    async fn ds_09_an_onslaught_is_no_more_than_the_bound() {
        let uses = remembering(100);
        for number in 0..10_000_i64 {
            let (epoch, now) = (uses.epoch(at(0)).await.unwrap(), at(0));
            let one = SingleUse::new("proof", "key", &number.to_string(), now.plus(LONG));
            uses.use_once(organization(1), epoch, &one, now).await.unwrap();
        }
        assert!(uses.remembered() <= 100);
    }

    const LONG: Duration = Duration::from_secs(60);
}
