//! Checkpoints, as C2SP tlog-checkpoint has them: the size of a log and the root over it, signed.

use std::{fmt, str::FromStr};

use kernel::OrganizationId;
use thiserror::Error;

use crate::{
    merkle::Hash,
    note::{self, KeyName, NoteError, VerifierKey},
};

/// What stands between the issuer and the organization's id in an origin.
const LOGS: &str = "/audit/";

/// Why a checkpoint was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The note is.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text is not of the form of a checkpoint.
    #[error("is a signed note, but not of a checkpoint")]
    Form,
    /// It is another log's.
    #[error("is of another log than the key")]
    Origin,
}

/// The name of a log: the first line of its checkpoints, and the name of its key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogOrigin {
    name: KeyName,
    organization: OrganizationId,
}

/// Text that is no origin of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an issuer without its scheme, `/audit/`, and an organization's id")]
pub struct InvalidOrigin;

impl LogOrigin {
    /// The origin of an organization's log on a server that is known as this: an issuer without its
    /// scheme.
    ///
    /// # Errors
    /// [`InvalidOrigin`] where the issuer has a space or a `+` in it.
    pub fn new(issuer: &str, organization: OrganizationId) -> Result<Self, InvalidOrigin> {
        let issuer = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        let issuer = issuer.trim_end_matches('/');
        let name = format!("{issuer}{LOGS}{organization}").parse().map_err(|_| InvalidOrigin)?;
        Ok(Self { name, organization })
    }

    /// As a key's name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Whose log it is.
    #[must_use]
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }
}

impl FromStr for LogOrigin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (_, organization) = text.rsplit_once(LOGS).ok_or(InvalidOrigin)?;
        let organization = organization.parse().map_err(|_| InvalidOrigin)?;
        Ok(Self { name: text.parse().map_err(|_| InvalidOrigin)?, organization })
    }
}

impl fmt::Display for LogOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// How far a log had come, and what it held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: LogOrigin,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// What is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`CheckpointError::Form`]
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        let parsed = (|| {
            let origin = lines.next()?.parse().ok()?;
            let size = lines.next().filter(|size| is_plain(size))?.parse().ok()?;
            let root = lines.next()?.parse().ok()?;
            // Lines that nobody audits could say one thing to one and another to another.
            lines.next().is_none().then_some(Self { origin, size, root })
        })();
        parsed.ok_or(CheckpointError::Form)
    }

    /// Verifies a signed checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`]
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(key.open(note)?)?;
        if checkpoint.origin.name() == key.name() {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::Origin)
        }
    }

    /// Reads a note without verifying it: to know which log it claims to be of.
    ///
    /// # Errors
    /// [`CheckpointError`]
    pub fn claimed(note: &str) -> Result<Self, CheckpointError> {
        let (text, _) = note::split(note)?;
        Self::parse(text)
    }
}

/// A decimal number without leading zeroes.
fn is_plain(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit()) && (number == "0" || !number.starts_with('0'))
}

/// A checkpoint with the note that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
}

/// The most bytes of others' signature lines that a note takes in: room for sixteen and more.
const MAX_COSIGNATURES: usize = 4_096;

impl SignedCheckpoint {
    /// The same with the signature lines of a witness (C2SP tlog-cosignature), which are not verified.
    /// `None` where none of them can be taken in.
    ///
    /// A line under the log's own name is left out: one that does not verify would spoil the note.
    #[must_use]
    pub fn cosigned(&self, lines: &str) -> Option<Self> {
        if !note::are_signature_lines(lines) {
            return None;
        }
        let own = self.checkpoint.origin.name();
        let is_new = |line: &&str| {
            note::name_of(line).is_some_and(|name| name != own.as_str())
                && !self.note.contains(*line)
        };
        let added: String = lines.split_inclusive('\n').filter(is_new).collect();
        let fits = !added.is_empty() && added.len() <= MAX_COSIGNATURES;
        fits.then(|| Self { note: format!("{}{added}", self.note), ..self.clone() })
    }
}

/// The signature could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the checkpoint could not be signed")]
pub struct SigningFailed;

/// Signs checkpoints, with a key that signs nothing else.
pub trait CheckpointSigner: Send + Sync {
    /// The public half.
    fn public_key(&self) -> [u8; 32];

    /// The Ed25519 signature over these bytes (RFC 8032).
    ///
    /// # Errors
    /// [`SigningFailed`]
    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed>;
}

/// Signs a checkpoint.
///
/// # Errors
/// [`SigningFailed`]
pub fn sign(
    checkpoint: Checkpoint,
    signer: &dyn CheckpointSigner,
) -> Result<SignedCheckpoint, SigningFailed> {
    let text = checkpoint.text();
    let signature = signer.sign(text.as_bytes())?;
    let key = VerifierKey::new(checkpoint.origin.name().clone(), signer.public_key());
    Ok(SignedCheckpoint { note: key.note(&text, &signature), checkpoint })
}

#[cfg(test)]
mod tests;
