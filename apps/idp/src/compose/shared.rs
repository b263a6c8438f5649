//! The store that replicas share: PostgreSQL, with Redis beside it where one is configured.

use std::{num::NonZeroU32, sync::Arc};

use audit::{ChangeListener, Directory};
use kernel::{Clock, Entropy};
use local::{SystemClock, SystemEntropy};
use postgres_store::{Isolation, Login, Options, PostgresStore};
use redis_cache::{FallbackProofUses, RedisProofUses};
use tokens::ProofUses;
use usecases::{Known, authenticate::RecordedProofs};

use super::{
    ComposeError, Foundations, Opened,
    keys::Keys,
    limits,
    listeners::{Announcer, Listeners},
};
use crate::{
    config::{Config, Mode},
    data_folder::{DataFolder, Installation},
    runtime::BehindTheStore,
};

/// Connects, and finds the keys; makes them only where nothing was ever founded.
///
/// # Errors
/// [`ComposeError`]
pub async fn open(config: &Config, login: &Login) -> Result<Opened<PostgresStore>, ComposeError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
    let isolation = match config.mode() {
        Mode::Production => Isolation::Demanded,
        Mode::Development => Isolation::Preferred,
    };
    let machine = (clock.clone(), entropy.clone());
    let options = options(config.database_connections());
    let (store, background) = PostgresStore::open(login, machine, isolation, &options).await?;
    let folder = DataFolder::ensure(config.data_dir())?;
    let installation = match store.platform().await? {
        Some(_) => Installation::Founded,
        None => Installation::New,
    };
    let keys = Keys::find(config.secrets(), (&folder, installation), &entropy)?;
    let limits = limits::open(config, &clock, &entropy).await?;
    let (known, announcer) = (Arc::new(Known::followed()), Arc::new(Announcer::default()));
    let hints = limits.hints.map(|hints| (hints, announcer.clone()));
    let listeners: Vec<Arc<dyn ChangeListener>> = vec![known.clone(), announcer];
    let store = store.telling(Arc::new(Listeners(listeners)));
    let foundations = Foundations {
        folder,
        proof_uses: proof_uses(limits.proof_uses, &store),
        store,
        clock,
        entropy,
        known,
        cache: limits.cache,
        hints,
        limiter: limits.limiter,
        keys,
    };
    Ok(Opened { foundations, behind: BehindTheStore::new(background.run(), None) })
}

/// Proofs are remembered in Redis where there is one, and while it is away in the database.
fn proof_uses(shared: Option<RedisProofUses>, store: &PostgresStore) -> Arc<dyn ProofUses> {
    let record = RecordedProofs::new(store.clone());
    match shared {
        Some(shared) => Arc::new(FallbackProofUses::new(shared, record)),
        None => Arc::new(record),
    }
}

fn options(connections: NonZeroU32) -> Options {
    let connections = usize::try_from(connections.get()).unwrap_or(usize::MAX);
    Options { connections, ..Options::default() }
}
