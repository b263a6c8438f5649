//! Registering the keys of clients, listing and removing them.

mod add;
mod list;
mod remove;

pub use add::{AddError, KeyRequest};
pub use remove::RemoveError;

use ::credentials::{ClientKey, CredentialStatus};
use kernel::Timestamp;

/// A key as people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDetails {
    /// The key.
    pub key: ClientKey,
    /// How it stands.
    pub status: CredentialStatus,
    /// When it was removed, by itself or with its agent.
    pub removed_at: Option<Timestamp>,
    /// When it last obtained a token.
    pub last_used_at: Option<Timestamp>,
}
