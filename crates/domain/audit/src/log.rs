//! Reading the log back.

use std::future::Future;

use kernel::{
    AgentId, CredentialId, EventId, OrganizationId, Page, PageRequest, StoreError, Timestamp,
};
use serde_json::{Map, Value};
use tenancy::Origin;

use crate::{
    entry::Salt,
    event::{Action, Outcome, Resource},
};

/// An event as it is kept. It is never changed.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// Its id.
    pub id: EventId,
    /// The organization in whose log it is.
    pub organization: OrganizationId,
    /// The agent that acted, or was claimed to.
    pub agent: Option<AgentId>,
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
    /// What it is about.
    pub resource: Option<Resource>,
    /// The request that asked. Address and user agent are `None` once the personal data is erased.
    pub origin: Origin,
    /// What hides the personal data in its commitment. `None` once it is erased.
    pub salt: Option<Salt>,
    /// The credential whose use it is.
    pub used: Option<CredentialId>,
    /// The details.
    pub metadata: Map<String, Value>,
    /// When.
    pub timestamp: Timestamp,
}

/// Where an event lies in its organization's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its position, from 0.
    pub position: u64,
    /// Whether its time lies well before that of an earlier one: a clock was set back.
    pub out_of_order: bool,
}

/// An event, and where it lies in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedEvent {
    /// The event.
    pub event: EventRecord,
    /// Its place. `None` for the moment that the log takes to give it one.
    pub place: Option<Place>,
}

/// Which events are asked for. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// By this agent.
    pub agent: Option<AgentId>,
    /// Of this kind.
    pub action: Option<Action>,
    /// Ended so.
    pub outcome: Option<Outcome>,
    /// About the thing with this id.
    pub resource: Option<String>,
    /// At this instant or later.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

/// The log of one organization, to read.
pub trait AuditLog: Send {
    /// One event whose content is not erased.
    ///
    /// # Errors
    /// [`StoreError`]
    fn event(
        &mut self,
        id: EventId,
    ) -> impl Future<Output = Result<Option<LoggedEvent>, StoreError>> + Send;

    /// A page of those that match and whose content is not erased, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn events(
        &mut self,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> impl Future<Output = Result<Page<LoggedEvent, EventId>, StoreError>> + Send;
}
