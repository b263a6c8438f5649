//! What clients authenticate by: secrets, kept as keyed hashes, and public keys of their own.
//!
//! # What it is for
//! An agent authenticates with a secret that the server made. It is shown once, in the answer that
//! made it; what is kept is a keyed hash, so that a stolen database lets nobody in. Or it registers a
//! public key, a certificate or a certificate's name, and the private half never leaves it.
//!
//! # Invariants
//! - A secret holds 256 random bits, so a fast keyed hash is enough: guessing is hopeless, and a
//!   slow hash would only spend the server's time at an attacker's wish.
//! - Text that merely looks like a secret is told by its checksum, before any store is asked.
//! - Hashes are compared in constant time.
//! - A credential changes only through a [`CredentialChange`] or [`CredentialRotation`], which only
//!   [`Credential`] makes; a key only through a [`ClientKeyChange`].
//! - An agent has secrets that work or keys of one method, never both: [`Ways`] decides.
//! - A credential is rotated at most once, and an end that is set never moves further away.
//!
//! # Order to read it in
//! [`secret`], [`hash`], [`credential`], [`material`], [`client_key`], [`ways`], [`means`], [`assertion`], [`distinguished_name`], [`certificate`], [`examination`], [`change`],
//! [`port`].
#![warn(missing_docs)]

pub mod assertion;
pub mod certificate;
pub mod change;
pub mod client_key;
pub mod credential;
pub mod distinguished_name;
pub mod examination;
pub mod hash;
pub mod material;
pub mod means;
pub mod port;
pub mod secret;
pub mod ways;

pub use assertion::{InvalidAssertion, PresentedAssertion, VerifiedAssertion};
pub use certificate::{Certificate, InvalidSubject};
pub use change::{ClientKeyChange, CredentialChange, CredentialRotation};
pub use client_key::{ClientKey, ClientKeyRecord, ClientKeyState, NewClientKey};
pub use credential::{
    Credential, CredentialName, CredentialRecord, CredentialState, CredentialStatus, LiveCount,
    NewCredential, Overlap,
};
pub use distinguished_name::{DistinguishedName, InvalidName};
pub use examination::{Examination, ShownCertificate};
pub use hash::{Pepper, PepperVersion, Peppers, SecretHash};
pub use material::{
    AuthenticationMethod, CertificateSubject, CertificateThumbprint, ClientKeyId, KeyMaterial,
    SubjectKind,
};
pub use means::Means;
pub use port::{ClientKeys, Credentials};
pub use secret::{ClientSecret, PresentedSecret};
pub use ways::{AddKeyError, KeyAddition, OtherMethod, Ways};
