//! What tests of the wire start from: a router with one route of each kind, and a known world around it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU8, Ordering},
};

use axum::{
    Router,
    body::to_bytes,
    http::{HeaderMap, HeaderValue, Method, header},
    response::Response,
    routing::{get, post},
};
use kernel::{Clock, Entropy, EntropyUnavailable, Timestamp};
use serde_json::Value;

use crate::{
    content::{FormBody, JsonBody},
    oauth_error::OAuthError,
    problem::Problem,
    surroundings::{Surroundings, surround},
};

/// A clock that moves on by a millisecond each time it is read.
struct TickingClock(AtomicI64);

impl Clock for TickingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.fetch_add(1_000, Ordering::Relaxed)).unwrap()
    }
}

/// Bytes that differ from one call to the next.
struct CountingEntropy(AtomicU8);

impl Entropy for CountingEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
        Ok(())
    }
}

/// No randomness at all.
pub(crate) struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyUnavailable> {
        Err(EntropyUnavailable)
    }
}

/// A world in November 2026.
pub(crate) fn surroundings() -> Surroundings {
    Surroundings {
        issuer: "https://idp.example.com".parse().unwrap(),
        clock: Arc::new(TickingClock(AtomicI64::new(1_795_248_600_000_000))),
        entropy: Arc::new(CountingEntropy(AtomicU8::new(0))),
        observer: Arc::new(crate::metrics::Uncounted),
        speaks_oauth: |route| route.starts_with("/api/v1/token"),
    }
}

async fn read_json(body: JsonBody) -> Result<&'static str, Problem> {
    body.fields()?.finish(|| Some("read"))
}

async fn read_form(body: FormBody) -> Result<&'static str, OAuthError> {
    body.form(&[]).map(|_| "read")
}

async fn panics() -> &'static str {
    panic!("canary of a panic")
}

/// Routes that answer, that read, and that panic; `more` adds a test's own.
pub(crate) fn router(more: impl FnOnce(Router) -> Router) -> Router {
    let routes = Router::new()
        .route("/ok", get(async || "ok"))
        .route("/ok/{name}", get(async || "ok"))
        .route("/cached", get(async || ([("cache-control", "public, max-age=300")], "ok")))
        .route("/json", post(read_json))
        .route("/panic", get(panics))
        .route("/api/v1/token", post(read_form))
        .route("/api/v1/token/panic", get(panics));
    let routes = more(routes).fallback(async || Problem::not_found()).method_not_allowed_fallback(
        async |method: Method| {
            let allowed = HeaderValue::from_static("GET, HEAD");
            Problem::method_not_allowed(&method).with_header(header::ALLOW, allowed)
        },
    );
    surround(routes, surroundings())
}

/// A response, read to its end: status, headers and body; the body is null where it is no JSON.
pub(crate) async fn read(response: Response) -> (u16, HeaderMap, Value) {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    (parts.status.as_u16(), parts.headers, body)
}
