//! The events of organizations, and the port that stores them. They stand here because the
//! tenancy crate lies below this one and cannot know of events.

use std::future::Future;

use kernel::{OrganizationId, StoreError};
use tenancy::{Organization, OrganizationCause, OrganizationChange};

use crate::{
    event::{Action, Event},
    journal::Audited,
};

impl Audited for OrganizationChange {
    type After = Organization;

    fn event(&self) -> Event {
        let record = self.after().record();
        match self.cause() {
            OrganizationCause::Created => Event::success(Action::OrganizationCreated)
                .with("name", record.name.as_str())
                .with("slug", record.slug.as_str())
                .with("plan", record.plan.name()),
            OrganizationCause::Suspended => Event::success(Action::OrganizationSuspended),
            OrganizationCause::Reactivated => Event::success(Action::OrganizationReactivated),
        }
        .on(record.id)
    }

    fn into_after(self) -> Organization {
        Self::into_after(self)
    }
}

/// Organizations, to read.
pub trait Organizations: Send {
    /// The organization of the view or transaction.
    ///
    /// # Errors
    /// [`StoreError`]
    fn organization(
        &mut self,
    ) -> impl Future<Output = Result<Option<Organization>, StoreError>> + Send;
}

/// What must be known before anybody has an organization.
pub trait Directory: Send + Sync {
    /// The platform's own organization, once there is one.
    ///
    /// # Errors
    /// [`StoreError`]
    fn platform(&self) -> impl Future<Output = Result<Option<OrganizationId>, StoreError>> + Send;

    /// The organization that a client belongs to.
    ///
    /// # Errors
    /// [`StoreError`]
    fn organization_of(
        &self,
        client: kernel::AgentId,
    ) -> impl Future<Output = Result<Option<OrganizationId>, StoreError>> + Send;
}
