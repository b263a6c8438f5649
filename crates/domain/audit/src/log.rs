//! Reading the log back.

use std::future::Future;

use kernel::{
    AgentId, CredentialId, EventId, OrganizationId, Page, PageRequest, StoreError, Timestamp,
};
use serde_json::{Map, Value};
use tenancy::Origin;

use crate::event::{Action, Outcome, Resource};

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
    /// The request that asked.
    pub origin: Origin,
    /// The credential whose use it is.
    pub used: Option<CredentialId>,
    /// The details.
    pub metadata: Map<String, Value>,
    /// When.
    pub timestamp: Timestamp,
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
    /// One event.
    ///
    /// # Errors
    /// [`StoreError`]
    fn event(
        &mut self,
        id: EventId,
    ) -> impl Future<Output = Result<Option<EventRecord>, StoreError>> + Send;

    /// A page of those that match, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn events(
        &mut self,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> impl Future<Output = Result<Page<EventRecord, EventId>, StoreError>> + Send;
}
