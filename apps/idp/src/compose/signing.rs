//! The keys that tokens are signed with: kept, opened, and put into the ring.

use std::sync::Arc;

use kernel::{Clock, OrganizationId, StoreError};
use local::{KeyRing, LocalKeyFactory};
use tokens::{KeptKeys, KeyId, RotationPolicy, Signer};
use usecases::signing_key::{KeyKeeper, SigningKeyError};

use super::{ComposeError, Foundations, Store};
use crate::{config::Config, rotating::tell_left_out};

/// What it takes to keep the signing keys, for as long as a server runs.
pub struct KeyKeeping<S> {
    store: S,
    platform: OrganizationId,
    clock: Arc<dyn Clock>,
    factory: LocalKeyFactory,
    policy: RotationPolicy,
}

impl<S: Store> KeyKeeping<S> {
    /// Who keeps them.
    pub fn keeper(&self) -> KeyKeeper<'_, S, LocalKeyFactory> {
        KeyKeeper {
            store: &self.store,
            platform: self.platform,
            clock: &*self.clock,
            factory: &self.factory,
            policy: &self.policy,
        }
    }

    /// Has the next keys sign from now on.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn rotate(&self) -> Result<KeptKeys, ComposeError> {
        Ok(self.keeper().rotate().await?)
    }

    /// Ceases to believe a key.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn compromise(&self, key: &str) -> Result<KeptKeys, ComposeError> {
        let id = KeyId::parse(key).ok_or_else(|| ComposeError::KeyId(key.to_owned()))?;
        Ok(self.keeper().compromise(&id).await?)
    }

    /// All keys.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn list(&self) -> Result<KeptKeys, ComposeError> {
        Ok(self.keeper().list().await?)
    }
}

impl<S> std::fmt::Debug for KeyKeeping<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyKeeping").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl<S: Store> Foundations<S> {
    /// What it takes to keep the signing keys.
    pub fn key_keeping(&self, config: &Config, platform: OrganizationId) -> KeyKeeping<S> {
        KeyKeeping {
            store: self.store.clone(),
            platform,
            clock: self.clock.clone(),
            factory: LocalKeyFactory::new(self.keys.sealer.clone()),
            policy: config.signing().policy(config.token_lifetime()),
        }
    }

    /// A ring with all keys, of which one signs.
    ///
    /// # Errors
    /// [`ComposeError`] where none does.
    pub(super) async fn key_ring(
        &self,
        config: &Config,
        platform: OrganizationId,
    ) -> Result<KeyRing, ComposeError> {
        let keeping = self.key_keeping(config, platform);
        let kept = match keeping.keeper().keep_up().await {
            // A row that cannot be read may be in the way. What there is besides may do.
            Err(SigningKeyError::Store(StoreError::Conflict)) => keeping.list().await?,
            kept => kept?,
        };
        let algorithms = config.signing().algorithms.clone();
        let ring = KeyRing::new(self.keys.sealer.clone()).preferring(algorithms);
        let left_out = ring.replace(&kept.whole)?;
        tell_left_out(&kept.damaged, &left_out);
        match kept.damaged.into_iter().next() {
            Some(damaged) if ring.active().is_none() => Err(damaged.into()),
            Some(_) | None => Ok(ring),
        }
    }
}
