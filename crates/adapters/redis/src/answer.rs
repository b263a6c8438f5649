//! The three answers of a limiter that several replicas share.

use async_trait::async_trait;
use kernel::Timestamp;
use tenancy::{Admission, Rate, RateKey};

use crate::failure::Failure;

/// What the shared counts say to one request.
#[derive(Debug)]
pub enum Answer {
    /// The counts of the last minute are there, and this is what they say.
    Found(Admission),
    /// The counts of the last minute are not all there, since Redis is new or was emptied. This is
    /// what those that are there say: it must not be all that is asked.
    Absent {
        /// What they say.
        admission: Admission,
        /// When a minute's counts will be there.
        until: Timestamp,
    },
    /// There is no answer. The request may have been counted.
    Failed(Failure),
}

/// Counts requests where all replicas do, and knows when it may have lost count.
#[async_trait]
pub trait SharedLimiter: Send + Sync {
    /// Counts one request if it may go on, and says whether.
    async fn ask(&self, key: RateKey, rate: Rate, now: Timestamp) -> Answer;
}
