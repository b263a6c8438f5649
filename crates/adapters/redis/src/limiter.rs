//! Rate limits that replicas share: a window of a minute that slides, one journey a request.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use deadpool_redis::redis::Script;
use kernel::{StoreError, Timestamp};
use tenancy::{Admission, Rate, RateKey, RateLimiter};

use crate::{
    answer::{Answer, SharedLimiter},
    failure::Failure,
    link::Link,
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
    script: Arc<Script>,
}

impl fmt::Debug for RedisRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimiter").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl RedisRateLimiter {
    pub(crate) fn new(link: Arc<Link>, prefix: Prefix) -> Self {
        Self { link, prefix, script: Arc::new(Script::new(include_str!("window.lua"))) }
    }

    async fn reply(&self, key: RateKey, rate: Rate, now: Timestamp) -> Result<Reply, Failure> {
        let script = Arc::clone(&self.script);
        let keys = (self.prefix.rate(key), self.prefix.epoch());
        let asked = self.link.call(move |connection| {
            Box::pin(async move {
                let mut invocation = script.prepare_invoke();
                invocation.key(keys.0).key(keys.1);
                invocation.arg(now.unix_micros()).arg(rate.per_minute.min(EXACT));
                // By its hash; its text follows only to a server that does not know it.
                invocation.invoke_async(connection).await
            })
        });
        Reply::read(&asked.await?, rate)
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
