//! Uses what is good once, in a transaction of its own.

use audit::{Journal, Transactor};
use jose::{SingleUse, SingleUses};
use kernel::{StoreError, Timestamp};
use tenancy::Scope;

/// How often it is tried where others get in the way: each time one of them has come further.
const TRIES: usize = 3;

/// Uses it, on whatever replica; true for the first alone. It is durable when this is done: nobody
/// can use it after a crash of whoever used it and had not answered yet.
///
/// # Errors
/// [`StoreError`]; it must count as used then.
pub async fn use_once<S>(
    store: &S,
    scope: &Scope,
    single_use: &SingleUse,
    now: Timestamp,
) -> Result<bool, StoreError>
where
    S: Transactor,
    S::Tx: SingleUses,
{
    for _ in 1..TRIES {
        match attempt(store, scope, single_use, now).await {
            Err(StoreError::Conflict) => {}
            done => return done,
        }
    }
    attempt(store, scope, single_use, now).await
}

async fn attempt<S>(
    store: &S,
    scope: &Scope,
    single_use: &SingleUse,
    now: Timestamp,
) -> Result<bool, StoreError>
where
    S: Transactor,
    S::Tx: SingleUses,
{
    let mut tx = store.begin(scope.clone()).await?;
    if !tx.use_once(single_use, now).await? {
        return Ok(false);
    }
    tx.commit().await?;
    Ok(true)
}
