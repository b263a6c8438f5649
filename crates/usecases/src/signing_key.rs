//! Makes sure that there is a key to sign with.

use std::time::Duration;

use ::tokens::{
    Algorithm, KeyFactory, KeyState, SigningKey, SigningKeyChange, SigningKeys, key::KeyError,
};
use audit::{Apply, Journal, Transactor, record};
use kernel::{Clock, EntropyUnavailable, OrganizationId, StoreError};
use tenancy::{Actor, Origin, Scope};
use thiserror::Error;

/// Why there is no key.
#[derive(Debug, Error)]
pub enum EnsureError {
    /// The key's own rules forbid it.
    #[error(transparent)]
    Rule(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for a key.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

/// All signing keys; where none is active, one is made first. It signs at once: with no active
/// key before it, no verifier has a cached set that lacks it and tokens that it must verify.
///
/// Where somebody else makes one active at the same time, that one is taken.
///
/// # Errors
/// [`EnsureError`]
pub async fn ensure<S>(
    store: &S,
    platform: OrganizationId,
    clock: &dyn Clock,
    factory: &impl KeyFactory,
) -> Result<Vec<SigningKey>, EnsureError>
where
    S: Transactor,
    S::Tx: SigningKeys + Apply<SigningKeyChange>,
{
    match attempt(store, platform, clock, factory).await {
        // Only one key can be active: whoever was faster left one, which is there to be read now.
        Err(EnsureError::Store(StoreError::Conflict)) => {
            attempt(store, platform, clock, factory).await
        }
        done => done,
    }
}

async fn attempt<S>(
    store: &S,
    platform: OrganizationId,
    clock: &dyn Clock,
    factory: &impl KeyFactory,
) -> Result<Vec<SigningKey>, EnsureError>
where
    S: Transactor,
    S::Tx: SigningKeys + Apply<SigningKeyChange>,
{
    let scope = Scope::new(platform, Actor::System, Origin::internal());
    let mut tx = store.begin(scope).await?;
    let mut keys = tx.signing_keys().await?;
    if keys.iter().any(|key| matches!(key.state(), KeyState::Active { .. })) {
        return Ok(keys);
    }
    let now = clock.now();
    let (public, private) = factory.generate(Algorithm::Es256)?;
    let (tx, key) = record(tx, SigningKey::publish(public, private, now)).await?;
    let (tx, key) = record(tx, key.activate(Duration::ZERO, now)?).await?;
    tx.commit().await?;
    keys.push(key);
    Ok(keys)
}
