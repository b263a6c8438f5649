//! The authorization server's own endpoints, which speak the words of RFC 6749.

pub(crate) mod authorize;
pub(crate) mod introspect;
pub(crate) mod issue;
pub(crate) mod revoke;

use axum::http::{HeaderName, HeaderValue, header};

use crate::json::Json;

/// No cache keeps what these endpoints answer (RFC 6749 section 5.1).
const NO_STORE: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
];

type Answer<T> = ([(HeaderName, HeaderValue); 2], Json<T>);

const fn answer<T>(body: T) -> Answer<T> {
    (NO_STORE, Json(body))
}
