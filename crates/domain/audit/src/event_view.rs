//! An event as JSON, as the API and the export to others give it: the contract's `AuditEvent`.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::log::{EventRecord, LoggedEvent, Place};

/// An event. Members are a deliberate wire format: `docs/openapi.yaml`, `AuditEvent`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    event_id: String,
    organization_id: String,
    agent_id: Option<String>,
    action: &'static str,
    outcome: &'static str,
    resource_type: Option<&'static str>,
    resource_id: Option<String>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    request_id: String,
    metadata: Map<String, Value>,
    timestamp: String,
    position: Option<u64>,
    out_of_order: bool,
}

impl EventView {
    /// An event at its place, if it has one.
    #[must_use]
    pub fn of(event: &EventRecord, place: Option<Place>) -> Self {
        Self {
            event_id: event.id.to_string(),
            organization_id: event.organization.to_string(),
            agent_id: event.agent.map(|id| id.to_string()),
            action: event.action.name(),
            outcome: event.outcome.name(),
            resource_type: event.resource.as_ref().map(|resource| resource.kind.name()),
            resource_id: event.resource.as_ref().map(|resource| resource.id.clone()),
            ip_address: event.origin.address.map(|address| address.to_string()),
            user_agent: event.origin.user_agent.as_ref().map(ToString::to_string),
            request_id: event.origin.request.to_string(),
            metadata: event.metadata.clone(),
            timestamp: event.timestamp.to_string(),
            position: place.map(|place| place.position),
            out_of_order: place.is_some_and(|place| place.out_of_order),
        }
    }
}

impl From<&LoggedEvent> for EventView {
    fn from(logged: &LoggedEvent) -> Self {
        Self::of(&logged.event, logged.place)
    }
}
