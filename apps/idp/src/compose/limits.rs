//! Who counts requests: this process, or all replicas together in Redis.

use std::sync::Arc;

use audit::ChangeHints;
use kernel::{Clock, Entropy};
use local::{LocalRateLimiter, Share};
use redis_cache::{Courier, Eviction, FallbackLimiter, Options, RedisCache, RedisProofUses};
use tenancy::RateLimiter;

use super::ComposeError;
use crate::{
    config::{Config, Mode, RedisUrl},
    probe::Pinged,
};

/// What Redis is used for, or what stands in for it.
pub(super) struct Limits {
    pub(super) limiter: Arc<dyn RateLimiter>,
    pub(super) cache: Option<Arc<dyn Pinged>>,
    pub(super) hints: Option<Arc<dyn ChangeHints>>,
    /// Remembers proofs for all replicas.
    pub(super) proof_uses: Option<RedisProofUses>,
}

/// Connects to Redis where it is configured.
pub(super) async fn open(
    config: &Config,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<Limits, ComposeError> {
    let alone = LocalRateLimiter::new();
    let Some(url) = config.redis() else {
        let limiter = Arc::new(Share::new(alone, config.replicas()));
        return Ok(Limits { limiter, cache: None, hints: None, proof_uses: None });
    };
    install_cryptography();
    let redis = connect(url, config.mode(), clock).await?;
    let limiter = FallbackLimiter::new(redis.limiter(), alone, config.replicas());
    Ok(Limits {
        limiter: Arc::new(limiter),
        hints: Some(Arc::new(redis.hints())),
        proof_uses: Some(redis.proof_uses(entropy.clone())),
        cache: Some(Arc::new(redis)),
    })
}

/// TLS to Redis takes its cryptography from the process. More than one is linked in, and with none
/// chosen a connection by `rediss:` is refused.
fn install_cryptography() {
    // An error means that one is chosen already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn connect(
    url: &RedisUrl,
    mode: Mode,
    clock: &Arc<dyn Clock>,
) -> Result<RedisCache, ComposeError> {
    let (redis, courier) =
        RedisCache::connect(url.secret(), clock.clone(), Options::default()).await?;
    carry(courier);
    match redis.eviction().await {
        Ok(eviction) if !eviction.takes_nothing() => refuse(&eviction, mode)?,
        Ok(_) => {}
        Err(failure) => {
            let failure = &failure as &dyn std::error::Error;
            tracing::warn!(failure, "what redis evicts is not known: it may forget limits");
        }
    }
    Ok(redis)
}

/// Until nobody is left who could ask: nothing that it carries is the record of anything, so that nobody
/// waits for its end.
#[expect(clippy::disallowed_methods, reason = "the composition root is where tasks start")]
fn carry(courier: Courier) {
    tokio::spawn(courier.run());
}

fn refuse(eviction: &Eviction, mode: Mode) -> Result<(), ComposeError> {
    let policy = eviction.policy();
    match mode {
        Mode::Production => Err(ComposeError::Eviction(policy.to_owned())),
        Mode::Development => {
            tracing::warn!(policy, "redis may forget limits when its memory is full");
            Ok(())
        }
    }
}
