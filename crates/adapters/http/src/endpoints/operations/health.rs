//! `GET /health`: the process is alive. No dependency is asked, so that a store that is away does
//! not get a healthy process killed.

use axum::{extract::State, http::Method};
use serde::Serialize;

use crate::{
    json::Json,
    route::{Access, Dialect, Endpoint, Route},
    state::SharedPorts,
};

/// The endpoint.
pub(crate) struct GetHealth;

impl Endpoint for GetHealth {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/health",
        operation: "getHealth",
        access: Access::Probe,
        dialect: Dialect::Problem,
        events: &[],
    };
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct HealthView {
    status: &'static str,
    version: &'static str,
    uptime: u64,
}

pub(crate) async fn handle(State(ports): State<SharedPorts>) -> Json<HealthView> {
    let process = &ports.process;
    let uptime = process.uptime().as_secs();
    Json(HealthView { status: "healthy", version: process.version, uptime })
}
