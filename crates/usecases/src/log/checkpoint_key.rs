//! Makes sure that there is a key to sign checkpoints with.

use audit::{
    Apply, CheckpointKey, CheckpointKeyCreated, CheckpointKeys, Journal, Transactor,
    checkpoint_key::CheckpointKeyFactory, record,
};
use kernel::{Clock, OrganizationId, StoreError};
use tenancy::{Actor, Origin, Scope};

/// The key that signs checkpoints: the oldest, or a new one where there is none. Changes of one
/// organization are made one after the other, so that two servers that start together make one key.
///
/// # Errors
/// [`StoreError`]
pub async fn ensure<S>(
    store: &S,
    platform: OrganizationId,
    clock: &dyn Clock,
    factory: &impl CheckpointKeyFactory,
) -> Result<CheckpointKey, StoreError>
where
    S: Transactor,
    S::Tx: CheckpointKeys + Apply<CheckpointKeyCreated>,
{
    let scope = Scope::new(platform, Actor::System, Origin::internal());
    let mut tx = store.begin(scope).await?;
    if let Some(oldest) = tx.checkpoint_keys().await?.into_iter().next() {
        return Ok(oldest);
    }
    let (public, private) = factory.generate()?;
    let created = CheckpointKeyCreated::new(public, private, clock.now());
    let (tx, key) = record(tx, created).await?;
    tx.commit().await?;
    Ok(key)
}
