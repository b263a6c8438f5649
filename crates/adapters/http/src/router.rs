//! Builds the router from the route table, with the layers around it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Router,
    extract::MatchedPath,
    http::{HeaderName, HeaderValue, Method, header},
    middleware,
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use kernel::Entropy;
use tower_http::cors::CorsLayer;

use crate::{
    denials, dpop,
    endpoints::{self, Mounted},
    metrics::{RequestObserver, Uncounted},
    oauth_error::OAuthError,
    placement,
    problem::Problem,
    rate_limit,
    request_context::REQUEST_ID,
    route::{Access, Dialect, Route},
    state::{Ports, SharedPorts},
    surroundings::{Surroundings, surround},
};

/// What the router is told.
pub struct RouterSettings {
    /// The origins whose pages may call the API; none by default.
    pub cors_origins: Vec<String>,
    /// Randomness, for request ids.
    pub entropy: Arc<dyn Entropy>,
    /// Who counts requests.
    pub observer: Option<Arc<dyn RequestObserver>>,
}

impl std::fmt::Debug for RouterSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RouterSettings")
            .field("cors_origins", &self.cors_origins)
            .finish_non_exhaustive()
    }
}

/// Every route that the router serves.
#[must_use]
pub fn routes() -> Vec<Route> {
    endpoints::all().into_iter().map(|mounted| mounted.route).collect()
}

/// The router, whole: every route, the answers to what is none, and the layers around them.
pub fn build(ports: Ports, settings: &RouterSettings) -> Router {
    let issuer = ports.authorization_server.issuer().clone();
    let surroundings = Surroundings {
        issuer: issuer.clone(),
        clock: ports.process.clock.clone(),
        entropy: settings.entropy.clone(),
        observer: settings.observer.clone().unwrap_or_else(|| Arc::new(Uncounted)),
        speaks_oauth,
    };
    let ports = SharedPorts::new(ports);
    let mut router = Router::new();
    for (path, handler) in by_path(&ports) {
        router = router.route(path, handler);
    }
    let router = router
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(async || Problem::not_found())
        .with_state(ports);
    let router = match cors(&settings.cors_origins) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    placement::place(surround(router, surroundings), &issuer)
}

/// The handlers of each path together, so that a wrong method is told the right ones.
fn by_path(ports: &SharedPorts) -> BTreeMap<&'static str, MethodRouter<SharedPorts>> {
    let mut paths = BTreeMap::new();
    for Mounted { route, handler } in endpoints::all() {
        let handler = match route.access {
            Access::Public => handler
                .layer(middleware::from_fn_with_state(ports.clone(), rate_limit::hold_visitors)),
            Access::Client | Access::ClientOrBearer(_) => handler
                .layer(middleware::from_fn_with_state(ports.clone(), rate_limit::hold_malformed)),
            Access::Bearer(_) => handler.layer(middleware::from_fn_with_state(
                (ports.clone(), route.operation),
                denials::note,
            )),
            Access::Probe => handler,
        };
        let there = paths.remove(route.path).unwrap_or_else(MethodRouter::new);
        paths.insert(route.path, there.merge(handler));
    }
    paths
}

/// In the words that the other answers of the path are in.
async fn method_not_allowed(method: Method, path: MatchedPath) -> Response {
    let mut response = if speaks_oauth(path.as_str()) {
        OAuthError::method_not_allowed(&method).into_response()
    } else {
        Problem::method_not_allowed(&method).into_response()
    };
    if let Ok(allowed) = HeaderValue::try_from(allowed(path.as_str())) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}

/// The methods of a path. What answers GET answers HEAD too.
fn allowed(path: &str) -> String {
    let mut methods = BTreeSet::new();
    for route in routes().iter().filter(|route| route.path == path) {
        methods.insert(route.method.to_string());
        if route.method == Method::GET {
            methods.insert(Method::HEAD.to_string());
        }
    }
    methods.into_iter().collect::<Vec<_>>().join(", ")
}

fn speaks_oauth(path: &str) -> bool {
    routes().iter().any(|route| route.path == path && route.dialect == Dialect::OAuth)
}

/// Lets pages of these origins call the API with a token. No cookies are involved, so no
/// credentials mode is allowed.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<_> =
        origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let exposed = ["etag", "location", "retry-after", "www-authenticate", "idempotent-replayed"]
        .map(HeaderName::from_static);
    let limits = rate_limit::HEADERS.into_iter().chain([dpop::NONCE]);
    Some(
        CorsLayer::new()
            .allow_origin(origins)
            .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
            .allow_headers([
                header::AUTHORIZATION,
                header::CONTENT_TYPE,
                header::IF_MATCH,
                dpop::PROOF,
                HeaderName::from_static("idempotency-key"),
                REQUEST_ID,
            ])
            .expose_headers(
                exposed.into_iter().chain(limits).chain([REQUEST_ID]).collect::<Vec<_>>(),
            ),
    )
}
