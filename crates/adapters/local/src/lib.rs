//! In-process stand-ins: clock, randomness, sealing, signing, rate limits, used proofs and hints.
//!
//! # What it is for
//! One process that needs no other: the machine's clock and randomness, signing keys that are
//! sealed at rest and parsed once, a rate limiter that counts in memory, and hints of changes to
//! those who listen in the process.
//!
//! # Invariants
//! - Nothing else in the workspace reads the machine's clock or its source of randomness.
//! - Time never runs backwards within a process.
//! - A private key leaves this crate sealed only, and opens for its own key id only.
//! - The memories of the limiter and of used proofs are bounded, whoever asks.
#![warn(missing_docs)]

mod bench;
pub mod checkpoint_signer;
pub mod clock;
pub mod entropy;
pub mod hints;
pub mod key_factory;
mod key_pair;
pub mod key_ring;
pub mod proof_uses;
pub mod rate_limiter;
pub mod seal;
pub mod share;
pub mod verifier;

pub use checkpoint_signer::{CheckpointKeyError, LocalCheckpointKeyFactory, LocalCheckpointSigner};
pub use clock::SystemClock;
pub use entropy::SystemEntropy;
pub use hints::LocalHints;
pub use key_factory::LocalKeyFactory;
pub use key_ring::{KeyRing, NoneSigns, OpenError};
pub use proof_uses::LocalProofUses;
pub use rate_limiter::LocalRateLimiter;
pub use seal::{Purpose, SealError, Sealer};
pub use share::Share;
pub use verifier::LocalVerifier;

#[cfg(test)]
mod sample;
