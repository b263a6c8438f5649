//! `GET /.well-known/jwks.json`: the keys that verify tokens (RFC 7517).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use data_encoding::BASE64URL_NOPAD;
use ring::digest;
use serde_json::{Value, json};
use tokens::Jwk;
use usecases::driving::AuthorizationServer;

use super::CACHED;
use crate::{
    json::Json,
    problem::Problem,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct GetJwks;

impl Endpoint for GetJwks {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/.well-known/jwks.json",
        operation: "getJwks",
        access: Access::Public,
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let keys: Vec<Value> = server.published_keys().iter().map(Jwk::to_json).collect();
    let document = json!({ "keys": keys });
    let digest = digest::digest(&digest::SHA256, document.to_string().as_bytes());
    let tag = format!("\"{}\"", BASE64URL_NOPAD.encode(digest.as_ref()));
    let known = knows(&headers, &tag);
    let tag = HeaderValue::try_from(tag).map_err(Problem::internal)?;
    let cache = [CACHED, (header::ETAG, tag)];
    Ok(if known {
        (StatusCode::NOT_MODIFIED, cache).into_response()
    } else {
        (cache, Json(document)).into_response()
    })
}

/// Whether the caller holds this very set already (RFC 9110 section 13.1.2: weak comparison).
fn knows(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
