//! `GET /.well-known/oauth-protected-resource`: the management API as a resource (RFC 9728).

use std::sync::Arc;

use axum::{Json, extract::State, http::Method};
use serde_json::json;
use usecases::driving::AuthorizationServer;

use super::{Answer, CACHED, scopes};
use crate::route::{Access, Dialect, Endpoint, Route};

/// The endpoint.
pub(crate) struct GetProtectedResourceMetadata;

impl Endpoint for GetProtectedResourceMetadata {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/.well-known/oauth-protected-resource",
        operation: "getProtectedResourceMetadata",
        access: Access::Public,
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(State(server): State<Arc<dyn AuthorizationServer>>) -> Answer {
    let issuer = server.issuer();
    let document = json!({
        "resource": issuer.as_str(),
        "authorization_servers": [issuer.as_str()],
        "scopes_supported": scopes(),
        "bearer_methods_supported": ["header"],
        "resource_documentation": issuer.join("/api-docs"),
        "resource_name": "AgentIdP management API",
    });
    ([CACHED], Json(document))
}
