//! `GET /api/v1/audit/checkpoint`: the newest checkpoint, as a signed note.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use registry::Permission;
use usecases::{Requirement, driving::AuditTrail};

use crate::{
    caller::Authorized,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct GetCheckpoint;

impl Endpoint for GetCheckpoint {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit/checkpoint",
        operation: "getAuditCheckpoint",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    caller: Authorized<GetCheckpoint>,
    _: NoQuery,
) -> Result<String, Problem> {
    let newest = audit.checkpoint(&caller).await?;
    let newest = newest.ok_or_else(|| Problem::absent("the log has no checkpoint yet"))?;
    Ok(newest.note)
}
