//! What limits rates while the counts that replicas share are away, or were lost.
//!
//! # What decides
//! - **Trusted.** The shared limiter answers, and a minute's counts are there: it decides. What it
//!   admits is counted in this process, too.
//! - **Failed.** It does not answer: this process decides, with its share of the limit, which is
//!   the limit divided by the number of replicas, rounded up. What it admitted while all was well
//!   counts against that.
//! - **Doubted.** It answers, but a part of the last minute's counts is not there: since it is new
//!   or was emptied, or since this process did without it within the last minute. Both must admit.
//!
//! # What is promised
//! Let `L` be the limit, `N` the number of replicas, `S` the share, and `+` a twentieth on top, one
//! at least. In any sixty seconds, whatever fails or is lost in them, and however often, at most
//! - `L+` are admitted while the shared limiter is trusted, by all replicas together;
//! - `L+` are admitted by one replica that is alone: to lose the counts lifts nothing at all;
//! - `L+` and `N` times `S+` are admitted by several: about twice the limit at the very worst, when
//!   one replica admitted all of it just before the loss, and all of them their share after it.
//!
//! # Why it holds
//! Take any sixty seconds. What was admitted in trust or in doubt was admitted by the shared
//! counts, too. If those were not lost meanwhile, that is `L+`. If they were, nothing is trusted
//! any more for the rest of these sixty seconds; what was trusted before the loss is `L+`. All
//! else was admitted by the local counts of some replica, which is `S+` for each.
//!
//! One replica alone has the limit for its share, and counts all that it admits. After it decided
//! for itself, it trusts nothing for a minute; so either the last of these sixty seconds' requests
//! was admitted by the local counts, which hold all the others; or all of them were admitted by the
//! shared ones.
//!
//! Where the clocks of replicas differ, sixty seconds are less by as much. A replica that restarts
//! forgets its own counts: if the shared ones are lost at the same time, it begins with its share.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::{num::NonZeroU32, time::Duration};

use async_trait::async_trait;
use kernel::{StoreError, Timestamp};
use tenancy::{Admission, Rate, RateKey, RateLimiter, StandIn};

use crate::{
    answer::{Answer, SharedLimiter},
    failure::Failure,
};

/// For how long after it decided for itself a replica does not trust the shared counts alone.
const WINDOW: Duration = Duration::from_secs(60);

/// A shared limiter, and one of this process that steps in for it. It never errs for the sake of
/// the shared one.
#[derive(Debug)]
pub struct FallbackLimiter<S, L> {
    shared: S,
    local: L,
    replicas: NonZeroU32,
    doubted: Doubt,
    decided: AtomicU64,
}

impl<S: SharedLimiter, L: StandIn> FallbackLimiter<S, L> {
    /// Composes both. Where the replicas are more than it is told, each may admit too much while
    /// the shared counts are away; where they are fewer, too little.
    pub fn new(shared: S, local: L, replicas: NonZeroU32) -> Self {
        Self { shared, local, replicas, doubted: Doubt::default(), decided: AtomicU64::new(0) }
    }

    /// How many requests so far were not decided by the shared counts alone.
    pub fn decided(&self) -> u64 {
        self.decided.load(Ordering::Relaxed)
    }

    /// Whether the shared counts alone decide, as far as the last request showed.
    pub fn is_trusting(&self) -> bool {
        !self.doubted.told.load(Ordering::Relaxed)
    }

    fn share(&self, rate: Rate) -> Rate {
        Rate { per_minute: rate.per_minute.div_ceil(u64::from(self.replicas.get())) }
    }

    /// The shared counts decide, unless they are found to be away or lost.
    async fn admit_in_trust(
        &self,
        key: RateKey,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        let answer = self.shared.ask(key, rate, now).await;
        if let Answer::Found(admission) = answer {
            self.doubted.not_any_more();
            if admission.admitted {
                self.local.count(key, rate, now);
            }
            return Ok(admission);
        }
        self.decided.fetch_add(1, Ordering::Relaxed);
        match self.heard(answer, now) {
            Some(shared) if !shared.admitted => Ok(shared),
            shared => {
                let local = self.local.admit(key, self.share(rate), now).await?;
                Ok(shared.map_or(local, |shared| both(shared, local)))
            }
        }
    }

    /// Both decide. This process comes first: what it refuses, the shared counts must not count, or
    /// somebody who keeps asking would be refused for longer.
    async fn admit_in_doubt(
        &self,
        key: RateKey,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        self.decided.fetch_add(1, Ordering::Relaxed);
        let local = self.local.admit(key, self.share(rate), now).await?;
        if !local.admitted {
            return Ok(local);
        }
        let answer = self.shared.ask(key, rate, now).await;
        Ok(self.heard(answer, now).map_or(local, |shared| both(shared, local)))
    }

    /// What the shared counts say, if anything, and for how long it is to be doubted.
    fn heard(&self, answer: Answer, now: Timestamp) -> Option<Admission> {
        match answer {
            Answer::Found(admission) => Some(admission),
            Answer::Absent { admission, until } => {
                self.doubted.since_lost(until);
                Some(admission)
            }
            Answer::Failed(failure) => {
                self.doubted.since_failed(now.plus(WINDOW), &failure);
                None
            }
        }
    }
}

#[async_trait]
impl<S: SharedLimiter, L: StandIn> RateLimiter for FallbackLimiter<S, L> {
    async fn admit(
        &self,
        key: RateKey,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        if self.doubted.is_at(now) {
            self.admit_in_doubt(key, rate, now).await
        } else {
            self.admit_in_trust(key, rate, now).await
        }
    }
}

/// What two limiters say together: the stricter one's numbers.
fn both(one: Admission, other: Admission) -> Admission {
    let strict = if one.remaining <= other.remaining { one } else { other };
    Admission {
        admitted: one.admitted && other.admitted,
        limit: strict.limit,
        remaining: strict.remaining,
        resets_at: one.resets_at.max(other.resets_at),
    }
}

/// Until when the shared counts do not decide alone. It takes a clock that does not run backwards,
/// as the one of the process does not.
#[derive(Debug, Default)]
struct Doubt {
    until_micros: AtomicI64,
    /// Whether the log says so.
    told: AtomicBool,
}

impl Doubt {
    fn is_at(&self, now: Timestamp) -> bool {
        now.unix_micros() < self.until_micros.load(Ordering::Acquire)
    }

    fn since_failed(&self, until: Timestamp, failure: &Failure) {
        if self.begins(until) {
            let error: &dyn std::error::Error = failure;
            tracing::warn!(error, "redis is away: each replica limits rates by its share");
        }
    }

    fn since_lost(&self, until: Timestamp) {
        if self.begins(until) {
            tracing::warn!(
                "redis is new or was emptied: each replica limits rates by its share too"
            );
        }
    }

    fn begins(&self, until: Timestamp) -> bool {
        self.until_micros.fetch_max(until.unix_micros(), Ordering::AcqRel);
        !self.told.swap(true, Ordering::Relaxed)
    }

    fn not_any_more(&self) {
        // Read first: every request comes by here, and nearly none has anything to write.
        if self.told.load(Ordering::Relaxed) && self.told.swap(false, Ordering::Relaxed) {
            tracing::warn!("redis limits rates again, for all replicas together");
        }
    }
}

#[cfg(test)]
mod tests;
