//! `GET /api/v1/audit/consistency`: proves that the log only grew.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use registry::Permission;
use usecases::{Requirement, driving::AuditTrail};

use crate::{
    caller::Authorized,
    fields::whole_number,
    json::Json,
    problem::Problem,
    query::Query,
    route::{Access, Dialect, Endpoint, Route},
    views::ConsistencyProofView,
};

/// The endpoint.
pub(crate) struct GetConsistency;

impl Endpoint for GetConsistency {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit/consistency",
        operation: "getAuditConsistency",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    caller: Authorized<GetConsistency>,
    Query(mut fields): Query,
) -> Result<Json<ConsistencyProofView>, Problem> {
    let from = fields.required("from", whole_number);
    let to = fields.optional("to", whole_number);
    let (from, to) = fields.finish(|| Some((from?, to)))?;
    let proof = audit.consistency(&caller, from, to).await?;
    Ok(Json(ConsistencyProofView::from(&proof)))
}
