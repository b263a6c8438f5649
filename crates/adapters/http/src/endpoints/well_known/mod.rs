//! What clients and resource servers discover: metadata and keys.

pub(crate) mod authorization_server;
pub(crate) mod jwks;
pub(crate) mod metadata;
pub(crate) mod openid_configuration;
pub(crate) mod protected_resource;

use axum::http::{HeaderName, HeaderValue, header};
use tokens::rotation::CACHED_FOR;

use crate::json::Json;

/// For how long caches may keep metadata and keys. A new signing key is published for at least as
/// long before it signs.
const CACHED: (HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
const _: () = assert!(CACHED_FOR.as_secs() == 300, "rotation goes by another time than caches");

type Answer<T> = ([(HeaderName, HeaderValue); 1], Json<T>);
