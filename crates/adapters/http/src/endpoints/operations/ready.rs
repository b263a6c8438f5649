//! `GET /health/ready`: whether the process should be sent requests.

use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use serde::Serialize;

use crate::{
    json::Json,
    route::{Access, Dialect, Endpoint, Route},
    state::{Readiness, SharedPorts},
};

/// The endpoint.
pub(crate) struct GetReadiness;

impl Endpoint for GetReadiness {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/health/ready",
        operation: "getReadiness",
        access: Access::Probe,
        dialect: Dialect::Problem,
        events: &[],
    };
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct ReadinessView {
    status: &'static str,
}

pub(crate) async fn handle(State(ports): State<SharedPorts>) -> (StatusCode, Json<ReadinessView>) {
    let (code, status) = match ports.process.probe.readiness().await {
        Readiness::Ready => (StatusCode::OK, "ready"),
        Readiness::Draining => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
        Readiness::Unreachable => (StatusCode::SERVICE_UNAVAILABLE, "unreachable"),
    };
    (code, Json(ReadinessView { status }))
}
