//! `GET /.well-known/oauth-protected-resource`: the management API as a resource (RFC 9728).

use std::sync::Arc;

use axum::{extract::State, http::Method};
use usecases::driving::AuthorizationServer;

use super::{Answer, CACHED, metadata::ProtectedResourceMetadata};
use crate::{
    json::Json,
    route::{Access, Dialect, Endpoint, Route},
    supported::Supported,
};

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

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    State(supported): State<Arc<Supported>>,
) -> Answer<ProtectedResourceMetadata> {
    ([CACHED], Json(ProtectedResourceMetadata::of(server.issuer(), &supported)))
}
