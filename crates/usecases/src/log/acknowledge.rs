//! An operator lets a log go on that was halted.

use audit::{Apply, Journal, LogAcknowledged, LogReader, Transactor, record, trim::NotHalted};
use kernel::{OrganizationId, StoreError};
use tenancy::{Actor, Origin, Scope};
use thiserror::Error;

/// Why nothing was acknowledged.
#[derive(Debug, Error)]
pub enum AcknowledgeError {
    /// There is nothing to acknowledge.
    #[error(transparent)]
    NotHalted(#[from] NotHalted),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets a log go on, and leaves the event that says so and why.
///
/// # Errors
/// [`AcknowledgeError`]
pub async fn acknowledge<S>(
    store: &S,
    organization: OrganizationId,
    reason: &str,
) -> Result<(), AcknowledgeError>
where
    S: Transactor,
    S::Tx: LogReader + Apply<LogAcknowledged>,
{
    let scope = Scope::new(organization, Actor::System, Origin::internal());
    let mut tx = store.begin(scope).await?;
    let state = tx.log_state().await?;
    let (tx, ()) = record(tx, LogAcknowledged::new(organization, &state, reason)?).await?;
    Ok(tx.commit().await?)
}
