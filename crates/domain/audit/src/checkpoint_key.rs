//! The key that signs checkpoints, as it is kept.

use std::{fmt, future::Future};

use data_encoding::HEXLOWER;
use kernel::{EntropyUnavailable, StoreError, Timestamp};

use crate::{
    event::{Action, Event, Resource, ResourceKind},
    journal::Audited,
    merkle::Hash,
};

/// A private key, sealed. Its `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedCheckpointKey(Vec<u8>);

impl SealedCheckpointKey {
    /// Takes what a sealer made.
    #[must_use]
    pub const fn new(sealed: Vec<u8>) -> Self {
        Self(sealed)
    }

    /// The sealed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedCheckpointKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedCheckpointKey(REDACTED)")
    }
}

/// A key that signs checkpoints and nothing else. There is one for all logs of an installation; the
/// oldest, should there ever be more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointKey {
    /// Its id: the hash of its public half, in hexadecimal digits.
    pub id: String,
    /// The public half (RFC 8032).
    pub public: [u8; 32],
    /// The private half.
    pub private: SealedCheckpointKey,
    /// When it was made.
    pub created_at: Timestamp,
}

impl CheckpointKey {
    /// The id of a key with this public half.
    #[must_use]
    pub fn id_of(public: &[u8; 32]) -> String {
        HEXLOWER.encode(Hash::of(public).as_bytes())
    }
}

/// A key was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointKeyCreated(CheckpointKey);

impl CheckpointKeyCreated {
    /// A new key.
    #[must_use]
    pub fn new(public: [u8; 32], private: SealedCheckpointKey, created_at: Timestamp) -> Self {
        Self(CheckpointKey { id: CheckpointKey::id_of(&public), public, private, created_at })
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &CheckpointKey {
        &self.0
    }
}

impl Audited for CheckpointKeyCreated {
    type After = CheckpointKey;

    fn event(&self) -> Event {
        let resource = Resource { kind: ResourceKind::CheckpointKey, id: self.0.id.clone() };
        Event::success(Action::CheckpointKeyCreated).on(resource)
    }

    fn into_after(self) -> CheckpointKey {
        self.0
    }
}

/// Makes keys; their private half is sealed before anybody sees it.
pub trait CheckpointKeyFactory: Send + Sync {
    /// A new key: its public half (RFC 8032), and its private one.
    ///
    /// # Errors
    /// Where there is no randomness.
    fn generate(&self) -> Result<([u8; 32], SealedCheckpointKey), EntropyUnavailable>;
}

/// The keys that sign checkpoints. They belong to the installation.
pub trait CheckpointKeys: Send {
    /// All of them, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn checkpoint_keys(
        &mut self,
    ) -> impl Future<Output = Result<Vec<CheckpointKey>, StoreError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::at;

    #[test]
    fn the_id_of_a_key_is_the_hash_of_its_public_half() {
        let created = CheckpointKeyCreated::new([7; 32], SealedCheckpointKey::new(vec![1]), at(0));
        let id = "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0";
        assert_eq!((created.key().id.as_str(), created.key().created_at), (id, at(0)));
        let event = created.event();
        let resource = Resource { kind: ResourceKind::CheckpointKey, id: id.to_owned() };
        assert_eq!(
            (event.action(), event.resource()),
            (Action::CheckpointKeyCreated, Some(&resource))
        );
        assert!(event.metadata().is_empty());
        assert_eq!(created.clone().into_after(), *created.key());
    }

    #[test]
    fn sl_05_a_sealed_key_shows_nothing_of_itself() {
        let private = SealedCheckpointKey::new(b"canary".to_vec());
        assert_eq!(private.as_bytes(), b"canary");
        let shown = format!("{:?}", CheckpointKeyCreated::new([7; 32], private, at(0)));
        assert!(shown.contains("REDACTED") && !shown.contains("99, 97, 110"), "{shown}");
    }
}
