//! Which memory takes a proof while Redis is away, and after it has come back.
//!
//! # What decides
//! The nonce of the proof alone. It carries an epoch: of the store of record, or of Redis. Where Redis
//! answers, new nonces carry its epoch; where it does not, that of the store of record.
//!
//! # Why a proof passes only once
//! A proof has one nonce, which its key signed, and hence one epoch. What is of the epoch of record is
//! asked of the store of record, whether Redis is back or not. What is of another is asked of Redis
//! alone, and where that does not answer, it is refused, and its client told a nonce of the epoch of
//! record. So no proof is ever asked of two memories, and each of them lets one use of it pass.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jose::SingleUse;
use kernel::{OrganizationId, StoreError, Timestamp};
use tokens::{
    ProofUses,
    dpop::{Epoch, ProofUse},
};

/// A shared memory that is fast, and the store of record for while it is away.
#[derive(Debug)]
pub struct FallbackProofUses<S, R> {
    shared: S,
    record: R,
    /// Whether the log says that the shared one is away.
    told: AtomicBool,
}

impl<S: ProofUses, R: ProofUses> FallbackProofUses<S, R> {
    /// Composes both.
    pub const fn new(shared: S, record: R) -> Self {
        Self { shared, record, told: AtomicBool::new(false) }
    }

    /// What the shared one says, if it says anything.
    fn heard<T>(&self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                // Read first: nearly none has anything to write.
                if self.told.load(Ordering::Relaxed) && self.told.swap(false, Ordering::Relaxed) {
                    tracing::warn!("redis remembers proofs again");
                }
                Some(answer)
            }
            Err(error) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "redis is away: the database remembers proofs");
                }
                None
            }
        }
    }
}

#[async_trait]
impl<S: ProofUses, R: ProofUses> ProofUses for FallbackProofUses<S, R> {
    async fn epoch(&self, now: Timestamp) -> Result<Epoch, StoreError> {
        match self.heard(self.shared.epoch(now).await) {
            Some(epoch) => Ok(epoch),
            None => self.record.epoch(now).await,
        }
    }

    async fn use_once(
        &self,
        organization: OrganizationId,
        epoch: Epoch,
        single_use: &SingleUse,
        now: Timestamp,
    ) -> Result<ProofUse, StoreError> {
        if epoch == Epoch::OF_RECORD {
            let used = self.record.use_once(organization, epoch, single_use, now).await?;
            return match used {
                // Back to Redis with the next one, where it is back.
                ProofUse::First { .. } => Ok(ProofUse::First { next: self.epoch(now).await? }),
                ProofUse::Again | ProofUse::OtherEpoch { .. } => Ok(used),
            };
        }
        let answer = self.shared.use_once(organization, epoch, single_use, now).await;
        match self.heard(answer) {
            Some(used) => Ok(used),
            None => Ok(ProofUse::OtherEpoch { next: self.record.epoch(now).await? }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::Mutex};

    use super::*;

    /// A memory that can be away.
    struct Memory {
        epoch: Epoch,
        used: Mutex<HashSet<[u8; 32]>>,
        away: AtomicBool,
    }

    impl Memory {
        fn of(epoch: Epoch) -> Self {
            Self { epoch, used: Mutex::default(), away: AtomicBool::new(false) }
        }

        fn answers(&self) -> Result<(), StoreError> {
            match self.away.load(Ordering::Relaxed) {
                false => Ok(()),
                true => Err(StoreError::unavailable("away")),
            }
        }
    }

    #[async_trait]
    impl ProofUses for Memory {
        async fn epoch(&self, _: Timestamp) -> Result<Epoch, StoreError> {
            self.answers().map(|()| self.epoch)
        }

        async fn use_once(
            &self,
            _: OrganizationId,
            epoch: Epoch,
            single_use: &SingleUse,
            _: Timestamp,
        ) -> Result<ProofUse, StoreError> {
            self.answers()?;
            assert_eq!(epoch, self.epoch, "a proof of another memory");
            match self.used.lock().unwrap().insert(*single_use.digest()) {
                true => Ok(ProofUse::First { next: self.epoch }),
                false => Ok(ProofUse::Again),
            }
        }
    }

    const SHARED: Epoch = Epoch::from_bytes([0x80, 0, 0, 0, 0, 0, 0, 1]);

    fn both() -> FallbackProofUses<Memory, Memory> {
        FallbackProofUses::new(Memory::of(SHARED), Memory::of(Epoch::OF_RECORD))
    }

    fn now() -> Timestamp {
        Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap()
    }

    async fn used(uses: &FallbackProofUses<Memory, Memory>, epoch: Epoch, id: &str) -> ProofUse {
        let organization = "018bcfe5-687b-7001-8203-040506070809".parse().unwrap();
        let proof = SingleUse::new("proof", "key", id, now());
        uses.use_once(organization, epoch, &proof, now()).await.unwrap()
    }

    #[tokio::test]
    async fn dp_06_a_proof_is_asked_of_the_memory_that_its_nonce_is_of_and_of_no_other() {
        let uses = both();
        let (first, again) = (ProofUse::First { next: SHARED }, ProofUse::Again);
        let elsewhere = ProofUse::OtherEpoch { next: Epoch::OF_RECORD };
        assert_eq!(uses.epoch(now()).await.unwrap(), SHARED);
        assert_eq!(used(&uses, SHARED, "a").await, first);

        uses.shared.away.store(true, Ordering::Relaxed);
        assert_eq!(uses.epoch(now()).await.unwrap(), Epoch::OF_RECORD);
        assert_eq!(used(&uses, SHARED, "a").await, elsewhere);
        assert_eq!(used(&uses, SHARED, "b").await, elsewhere);
        let here = ProofUse::First { next: Epoch::OF_RECORD };
        assert_eq!(used(&uses, Epoch::OF_RECORD, "c").await, here);

        uses.shared.away.store(false, Ordering::Relaxed);
        assert_eq!(used(&uses, Epoch::OF_RECORD, "c").await, again);
        assert_eq!(used(&uses, Epoch::OF_RECORD, "d").await, first);
        assert_eq!(used(&uses, SHARED, "a").await, again);
        assert_eq!(used(&uses, SHARED, "b").await, first);
        // However long Redis has been back.
        assert_eq!(used(&uses, Epoch::OF_RECORD, "c").await, again);
        assert_eq!(used(&uses, Epoch::OF_RECORD, "e").await, first);
    }

    #[tokio::test]
    async fn where_neither_answers_nothing_passes() {
        let uses = both();
        uses.shared.away.store(true, Ordering::Relaxed);
        uses.record.away.store(true, Ordering::Relaxed);
        assert!(uses.epoch(now()).await.is_err());
        let organization = "018bcfe5-687b-7001-8203-040506070809".parse().unwrap();
        let proof = SingleUse::new("proof", "key", "a", now());
        for epoch in [SHARED, Epoch::OF_RECORD] {
            assert!(uses.use_once(organization, epoch, &proof, now()).await.is_err());
        }
    }
}
