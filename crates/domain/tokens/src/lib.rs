//! Access tokens, the keys that sign them, and how they end.
//!
//! # What it is for
//! A token is a JWT (RFC 9068) that has no row of its own: it costs one signature. One function
//! issues tokens for every grant ([`issue`](issue::issue)), one reads them back
//! ([`verify`](jws::verify), and through a memory of it [`VerifiedTokens`]), and one judges whether
//! they are still good ([`judge`](judge::judge)), so that no path can forget a check that another has.
//!
//! # Invariants
//! - A token never permits more than its agent may ask for, neither when it is issued nor later.
//! - The algorithm is the key's, never the token's: a header only has to agree.
//! - A token is dead once its organization, agent or credential is not good, once it was made at or
//!   before a watermark of one of them, once it is revoked, and from the second it expires.
//! - A signing key is published before it signs, and verifies for as long as a token of it lives.
//!
//! # Order to read it in
//! [`issuer`], [`policy`], [`confirmation`], [`dpop`], [`claims`], [`jws`], [`issue`], [`introspection`], [`judge`], [`key`], [`damaged`], [`rotation`], [`revocation`], [`port`], [`verified`].
#![warn(missing_docs)]

pub mod claims;
pub mod confirmation;
pub mod damaged;
pub mod dpop;
pub mod introspection;
pub mod issue;
pub mod issuer;
pub mod judge;
pub mod jws;
pub mod key;
pub mod policy;
pub mod port;
pub mod revocation;
pub mod rotation;
pub mod verified;

#[cfg(test)]
mod sample;

pub use claims::Claims;
pub use confirmation::{Confirmation, Held, Scheme};
pub use damaged::{DamagedKey, DamagedKeyEnded};
pub use dpop::{InvalidProof, Nonces, ProofUses};
pub use introspection::IntrospectionAnswer;
pub use issue::{Client, Refusal, TokenRequest, UnsignedToken};
pub use issuer::{InvalidIssuer, Issuer};
pub use jose::{Algorithm, Jwk, KeyId};
pub use judge::{Dead, Facts};
pub use jws::{InvalidToken, VerifiedToken};
pub use key::{KeyState, SealedPrivateKey, SigningKey, SigningKeyChange, SigningKeyRecord};
pub use policy::{InvalidResource, Lifetime, Resource, TokenPolicy};
pub use port::{KeptKeys, KeyFactory, Revocations, Signer, SigningKeys};
pub use revocation::TokenRevoked;
pub use rotation::RotationPolicy;
pub use verified::VerifiedTokens;
