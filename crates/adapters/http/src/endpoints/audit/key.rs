//! `GET /api/v1/audit/key`: the key that checkpoints verify with.

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
pub(crate) struct GetVerifierKey;

impl Endpoint for GetVerifierKey {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit/key",
        operation: "getAuditKey",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    caller: Authorized<GetVerifierKey>,
    _: NoQuery,
) -> Result<String, Problem> {
    let key = audit.key(&caller).await?;
    let key = key.ok_or_else(|| Problem::absent("the log has no event yet"))?;
    Ok(format!("{key}\n"))
}
