//! Public keys and signed objects, as JSON Object Signing and Encryption has them.
//!
//! # What it is for
//! Credentials and tokens both read what others signed, and neither knows the other. Here is what
//! they have in common: the algorithms that are allowed, a public key and its thumbprint, and the
//! compact form of a signed object, read so narrowly that two readers cannot disagree on it.
//!
//! # Invariants
//! - A key has one algorithm, and a signature is checked by it; a header only has to agree
//!   (RFC 8725 section 3.1). There is neither `none` nor a symmetric algorithm to agree to.
//! - A [`Jwk`] has no private half by its type, and is no weaker than the rules of this crate.
//! - Nothing that a header points to (`jku`, `x5u`) is ever followed.
//! - JSON in which a name stands twice is refused, at any depth.
//!
//! # Order to read it in
//! [`algorithm`], [`jwk`], [`key_id`], [`json`], [`compact`], [`port`], [`single_use`], [`certificate`].
#![warn(missing_docs)]

pub mod algorithm;
pub mod certificate;
pub mod compact;
pub mod json;
pub mod jwk;
pub mod key_id;
pub mod port;
pub mod single_use;

pub use algorithm::Algorithm;
pub use certificate::CertificateThumbprint;
pub use compact::{Compact, Header, Malformed};
pub use jwk::{InvalidJwk, Jwk, Padding};
pub use key_id::KeyId;
pub use port::SignatureVerifier;
pub use single_use::{SingleUse, SingleUses};
