//! `GET /metrics`: what was counted, where it is served beside the API.

use axum::{extract::State, http::Method, response::Response};

use crate::{
    metrics::written,
    problem::Problem,
    route::{Access, Dialect, Endpoint, Route},
    state::SharedPorts,
};

/// The endpoint.
pub(crate) struct GetMetrics;

impl Endpoint for GetMetrics {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/metrics",
        operation: "getMetrics",
        access: Access::Probe,
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(State(ports): State<SharedPorts>) -> Result<Response, Problem> {
    ports.process.metrics.as_deref().map(written).ok_or_else(Problem::not_found)
}
