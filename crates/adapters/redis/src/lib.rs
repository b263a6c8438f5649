//! Rate limits, proofs that were used, and hints that replicas share by Redis, and what happens while it
//! is away.
//!
//! # What it is for
//! Replicas that share a Redis count requests together, let each proof pass once, and tell each other that something changed
//! sooner than by their regular looks. Nothing here is a record: to lose all of it costs speed.
//!
//! # Invariants
//! - Three answers: found, absent, failed. What failed is never taken for absent, and what is
//!   absent never lifts a limit.
//! - What Redis may have forgotten is of another epoch, and is not taken for unused.
//! - No call waits for longer than it is told to, and while Redis is away nearly none waits at all.
//! - No error, log line or `Debug` holds a part of the URL.
//!
//! # Order to read it in
//! [`cache`], [`answer`], [`fallback`], [`limiter`], [`proof_uses`], [`proof_fallback`], [`hints`]; then `link`, [`courier`] and `breaker`.
#![warn(missing_docs)]

pub mod answer;
mod breaker;
pub mod cache;
pub mod connect_error;
pub mod courier;
pub mod eviction;
pub mod failure;
pub mod fallback;
pub mod hints;
pub mod limiter;
mod link;
pub mod prefix;
pub mod proof_fallback;
pub mod proof_uses;
mod reply;

pub use answer::{Answer, SharedLimiter};
pub use cache::{Options, RedisCache};
pub use connect_error::ConnectError;
pub use courier::Courier;
pub use eviction::Eviction;
pub use failure::Failure;
pub use fallback::FallbackLimiter;
pub use hints::RedisHints;
pub use limiter::RedisRateLimiter;
pub use prefix::{InvalidPrefix, Prefix};
pub use proof_fallback::FallbackProofUses;
pub use proof_uses::RedisProofUses;
