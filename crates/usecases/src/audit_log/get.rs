//! Reads one event.

use audit::{AuditLog, LoggedEvent, Transactor};
use kernel::{EventId, StoreError};
use thiserror::Error;

use crate::{caller::Caller, provider::IdentityProvider};

/// Why an event was not read.
#[derive(Debug, Error)]
pub enum GetEventError {
    /// There is none in the caller's organization.
    #[error("there is no such event here")]
    Unknown,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: AuditLog,
{
    /// Reads an event of the caller's organization.
    ///
    /// # Errors
    /// [`GetEventError`]
    pub async fn event(&self, caller: &Caller, id: EventId) -> Result<LoggedEvent, GetEventError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        view.event(id).await?.ok_or(GetEventError::Unknown)
    }
}
