//! The embedded default: one process, one SQLite file.

use std::sync::Arc;

use kernel::{Clock, Entropy, StoreError};
use local::{LocalProofUses, SystemClock, SystemEntropy};
use sqlite_store::{Options, SqliteStore};
use usecases::Known;

use super::{ComposeError, Foundations, Opened, keys::Keys, limits};
use crate::{config::Config, runtime::BehindTheStore, storage::Storage};

/// Finds or makes the keys, opens the file and brings its schema up to date.
///
/// # Errors
/// [`ComposeError`]
pub async fn open(config: &Config, storage: Storage) -> Result<Opened<SqliteStore>, ComposeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let place = (storage.folder(), storage.installation());
    let keys = Keys::find(config.secrets(), place, &entropy)?;
    let limits = limits::open(config, &clock, &entropy).await?;
    let path = storage.database();
    let (store, writer) =
        SqliteStore::open(path, clock.clone(), entropy.clone(), Options::default())
            .await
            .map_err(|source| ComposeError::Open { database: path.to_owned(), source })?;
    let known = Arc::new(Known::alone());
    // Alone, whatever else is shared: there is one process, and it asks nobody.
    let proof_uses = LocalProofUses::new(entropy.clone()).map_err(StoreError::unavailable)?;
    let foundations = Foundations {
        folder: storage.folder().clone(),
        store: store.telling(known.clone()),
        clock,
        entropy,
        known,
        cache: limits.cache,
        hints: None,
        limiter: limits.limiter,
        proof_uses: Arc::new(proof_uses),
        keys,
    };
    Ok(Opened { foundations, behind: BehindTheStore::new(writer.run(), Some(storage)) })
}
