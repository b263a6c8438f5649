//! The contract of the rate limiter, for the one in this process.

use contracts::LimiterHarness;
use local::LocalRateLimiter;
use tenancy::RateLimiter;

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
