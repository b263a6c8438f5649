//! How often somebody may ask: the port of the rate limiter.

use std::net::IpAddr;

use async_trait::async_trait;
use kernel::{AgentId, OrganizationId, StoreError, Timestamp};

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateKey {
    /// A client that has authenticated. The organization is part of the key, so that equal ids in
    /// two organizations never share a bucket.
    Client(OrganizationId, AgentId),
    /// Callers from one address that failed to.
    Address(IpAddr),
    /// Callers from one address that need not: who fails to authenticate must not keep its
    /// neighbours from the keys that they verify tokens with.
    Visitor(IpAddr),
}

/// How many requests a minute are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests within any sixty seconds.
    pub per_minute: u64,
}

/// What the limiter says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// Whether the request may go on.
    pub admitted: bool,
    /// The limit that it was held against.
    pub limit: u64,
    /// How many more would be admitted now.
    pub remaining: u64,
    /// When all of the limit is free again, if nothing more is asked.
    pub resets_at: Timestamp,
}

/// Counts requests in a sliding window of a minute.
#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Counts one request and says whether it may go on. A refused one is not counted, so that a
    /// client that keeps asking is let in again as soon as its window has room.
    ///
    /// # Errors
    /// When the counter is out of reach: never to be taken for an admission.
    async fn admit(
        &self,
        key: RateKey,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Admission, StoreError>;
}

/// A limiter that can also be told of requests that another one let in, so that it can take that
/// one's place at any moment.
pub trait StandIn: RateLimiter {
    /// Counts one request that was admitted elsewhere, whatever this one would have said to it.
    /// It must not wait for anything.
    fn count(&self, key: RateKey, rate: Rate, now: Timestamp);
}
