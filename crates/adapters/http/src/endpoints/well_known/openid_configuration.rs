//! `GET /.well-known/openid-configuration`: the same metadata where OpenID clients look for it.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use serde::Serialize;
use tokens::Algorithm;
use usecases::driving::AuthorizationServer;

use super::{Answer, CACHED, metadata::AuthorizationServerMetadata};
use crate::{
    json::Json,
    route::{Access, Dialect, Endpoint, Route},
    supported::Supported,
};

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

/// The metadata, with the two members that OpenID Connect Discovery requires (section 3). There are no
/// ID tokens; they would be signed as everything is. A verifier may take this list for all that it
/// has to believe and keep it as long as the keys, so it has every algorithm of a published key: a
/// new one stands here before it signs.
#[derive(Debug, Serialize)]
pub(crate) struct OpenIdConfiguration {
    #[serde(flatten)]
    metadata: AuthorizationServerMetadata,
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
}

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    State(supported): State<Arc<Supported>>,
) -> Answer<OpenIdConfiguration> {
    let published = server.signing_algorithms().into_iter().map(Algorithm::name).collect();
    let document = OpenIdConfiguration {
        metadata: AuthorizationServerMetadata::of(&*server, &supported),
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: published,
    };
    ([CACHED], Json(document))
}
