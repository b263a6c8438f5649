//! `GET /.well-known/openid-configuration`: the same metadata where OpenID clients look for it.

use std::sync::Arc;

use axum::{Json, extract::State, http::Method};
use usecases::driving::AuthorizationServer;

use super::{ALGORITHMS, Answer, CACHED, metadata};
use crate::route::{Access, Dialect, Endpoint, Route};

/// The endpoint.
pub(crate) struct GetOpenIdConfiguration;

impl Endpoint for GetOpenIdConfiguration {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/.well-known/openid-configuration",
        operation: "getOpenIdConfiguration",
        access: Access::Public,
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(State(server): State<Arc<dyn AuthorizationServer>>) -> Answer {
    let mut document = metadata(&server);
    if let Some(members) = document.as_object_mut() {
        members.insert("subject_types_supported".to_owned(), ["public"].as_slice().into());
        let algorithms = ALGORITHMS.map(tokens::Algorithm::name);
        members.insert(
            "id_token_signing_alg_values_supported".to_owned(),
            algorithms.as_slice().into(),
        );
    }
    ([CACHED], Json(document))
}
