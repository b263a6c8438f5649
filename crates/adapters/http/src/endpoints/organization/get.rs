//! `GET /api/v1/organization`: reads the caller's own organization.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use usecases::{Requirement, driving::OwnOrganization};

use crate::{
    caller::Authorized,
    json::Json,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
    views::OrganizationView,
};

/// The endpoint.
pub(crate) struct GetOrganization;

impl Endpoint for GetOrganization {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/organization",
        operation: "getOrganization",
        access: Access::Bearer(Requirement::Authenticated),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(organization): State<Arc<dyn OwnOrganization>>,
    caller: Authorized<GetOrganization>,
    _: NoQuery,
) -> Result<Json<OrganizationView>, Problem> {
    let details = organization.get(&caller).await?;
    Ok(Json(OrganizationView::from(&details)))
}
