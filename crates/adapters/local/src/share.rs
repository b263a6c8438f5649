//! One replica's part of a limit, where nothing is shared to count in.

use std::num::NonZeroU32;

use async_trait::async_trait;
use kernel::{StoreError, Timestamp};
use tenancy::{Admission, Rate, RateKey, RateLimiter};

/// A limiter that holds every request against its part of the limit, so that all replicas together
/// admit no more than the whole.
#[derive(Debug)]
pub struct Share<L> {
    limiter: L,
    replicas: NonZeroU32,
}

impl<L> Share<L> {
    /// The part of one of so many replicas.
    #[must_use]
    pub const fn new(limiter: L, replicas: NonZeroU32) -> Self {
        Self { limiter, replicas }
    }
}

#[async_trait]
impl<L: RateLimiter> RateLimiter for Share<L> {
    async fn admit(
        &self,
        key: RateKey,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        let per_minute = rate.per_minute.div_ceil(u64::from(self.replicas.get()));
        self.limiter.admit(key, Rate { per_minute }, now).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LocalRateLimiter;

    #[tokio::test]
    async fn rl_07_replicas_that_count_alone_admit_their_part_and_at_least_one() {
        for (per_minute, replicas, part) in [(10, 1, 10), (10, 3, 4), (1, 3, 1)] {
            let share = Share::new(LocalRateLimiter::new(), NonZeroU32::new(replicas).unwrap());
            let now = Timestamp::from_unix_micros(1_000_000_000_000_000).unwrap();
            let key = RateKey::Visitor("192.0.2.1".parse().unwrap());
            let mut admitted = 0;
            for _ in 0..20 {
                let admission = share.admit(key, Rate { per_minute }, now).await.unwrap();
                admitted += u64::from(admission.admitted);
            }
            assert_eq!(admitted, part, "{per_minute} over {replicas}");
        }
    }
}
