//! Signed notes, as C2SP signed-note has them, with Ed25519 keys alone.

use std::{fmt, str::FromStr};

use data_encoding::{BASE64, HEXLOWER};
use ring::signature::{ED25519, UnparsedPublicKey};
use thiserror::Error;

use crate::merkle::Hash;

/// The type of an Ed25519 signature in a key id (C2SP signed-note, "Signature types").
const ED25519_TYPE: u8 = 1;

const PUBLIC_KEY_LENGTH: usize = 32;
const KEY_ID_LENGTH: usize = 4;

/// What a signature line begins with.
const MARK: &str = "\u{2014} ";

/// Longer notes are refused unread.
pub(crate) const MAX_LENGTH: usize = 65_536;

/// Why a note was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It is not of the form of a signed note.
    #[error("is not a signed note")]
    Form,
    /// No line bears the name and id of the key.
    #[error("is not signed by the key `{0}`")]
    Unsigned(KeyId),
    /// A line bears the name and id of the key, and its signature is not the key's.
    #[error("has a signature of the key `{0}` that does not verify")]
    Forged(KeyId),
}

/// Names a key among those of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId([u8; KEY_ID_LENGTH]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// Text that is no verifier key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a verifier key: a name, `+`, 8 hexadecimal digits, `+`, and a key in Base64")]
pub struct InvalidVerifierKey;

/// A name that a key can have: not empty, no space, no control character, no `+`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(String);

impl KeyName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = InvalidVerifierKey;

    fn from_str(text: &str) -> Result<Self, InvalidVerifierKey> {
        let is_bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.contains(is_bad) {
            return Err(InvalidVerifierKey);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A public key under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    public: [u8; PUBLIC_KEY_LENGTH],
}

impl VerifierKey {
    /// An Ed25519 key under this name.
    #[must_use]
    pub const fn new(name: KeyName, public: [u8; PUBLIC_KEY_LENGTH]) -> Self {
        Self { name, public }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its id (C2SP signed-note, "Ed25519 signatures").
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash = Hash::of(&[self.name.0.as_bytes(), b"\n", &self.encoded()].concat());
        let [a, b, c, d, ..] = *hash.as_bytes();
        KeyId([a, b, c, d])
    }

    fn encoded(&self) -> [u8; PUBLIC_KEY_LENGTH + 1] {
        let mut bytes = [ED25519_TYPE; PUBLIC_KEY_LENGTH + 1];
        bytes.iter_mut().skip(1).zip(self.public).for_each(|(to, from)| *to = from);
        bytes
    }

    /// The note of this text, signed with this key by the signature over the text.
    #[must_use]
    pub fn note(&self, text: &str, signature: &[u8]) -> String {
        let signed = BASE64.encode(&[&self.id().0, signature].concat());
        format!("{text}\n{MARK}{} {signed}\n", self.name)
    }

    /// Verifies a note and gives back its text, newline at the end included. Lines of other keys are
    /// ignored.
    ///
    /// # Errors
    /// [`NoteError`]
    pub fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        let (text, lines) = split(note)?;
        let (mut signed, id) = (false, self.id());
        for line in lines {
            let (name, key, signature) = signature_of(line)?;
            if name != self.name.0 || key != id {
                continue;
            }
            let public = UnparsedPublicKey::new(&ED25519, self.public);
            public.verify(text.as_bytes(), &signature).map_err(|_| NoteError::Forged(id))?;
            signed = true;
        }
        if signed { Ok(text) } else { Err(NoteError::Unsigned(id)) }
    }
}

/// The text of a note and its signature lines, none of which is verified.
///
/// # Errors
/// [`NoteError::Form`]
pub(crate) fn split(note: &str) -> Result<(&str, impl Iterator<Item = &str>), NoteError> {
    let is_bad = |c: char| c != '\n' && u32::from(c) < 0x20;
    if note.len() > MAX_LENGTH || note.contains(is_bad) {
        return Err(NoteError::Form);
    }
    let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Form)?;
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
    let text = note.get(..text.len().saturating_add(1)).ok_or(NoteError::Form)?;
    Ok((text, lines.split('\n')))
}

fn signature_of(line: &str) -> Result<(&str, KeyId, Vec<u8>), NoteError> {
    let (name, signature) =
        line.strip_prefix(MARK).and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Form)?;
    name.parse::<KeyName>().map_err(|_| NoteError::Form)?;
    let bytes = BASE64.decode(signature.as_bytes()).map_err(|_| NoteError::Form)?;
    let (id, signature) = bytes.split_first_chunk().ok_or(NoteError::Form)?;
    if signature.is_empty() {
        return Err(NoteError::Form);
    }
    Ok((name, KeyId(*id), signature.to_vec()))
}

/// Whether this is one signature line or more, each ended by a newline. None is verified.
#[must_use]
pub fn are_signature_lines(text: &str) -> bool {
    text.strip_suffix('\n')
        .is_some_and(|lines| lines.split('\n').all(|line| signature_of(line).is_ok()))
}

/// The name that stands in a signature line.
pub(crate) fn name_of(line: &str) -> Option<&str> {
    signature_of(line.trim_end_matches('\n')).ok().map(|(name, _, _)| name)
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, self.id(), BASE64.encode(&self.encoded()))
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidVerifierKey;

    fn from_str(text: &str) -> Result<Self, InvalidVerifierKey> {
        let (name, rest) = text.split_once('+').ok_or(InvalidVerifierKey)?;
        let (id, key) = rest.split_once('+').ok_or(InvalidVerifierKey)?;
        let key = BASE64.decode(key.as_bytes()).map_err(|_| InvalidVerifierKey)?;
        let (&[ED25519_TYPE], public) = key.split_first_chunk().ok_or(InvalidVerifierKey)? else {
            return Err(InvalidVerifierKey);
        };
        let public = public.try_into().map_err(|_| InvalidVerifierKey)?;
        let key = Self { name: name.parse()?, public };
        if key.id().to_string() == id { Ok(key) } else { Err(InvalidVerifierKey) }
    }
}

#[cfg(test)]
mod tests;
