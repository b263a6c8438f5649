//! `GET /health/detailed`: how the services behind the process are, for those who watch it. Whether
//! it should be sent requests is another question: the process does without some of them.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use serde::Serialize;

use crate::{
    json::Json,
    route::{Access, Dialect, Endpoint, Route},
    service_health::{Health, Reason, Service, ServiceHealth},
    state::SharedPorts,
};

/// The endpoint.
pub(crate) struct GetDetailedHealth;

impl Endpoint for GetDetailedHealth {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/health/detailed",
        operation: "getDetailedHealth",
        access: Access::Probe,
        dialect: Dialect::Problem,
        events: &[],
    };
}

/// The answer. Anybody may ask: it tells nothing of where a service is, or why it is away.
#[derive(Debug, Serialize)]
pub(crate) struct DetailedHealthView {
    status: Health,
    version: &'static str,
    uptime: u64,
    services: BTreeMap<Service, ServiceView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ServiceView {
    status: Health,
    latency_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

impl ServiceView {
    fn of(health: &ServiceHealth) -> (Service, Self) {
        let (status, latency_ms) = (health.status(), health.milliseconds());
        let view = Self { status, latency_ms, reason: health.reason() };
        (health.service, view)
    }
}

pub(crate) async fn handle(
    State(ports): State<SharedPorts>,
) -> (StatusCode, Json<DetailedHealthView>) {
    let process = &ports.process;
    let services = process.services.services().await;
    let status = Health::of(&services);
    let code = match status {
        Health::Healthy | Health::Degraded => StatusCode::OK,
        Health::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let view = DetailedHealthView {
        status,
        version: process.version,
        uptime: process.uptime().as_secs(),
        services: services.iter().map(ServiceView::of).collect(),
    };
    (code, Json(view))
}
