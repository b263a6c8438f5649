//! What is counted of requests, and where the counts are read.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

/// The media type of the Prometheus text format's successor, which scrapers ask for.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A request that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered<'a> {
    /// The method, or `OTHER`.
    pub method: &'static str,
    /// The route as the router spells it, or `unmatched`: never the path, of which there are too many.
    pub route: &'a str,
    /// The status.
    pub status: u16,
    /// How long it took until the body began.
    pub took: Duration,
}

/// Counts requests. It must not wait for anything.
pub trait RequestObserver: Send + Sync {
    /// A request was answered.
    fn answered(&self, answered: &Answered<'_>);
}

/// Gives out what was counted.
pub trait MetricsText: Send + Sync {
    /// All metrics, in the OpenMetrics text format. `None` where they cannot be written.
    fn text(&self) -> Option<String>;
}

/// A router that serves metrics and nothing else, for a listener of its own.
pub fn metrics_router(metrics: Arc<dyn MetricsText>) -> Router {
    let read = move || {
        let metrics = Arc::clone(&metrics);
        async move { written(&*metrics) }
    };
    Router::new().route("/metrics", get(read))
}

/// The metrics as a response.
pub(crate) fn written(metrics: &dyn MetricsText) -> Response {
    match metrics.text() {
        Some(text) => ([(header::CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Nobody counts.
#[derive(Clone, Copy)]
pub(crate) struct Uncounted;

impl RequestObserver for Uncounted {
    fn answered(&self, _: &Answered<'_>) {}
}

impl fmt::Debug for Uncounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uncounted")
    }
}
