//! The contracts of the rate limiter, of the memory of proofs and of the hints, on the Redis at `REDIS_URL`.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]
#![expect(clippy::expect_used, reason = "likewise")]

use std::{sync::Arc, time::Duration};

use audit::ChangeHints;
use contracts::{HintsHarness, LimiterHarness, ProofUsesHarness};
use kernel::{Entropy, Secret};
use local::{SystemClock, SystemEntropy};
use redis_cache::{Options, RedisCache, RedisHints, RedisProofUses, RedisRateLimiter};
use tenancy::RateLimiter;
use tokens::ProofUses;

/// A part of the server that nobody else uses: cases run beside each other, and leave their keys.
async fn alone() -> RedisCache {
    #[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says where its servers are")]
    let url = std::env::var("REDIS_URL")
        .expect("REDIS_URL is not set: run `cargo xtask test`, or set it to a redis for tests");
    let mut random = [0; 16];
    SystemEntropy::new().fill(&mut random).unwrap();
    let prefix = format!("test-{:x}", u128::from_ne_bytes(random)).parse().unwrap();
    // For long, so that a busy machine fails no case.
    let patience = Duration::from_secs(20);
    let options = Options { prefix, patience, ..Options::default() };
    let clock = Arc::new(SystemClock::new());
    let (cache, courier) = RedisCache::connect(&Secret::from(url), clock, options).await.unwrap();
    #[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
    tokio::spawn(courier.run());
    cache
}

struct Shared(RedisRateLimiter);

impl LimiterHarness for Shared {
    async fn fresh() -> Self {
        Self(alone().await.limiter())
    }

    fn limiter(&self) -> &dyn RateLimiter {
        &self.0
    }
}

contracts::limiter_contract!(Shared);

struct Remembered(RedisProofUses);

impl ProofUsesHarness for Remembered {
    async fn fresh() -> Self {
        Self(alone().await.proof_uses(Arc::new(SystemEntropy::new())))
    }

    fn uses(&self) -> &dyn ProofUses {
        &self.0
    }
}

contracts::proof_uses_contract!(Remembered);

struct Published(RedisHints);

impl HintsHarness for Published {
    async fn fresh() -> Self {
        Self(alone().await.hints())
    }

    fn hints(&self) -> &dyn ChangeHints {
        &self.0
    }
}

contracts::hints_contract!(Published);
