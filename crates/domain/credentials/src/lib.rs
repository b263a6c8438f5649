//! Client secrets: made once, kept as keyed hashes, rotated and revoked.
//!
//! # What it is for
//! An agent authenticates with a secret that the server made. It is shown once, in the answer that
//! made it; what is kept is a keyed hash, so that a stolen database lets nobody in.
//!
//! # Invariants
//! - A secret holds 256 random bits, so a fast keyed hash is enough: guessing is hopeless, and a
//!   slow hash would only spend the server's time at an attacker's wish.
//! - Text that merely looks like a secret is told by its checksum, before any store is asked.
//! - Hashes are compared in constant time.
//! - A credential changes only through a [`CredentialChange`] or [`CredentialRotation`], which only
//!   [`Credential`] makes.
//! - A credential is rotated at most once, and an end that is set never moves further away.
//!
//! # Order to read it in
//! [`secret`], [`hash`], [`credential`], [`change`], [`port`].
#![warn(missing_docs)]

pub mod change;
pub mod credential;
pub mod hash;
pub mod port;
pub mod secret;

pub use change::{CredentialChange, CredentialRotation};
pub use credential::{
    Credential, CredentialName, CredentialRecord, CredentialState, CredentialStatus, LiveCount,
    NewCredential, Overlap,
};
pub use hash::{Pepper, PepperVersion, Peppers, SecretHash};
pub use port::Credentials;
pub use secret::{ClientSecret, PresentedSecret};
