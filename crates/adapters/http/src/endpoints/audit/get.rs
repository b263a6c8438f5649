//! `GET /api/v1/audit/{eventId}`: reads one event.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use kernel::EventId;
use registry::Permission;
use usecases::{Requirement, audit_log::GetEventError, driving::AuditTrail};

use crate::{
    caller::Authorized,
    json::Json,
    path::Path,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
    views::EventView,
};

/// The endpoint.
pub(crate) struct GetEvent;

impl Endpoint for GetEvent {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit/{eventId}",
        operation: "getAuditEvent",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    caller: Authorized<GetEvent>,
    Path(id): Path<EventId>,
    _: NoQuery,
) -> Result<Json<EventView>, Problem> {
    let event = audit.get(&caller, id).await?;
    Ok(Json(EventView::from(&event)))
}

impl From<GetEventError> for Problem {
    fn from(error: GetEventError) -> Self {
        match error {
            GetEventError::Unknown => Self::forbidden_target(),
            GetEventError::Store(error) => Self::from(error),
        }
    }
}
