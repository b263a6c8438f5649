//! The keys that tokens are signed with: kept, opened, and put into the ring.

use std::sync::Arc;

use kernel::{Clock, OrganizationId, StoreError};
use local::{KeyRing, LocalKeyFactory};
use tokens::{KeptKeys, KeyId, RotationPolicy, Signer, rotation::NotCompromised};
use usecases::signing_key::{KeyKeeper, SigningKeyError};

use super::{ComposeError, Foundations, Store};
use crate::{config::Config, probe::are_apart, rotating::tell_left_out};

/// What is told where keys are not rotated by a clock that may be wrong.
pub const CLOCKS_APART: &str = "the clocks of this server and of the database are too far apart: \
                                its signing keys are not rotated by it until both agree";

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

    /// Whether the clock of this server is further from that of the database than clocks may be. By
    /// which of them keys should be rotated nobody can tell, so that they wait.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn clocks_are_apart(&self) -> Result<bool, StoreError> {
        let asked_at = self.clock.now();
        let told = self.store.ping().await?;
        let heard_at = self.clock.now();
        Ok(told.is_some_and(|told| are_apart(told, asked_at, heard_at)))
    }

    /// Does what is due, and tells whether the clocks are too far apart for that. Then nothing is,
    /// but that some key signs.
    ///
    /// # Errors
    /// [`SigningKeyError`]
    pub async fn keep_up(&self) -> Result<(KeptKeys, bool), SigningKeyError> {
        let (keeper, apart) = (self.keeper(), self.clocks_are_apart().await?);
        let kept = if apart { keeper.keep_one_signing().await } else { keeper.keep_up().await };
        Ok((kept?, apart))
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
        match self.keeper().compromise(key).await {
            // What names no row may be written wrong.
            Err(SigningKeyError::NotCompromised(NotCompromised::Unknown))
                if KeyId::parse(key).is_none() =>
            {
                Err(ComposeError::KeyId(key.to_owned()))
            }
            kept => Ok(kept?),
        }
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
        let algorithms = config.signing().algorithms.clone();
        let ring = KeyRing::new(self.keys.sealer.clone()).preferring(algorithms);
        let kept = match keeping.keep_up().await {
            // Whatever is in the way: what there is may do.
            Err(SigningKeyError::Store(StoreError::Conflict | StoreError::Refused(_))) => {
                keeping.list().await?
            }
            kept => {
                let (kept, apart) = kept?;
                if apart {
                    tracing::warn!("{CLOCKS_APART}");
                }
                kept
            }
        };
        let left_out = ring.replace_beside(&kept.whole, &kept.damaged)?;
        tell_left_out(&kept.damaged, &left_out);
        match kept.damaged.into_iter().next() {
            Some(damaged) if ring.active().is_none() => Err(damaged.into()),
            Some(_) | None => Ok(ring),
        }
    }
}
