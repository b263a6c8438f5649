//! What lies around every route, in the one order that is right.

use std::{fmt, sync::Arc};

use axum::{Router, middleware};
use kernel::{Clock, Entropy};
use tokens::Issuer;

use crate::{metrics::RequestObserver, shield};

/// What the layers around all routes need.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// Whose answers these are.
    pub(crate) issuer: Issuer,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Randomness, for request ids.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Who counts requests.
    pub(crate) observer: Arc<dyn RequestObserver>,
    /// Whether a route, as the router spells it, answers in the words of RFC 6749. It counts where no
    /// handler lived to say so.
    pub(crate) speaks_oauth: fn(&str) -> bool,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// Puts what belongs around every route around a router whose routes and fallbacks are complete: routes
/// added later would lie outside.
///
/// It is one layer, since each costs several allocations for a request, and functions that call each
/// other. From the outside in: the shield, so that nothing that follows is ever dropped midway; the
/// context, so that a refusal has its request id, its headers and its log line; the rendering, which
/// also catches a handler's panic and shows what was found out about the request.
pub(crate) fn surround(router: Router, surroundings: Surroundings) -> Router {
    router.layer(middleware::from_fn_with_state(Arc::new(surroundings), shield::shield))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request, response::Response};
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;
    use crate::sample;

    async fn send(request: Request<Body>) -> Response {
        sample::router(|routes| routes).oneshot(request).await.unwrap()
    }

    fn request(method: &str, path: &str) -> Request<Body> {
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn every_response_carries_the_headers_of_the_house() {
        for (method, path) in [
            ("GET", "/ok"),
            ("GET", "/nowhere"),
            ("PUT", "/ok"),
            ("GET", "/panic"),
            ("POST", "/api/v1/token"),
        ] {
            let response = send(request(method, path)).await;
            let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
            assert_eq!(header("x-content-type-options"), "nosniff");
            assert_eq!(
                header("content-security-policy"),
                "default-src 'none'; frame-ancestors 'none'"
            );
            assert_eq!(header("referrer-policy"), "no-referrer");
            assert_eq!(header("x-frame-options"), "DENY");
            assert_eq!(header("cross-origin-resource-policy"), "same-origin");
            assert_eq!(header("cache-control"), "no-store");
            assert_eq!(header("strict-transport-security"), "max-age=63072000");
            assert!(!header("x-request-id").is_empty());
        }
        let cached = send(request("GET", "/cached")).await;
        assert_eq!(cached.headers()["cache-control"], "public, max-age=300");
    }

    #[tokio::test]
    async fn a_sane_request_id_is_the_callers_own() {
        let answered = |ids: &'static [&'static str]| async move {
            let mut asked = request("GET", "/nowhere");
            for id in ids {
                asked.headers_mut().append("x-request-id", id.parse().unwrap());
            }
            let (_, headers, body) = sample::read(send(asked).await).await;
            assert_eq!(headers["x-request-id"].to_str().unwrap(), body["requestId"]);
            headers["x-request-id"].to_str().unwrap().to_owned()
        };
        assert_eq!(answered(&["trace-1"]).await, "trace-1");
        for strange in [&[][..], &["a b"], &["<x>"], &["one", "two"]] {
            assert_eq!(answered(strange).await.len(), 36, "{strange:?}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_written_in_full() {
        let mut asked = request("PUT", "/ok");
        asked.headers_mut().insert("x-request-id", "trace-1".parse().unwrap());
        let (status, headers, body) = sample::read(send(asked).await).await;
        assert_eq!(status, 405);
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["allow"], "GET, HEAD");
        assert_eq!(headers["content-length"], body.to_string().len().to_string());
        assert_eq!(
            body,
            json!({
                "type": "https://idp.example.com/errors/method-not-allowed",
                "title": "The method is not allowed",
                "status": 405,
                "code": "METHOD_NOT_ALLOWED",
                "message": "`PUT` is not allowed here",
                "details": {},
                "requestId": "trace-1",
            })
        );
    }

    #[tokio::test]
    async fn head_tells_the_length_of_what_get_would_send() {
        for path in ["/ok", "/nowhere"] {
            let got = sample::read(send(request("GET", path)).await).await;
            let (status, headers, body) = sample::read(send(request("HEAD", path)).await).await;
            assert_eq!((status, body), (got.0, serde_json::Value::Null));
            assert_eq!(headers["content-length"], got.1["content-length"], "{path}");
        }
    }

    #[tokio::test]
    async fn sl_03_a_panic_tells_the_caller_nothing() {
        let (status, headers, body) = sample::read(send(request("GET", "/panic")).await).await;
        assert_eq!((status, &body["code"]), (500, &json!("INTERNAL_ERROR")));
        assert!(!body.to_string().contains("canary"));
        assert_eq!(headers["x-request-id"].to_str().unwrap(), body["requestId"]);

        let (status, headers, body) =
            sample::read(send(request("GET", "/api/v1/token/panic")).await).await;
        assert_eq!((status, headers["pragma"].to_str().unwrap()), (500, "no-cache"));
        assert_eq!(body, json!({"error": "server_error", "error_description": "internal error"}));
    }

    #[tokio::test]
    async fn without_randomness_nothing_is_begun() {
        let begun = async || -> &'static str { panic!("a handler was called") };
        let routes = Router::new().route("/ok", axum::routing::get(begun));
        let no_entropy =
            Surroundings { entropy: Arc::new(sample::NoEntropy), ..sample::surroundings() };
        let response = surround(routes, no_entropy).oneshot(request("GET", "/ok")).await.unwrap();
        let (status, headers, body) = sample::read(response).await;
        assert_eq!((status, &body["code"]), (503, &json!("SERVICE_UNAVAILABLE")));
        assert!(headers.contains_key("retry-after"));
    }
}
