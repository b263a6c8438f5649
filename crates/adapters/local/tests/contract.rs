//! The contracts of the rate limiter and of the hints, for those in this process.

use audit::ChangeHints;
use contracts::{HintsHarness, LimiterHarness};
use local::{LocalHints, LocalRateLimiter};
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
