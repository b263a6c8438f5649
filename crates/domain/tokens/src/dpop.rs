//! Proofs that whoever shows or asks for a token holds a key (DPoP, RFC 9449).
//!
//! A proof is a JWT that its own key signed, for one request. It is good for a minute, with a nonce
//! of this server alone, and once. [`Proof::verify`] reads and checks all of it that needs no
//! memory; [`Nonces`] make and read nonces, which need none either; and [`ProofUses`] remember what
//! was used.
//!
//! # Why a proof passes only once
//! Whatever remembers proofs may lose its memory. So each memory has an epoch, which it loses with
//! it, and each nonce carries the epoch of the memory that it was made for. A proof carries one
//! nonce, hence one epoch, hence there is one memory that takes it, in the one life that it has: none
//! that has forgotten it, and no second one beside it.

mod nonce;
mod proof;
mod target;
mod uses;

use jose::Algorithm;

pub use nonce::{Epoch, Nonces};
pub use proof::{InvalidProof, Proof, Shown};
pub use uses::{ProofUse, ProofUses};

/// What proofs may be signed with, as the metadata advertises it. RS256 is left to keys that are
/// registered: no client has to make a new key for the padding of yesterday.
pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256];
