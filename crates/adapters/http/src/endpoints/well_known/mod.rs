//! What clients and resource servers discover: metadata and keys.

pub(crate) mod authorization_server;
pub(crate) mod jwks;
pub(crate) mod openid_configuration;
pub(crate) mod protected_resource;

use std::sync::Arc;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, header},
};
use registry::Permission;
use serde_json::{Value, json};
use tokens::{Algorithm, Issuer, issue::GRANT_TYPE};
use usecases::driving::AuthorizationServer;

use crate::{client_authentication::ClientMethod, route::Endpoint};

use super::token::{introspect::IntrospectToken, issue::IssueToken, revoke::RevokeToken};

/// For how long caches may keep metadata and keys. A new signing key is published for at least as
/// long before it signs.
const CACHED: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));

type Answer = ([(HeaderName, HeaderValue); 1], Json<Value>);

fn scopes() -> Vec<&'static str> {
    Permission::ALL.iter().map(|permission| permission.scope()).collect()
}

/// The metadata of RFC 8414 section 2. Everything that it names works: it is made of the route
/// table and of what the domain knows.
fn metadata(server: &Arc<dyn AuthorizationServer>) -> Value {
    let issuer = server.issuer();
    let methods = [ClientMethod::Basic, ClientMethod::Post].map(ClientMethod::name);
    json!({
        "issuer": issuer.as_str(),
        "token_endpoint": url::<IssueToken>(issuer),
        "introspection_endpoint": url::<IntrospectToken>(issuer),
        "revocation_endpoint": url::<RevokeToken>(issuer),
        "jwks_uri": url::<jwks::GetJwks>(issuer),
        "grant_types_supported": [GRANT_TYPE],
        "response_types_supported": ["none"],
        "token_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "scopes_supported": scopes(),
        "service_documentation": issuer.join("/api-docs"),
        "protected_resources": [issuer.as_str()],
    })
}

fn url<E: Endpoint>(issuer: &Issuer) -> String {
    issuer.join(E::ROUTE.path)
}

/// The algorithms that tokens are signed with.
const ALGORITHMS: [Algorithm; 1] = [Algorithm::Es256];
