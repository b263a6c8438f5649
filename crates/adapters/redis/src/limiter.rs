//! Rate limits that replicas share: a window of a minute that slides, one journey a request.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use kernel::{StoreError, Timestamp};
use tenancy::{Admission, Rate, RateKey, RateLimiter};

use crate::{
    answer::{Answer, SharedLimiter},
    failure::Failure,
    link::{Link, Script},
    prefix::Prefix,
    reply::Reply,
};

/// The largest number up to which Lua knows every whole one.
const EXACT: u64 = 1 << 53;

/// Counts in Redis, as `window.lua` beside this file says: no more than a twentieth above the
/// limit in any minute, and exactly the limit below forty.
///
/// The time is the caller's. Where the clocks of replicas differ, the one that is ahead decides, so
/// a minute is shorter by as much as they differ.
pub struct RedisRateLimiter {
    link: Arc<Link>,
    prefix: Prefix,
    script: Script,
}

impl fmt::Debug for RedisRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimiter").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl RedisRateLimiter {
    pub(crate) fn new(link: Arc<Link>, prefix: Prefix) -> Self {
        Self { link, prefix, script: Script::new(include_str!("window.lua")) }
    }

    async fn reply(&self, key: RateKey, rate: Rate, now: Timestamp) -> Result<Reply, Failure> {
        let (counted, epoch) = (self.prefix.rate(key), self.prefix.epoch());
        let (present, most) =
            (now.unix_micros().to_string(), rate.per_minute.min(EXACT).to_string());
        let told = self.link.run(&self.script, [&counted, &epoch], &[&present, &most]).await?;
        Reply::read(&told, rate)
    }
}

#[async_trait]
impl SharedLimiter for RedisRateLimiter {
    async fn ask(&self, key: RateKey, rate: Rate, now: Timestamp) -> Answer {
        match self.reply(key, rate, now).await {
            Ok(reply) => reply.at(now),
            Err(failure) => Answer::Failed(failure),
        }
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    /// What Redis says, even if it has just lost its counts.
    async fn admit(
        &self,
        key: RateKey,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        match self.ask(key, rate, now).await {
            Answer::Found(admission) | Answer::Absent { admission, .. } => Ok(admission),
            Answer::Failed(failure) => Err(failure.into()),
        }
    }
}
