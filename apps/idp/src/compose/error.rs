//! Why the parts do not come together, and what to do about it.

use std::{io, path::PathBuf};

use kernel::StoreError;
use local::{CheckpointKeyError, NoneSigns, SealError, key_ring::Unusable};
use outlets::{InvalidWitness, OutletError};
use sqlite_store::OpenError;
use usecases::{
    bootstrap::FoundError, log::AcknowledgeError, pepper::PepperError, signing_key::SigningKeyError,
};

use tokens::DamagedKey;

use crate::storage::StorageError;

/// Why the parts do not come together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The data folder cannot be used, or a key in it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The file of the embedded store cannot be opened.
    #[error("the database `{}` cannot be used; {}", .database.display(), advice(.source))]
    Open {
        /// Its file.
        database: PathBuf,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The database server cannot be used.
    #[error(transparent)]
    Server(#[from] postgres_store::OpenError),
    /// The database server cannot be brought up to date.
    #[error(transparent)]
    Migrate(#[from] postgres_store::MigrateError),
    /// Redis cannot be used.
    #[error("REDIS_URL names one that cannot be used")]
    Redis(#[from] redis_cache::ConnectError),
    /// Redis would throw counts away when its memory is full.
    #[error(
        "redis is set to `maxmemory-policy {0}`, which would forget limits when its memory is \
         full; set it to `noeviction`"
    )]
    Eviction(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no organization, and a replica founds none by itself.
    #[error("there is no organization yet; run `idp bootstrap --organization NAME` once")]
    NotFounded,
    /// A first organization cannot be founded.
    #[error(transparent)]
    Found(#[from] FoundError),
    /// The admin's credential is founded, and `admin.json` cannot be given its name.
    #[error("`admin.json.pending` in the data folder cannot be renamed to `admin.json`")]
    AdminFile(#[source] io::Error),
    /// The secrets were hashed with another pepper.
    #[error(
        "IDP_PEPPER, or `pepper.key` in the data folder, is not the pepper that the secrets in the \
         database were hashed with; give this server the same as all others"
    )]
    Pepper(#[source] PepperError),
    /// The signing keys are not as they were wanted.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The signing keys cannot be opened.
    #[error("the signing keys {}", complaint(.0))]
    Unseal(#[from] NoneSigns),
    /// A row of a signing key cannot be read, and no other key signs.
    #[error("the signing keys in the database are damaged; restore the database from a backup")]
    DamagedKey(#[from] DamagedKey),
    /// What is named as a signing key is the id of none.
    #[error("`{0}` is no id of a signing key; `idp keys list` has them")]
    KeyId(String),
    /// The key that signs checkpoints cannot be opened.
    #[error("the key that signs checkpoints {}", checkpoint_complaint(.0))]
    CheckpointKey(#[from] CheckpointKeyError),
    /// A log cannot be let go on.
    #[error("nothing is acknowledged: {0}")]
    Acknowledge(#[from] AcknowledgeError),
    /// A file that checkpoints or events go to cannot be used.
    #[error("a file that the audit logs go to cannot be used: {0}")]
    Outlet(#[from] OutletError),
    /// The witness cannot be asked.
    #[error("IDP_AUDIT_WITNESS_URL cannot be used: {0}")]
    Witness(#[from] InvalidWitness),
    /// A value of the configuration is none for the domain.
    #[error("the configured {0} cannot be used")]
    Value(&'static str),
}

impl From<PepperError> for ComposeError {
    fn from(error: PepperError) -> Self {
        match error {
            PepperError::Store(error) => Self::Store(error),
            another @ PepperError::Another => Self::Pepper(another),
        }
    }
}

/// What to do about a database that does not open.
const fn advice(error: &OpenError) -> &'static str {
    match error {
        OpenError::Newer { .. } => "start the release that migrated it, or a later one",
        OpenError::File(_) | OpenError::Database(_) | OpenError::Migration(_) => {
            "restore it from a backup, or set DATABASE_URL to another file"
        }
    }
}

/// What is wrong with a checkpoint key that does not open, and what to do about it.
const fn checkpoint_complaint(error: &CheckpointKeyError) -> &'static str {
    match error {
        CheckpointKeyError::Sealed { reason: SealError::OtherKey, .. } => {
            "was sealed with another key; restore sealing.key or set IDP_SEALING_KEY to that one"
        }
        CheckpointKeyError::Sealed { reason: SealError::Altered | SealError::Form, .. }
        | CheckpointKeyError::Unpaired { .. } => {
            "in the database is damaged; restore the database from a backup"
        }
    }
}

/// What is wrong with signing keys that do not open, and what to do about it.
const fn complaint(error: &NoneSigns) -> &'static str {
    match error.first.reason {
        Unusable::Sealed(SealError::OtherKey) => {
            "were sealed with another key; restore sealing.key or set IDP_SEALING_KEY to that one"
        }
        Unusable::Sealed(SealError::Altered | SealError::Form) | Unusable::Unpaired => {
            "in the database are damaged; restore the database from a backup"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sm_04_a_database_of_a_later_release_is_left_to_it() {
        let source = OpenError::Newer { found: 7, known: 1 };
        let error = ComposeError::Open { database: PathBuf::from("a.sqlite"), source };
        let expected = "the database `a.sqlite` cannot be used; start the release that migrated \
                        it, or a later one";
        assert_eq!(error.to_string(), expected);
    }
}
