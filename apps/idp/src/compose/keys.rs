//! The keys of the installation: from the configuration, or from files in the data folder.
//!
//! Of a key in the data folder only what is made of it stays: its own bytes are wiped at the end of
//! the function that reads it.

use std::sync::Arc;

use credentials::{Pepper, Peppers};
use kernel::Entropy;
use local::Sealer;
use tokens::Nonces;

use super::ComposeError;
use crate::{
    config::{SecretKey, Secrets},
    data_folder::{DataFolder, Installation, PEPPER, SEALING_KEY},
    storage::StorageError,
};

/// What seals signing keys, what secrets are hashed with, and what nonces are made with.
pub(super) struct Keys {
    pub(super) sealer: Arc<Sealer>,
    pub(super) peppers: Peppers,
    /// What nonces are made with. Whoever lacks the sealing key of the other replicas cannot open the
    /// signing keys either: they all share it.
    pub(super) nonces: Nonces,
}

impl Keys {
    /// Takes the configured keys, and finds or makes those that are not.
    pub(super) fn find(
        secrets: &Secrets,
        (folder, installation): (&DataFolder, Installation),
        entropy: &Arc<dyn Entropy>,
    ) -> Result<Self, ComposeError> {
        let made = |key: &SecretKey| {
            let sealer = Sealer::new(key.expose(), entropy.clone())
                .map_err(|_| ComposeError::Value("sealing key"))?;
            Ok::<_, ComposeError>((sealer, Nonces::derived_from(key.expose())))
        };
        let (sealer, nonces) = match &secrets.sealing_key {
            Some(key) => made(key)?,
            None => made(&folder.key(SEALING_KEY, installation, &**entropy)?)?,
        };
        let peppers = peppers(secrets.pepper.as_ref(), (folder, installation), &**entropy)?;
        Ok(Self { sealer: Arc::new(sealer), peppers, nonces })
    }
}

fn peppers(
    configured: Option<&SecretKey>,
    (folder, installation): (&DataFolder, Installation),
    entropy: &dyn Entropy,
) -> Result<Peppers, StorageError> {
    let single = |key: &SecretKey| Peppers::single(Pepper::new(key.expose()));
    match configured {
        Some(key) => folder.check_pepper(key).map(|()| single(key)),
        None => Ok(single(&folder.key(PEPPER, installation, entropy)?)),
    }
}
