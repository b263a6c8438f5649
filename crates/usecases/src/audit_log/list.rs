//! Lists events.

use audit::{AuditLog, EventFilter, LoggedEvent, Transactor};
use kernel::{EventId, Page, PageRequest, StoreError};

use crate::{caller::Caller, provider::IdentityProvider};

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: AuditLog,
{
    /// A page of the caller's organization's events, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn events(
        &self,
        caller: &Caller,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Page<LoggedEvent, EventId>, StoreError> {
        let mut view = self.parts.store.view(caller.scope().organization()).await?;
        view.events(filter, page).await
    }
}
