//! The contracts of the rate limiter, of the memory of proofs and of the hints, for those in this process.

#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]

use std::sync::Arc;

use audit::ChangeHints;
use contracts::{HintsHarness, LimiterHarness, ProofUsesHarness};
use local::{LocalHints, LocalProofUses, LocalRateLimiter, SystemEntropy};
use tenancy::RateLimiter;
use tokens::ProofUses;

struct InProcess(LocalRateLimiter);

impl LimiterHarness for InProcess {
    async fn fresh() -> Self {
        Self(LocalRateLimiter::new())
    }

    fn limiter(&self) -> &dyn RateLimiter {
        &self.0
    }
}

contracts::limiter_contract!(InProcess);

struct InMemory(LocalProofUses);

impl ProofUsesHarness for InMemory {
    async fn fresh() -> Self {
        Self(LocalProofUses::new(Arc::new(SystemEntropy::new())).unwrap())
    }

    fn uses(&self) -> &dyn ProofUses {
        &self.0
    }
}

contracts::proof_uses_contract!(InMemory);

struct WithinProcess(LocalHints);

impl HintsHarness for WithinProcess {
    async fn fresh() -> Self {
        Self(LocalHints::new())
    }

    fn hints(&self) -> &dyn ChangeHints {
        &self.0
    }
}

contracts::hints_contract!(WithinProcess);
