//! `GET /.well-known/oauth-authorization-server`: the server's metadata (RFC 8414).

use std::sync::Arc;

use axum::{extract::State, http::Method};
use usecases::driving::AuthorizationServer;

use super::{Answer, CACHED, metadata::AuthorizationServerMetadata};
use crate::{
    json::Json,
    route::{Access, Dialect, Endpoint, Route},
    supported::Supported,
};

/// The endpoint.
pub(crate) struct GetAuthorizationServerMetadata;

impl Endpoint for GetAuthorizationServerMetadata {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/.well-known/oauth-authorization-server",
        operation: "getAuthorizationServerMetadata",
        access: Access::Public,
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    State(supported): State<Arc<Supported>>,
) -> Answer<AuthorizationServerMetadata> {
    ([CACHED], Json(AuthorizationServerMetadata::of(&*server, &supported)))
}
