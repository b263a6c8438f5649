//! Gives each request its id and its origin, and each response its headers and its log line.

use std::net::IpAddr;

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::{EntropyUnavailable, RequestId, Timestamp};
use tenancy::{Origin, UserAgent};
use tokens::{Issuer, Scheme};

use crate::{
    findings::Findings, metrics::Answered, problem::Problem, render, surroundings::Surroundings,
};

/// The name of the header that carries a request's id, both ways.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The address at the other end of the connection. The server puts it into a request's extensions;
/// whoever serves the router in another way must too, for failures are counted against it.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// What the log line tells of a request: never its query, its body or its headers, any of which may
/// hold a secret.
struct Line {
    method: &'static str,
    route: Option<MatchedPath>,
    started: Timestamp,
}

impl Line {
    fn write(&self, status: StatusCode, findings: &Findings, surroundings: &Surroundings) {
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        let (took, code) = (surroundings.clock.now().since(self.started), status.as_u16());
        let answered = Answered { method: self.method, route, status: code, took };
        surroundings.observer.answered(&answered);
        let caller = findings.caller();
        tracing::info!(
            method = self.method,
            route,
            status = code,
            latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            request_id = %findings.origin().request,
            organization_id = caller.map(|(organization, _)| tracing::field::display(organization)),
            agent_id = caller.and_then(|(_, agent)| agent.as_ref()).map(tracing::field::display),
            "request"
        );
    }
}

/// Serves a request as one of which it is known which it is.
pub(crate) async fn enter(
    surroundings: &Surroundings,
    mut request: Request,
    next: Next,
) -> Response {
    let started = surroundings.clock.now();
    let line = Line {
        method: known_name(request.method()),
        route: request.extensions().get::<MatchedPath>().cloned(),
        started,
    };
    let (mut response, findings) = match request_id(request.headers(), surroundings, started) {
        Ok(id) => {
            let findings = Findings::of(origin(&request, id));
            request.extensions_mut().insert(findings.clone());
            let route = line.route.as_ref();
            (render::answer(surroundings, &findings, (request, route), next).await, findings)
        }
        // Without randomness nothing can be told apart, so nothing is begun.
        Err(error) => {
            let findings = Findings::of(Origin::internal());
            let (refusal, id) = (Problem::unavailable(error), &findings.origin().request);
            let issuer = (&surroundings.issuer, Scheme::Bearer);
            (render::render(refusal.into_response(), issuer, id), findings)
        }
    };
    finish(response.headers_mut(), &findings.origin().request, &surroundings.issuer);
    line.write(response.status(), &findings, surroundings);
    response
}

/// The caller's own id if it sent one that is sane, and only one.
fn request_id(
    headers: &HeaderMap,
    surroundings: &Surroundings,
    now: Timestamp,
) -> Result<RequestId, EntropyUnavailable> {
    let mut sent = headers.get_all(REQUEST_ID).iter();
    let own = match (sent.next(), sent.next()) {
        (Some(only), None) => only.to_str().ok().and_then(RequestId::parse),
        (None, _) | (Some(_), Some(_)) => None,
    };
    own.map_or_else(|| RequestId::generate(now, &*surroundings.entropy), Ok)
}

fn origin(request: &Request, id: RequestId) -> Origin {
    let user_agent = request.headers().get(header::USER_AGENT);
    Origin {
        request: id,
        address: request.extensions().get::<Peer>().map(|peer| peer.0),
        user_agent: user_agent
            .and_then(|value| UserAgent::new(&String::from_utf8_lossy(value.as_bytes()))),
    }
}

/// A method is any token that a client thinks up; the log has the ones that exist.
pub(crate) fn known_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

/// Headers that every response carries, unless whoever made it knew better.
const DEFAULTS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::CACHE_CONTROL, "no-store"),
];

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

fn finish(headers: &mut HeaderMap, request_id: &RequestId, issuer: &Issuer) {
    if let Ok(id) = HeaderValue::from_str(request_id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in DEFAULTS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    // What another origin may read, it may also load.
    let shared = headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    let policy = if shared { "cross-origin" } else { "same-origin" };
    headers.entry(RESOURCE_POLICY).or_insert(HeaderValue::from_static(policy));
    if issuer.as_str().starts_with("https://") {
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(HeaderValue::from_static("max-age=63072000"));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex, PoisonError},
    };

    use axum::{Extension, Router, body::Body, routing::get};
    use kernel::StoreError;
    use serde_json::{Value, json};
    use tower::ServiceExt;

    use super::*;
    use crate::sample;

    /// What was logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The log lines of one request, at the level that tells the most.
    async fn logged(request: Request, more: impl FnOnce(Router) -> Router) -> Vec<Value> {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        // What no other thread listens to when it is first reached could be taken for what nobody ever
        // will: somebody listens everywhere, and keeps nothing. An error says that it is there already.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        // The shield's task runs on this thread too, and so within the guard.
        let guard = tracing::subscriber::set_default(subscriber);
        sample::router(more).oneshot(request).await.unwrap();
        drop(guard);
        let bytes = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains("canary"), "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test]
    async fn sl_01_a_request_leaves_one_line_without_anything_secret() {
        let request = Request::get("/ok/canary?client_secret=canary")
            .header("authorization", "Bearer canary")
            .header("x-request-id", "trace-1")
            .header("user-agent", "canary")
            .body(Body::from("canary"))
            .unwrap();
        let lines = logged(request, |routes| routes).await;
        assert_eq!(lines.len(), 1, "{lines:?}");
        let mut line = lines.into_iter().next().unwrap();
        line.as_object_mut().unwrap().remove("timestamp");
        assert_eq!(
            line,
            json!({
                "level": "INFO",
                "target": "http_api::request_context",
                "message": "request",
                "method": "GET",
                "route": "/ok/{name}",
                "status": 200,
                "latency_ms": 1,
                "request_id": "trace-1",
            })
        );
    }

    #[tokio::test]
    async fn the_line_names_the_caller_once_it_is_known() {
        let organization = "018bcfe5-687b-7001-8203-040506070809";
        let agent = "018bcfe5-687b-7001-8203-040506070810";
        let authenticates = async move |Extension(findings): Extension<Findings>| {
            findings.note_caller(organization.parse().unwrap(), Some(agent.parse().unwrap()));
        };
        let request = Request::get("/who").body(Body::empty()).unwrap();
        let lines = logged(request, |routes| routes.route("/who", get(authenticates))).await;
        assert_eq!(lines[0]["organization_id"], organization);
        assert_eq!(lines[0]["agent_id"], agent);
    }

    #[tokio::test]
    async fn a_fault_is_logged_once_with_its_cause_and_a_refusal_below_it() {
        let fails = async || Problem::from(StoreError::unavailable("connection refused"));
        let request = Request::get("/fails").body(Body::empty()).unwrap();
        let lines = logged(request, |routes| routes.route("/fails", get(fails))).await;
        let told: Vec<_> =
            lines.iter().map(|line| (&line["level"], &line["causes"], &line["route"])).collect();
        assert_eq!(
            told,
            [
                (&json!("ERROR"), &json!("connection refused"), &Value::Null),
                (&json!("INFO"), &Value::Null, &json!("/fails")),
            ]
        );

        let nowhere = Request::get("/canary").body(Body::empty()).unwrap();
        let lines = logged(nowhere, |routes| routes).await;
        assert_eq!((&lines[0]["level"], &lines[0]["code"]), (&json!("DEBUG"), &json!("NOT_FOUND")));
        assert_eq!((&lines[1]["level"], &lines[1]["route"]), (&json!("INFO"), &json!("unmatched")));
    }

    #[test]
    fn a_method_that_nobody_knows_is_not_repeated() {
        let made_up = Method::from_bytes(b"CANARY").unwrap();
        assert_eq!((known_name(&made_up), known_name(&Method::PATCH)), ("OTHER", "PATCH"));
    }

    #[tokio::test]
    async fn a_handler_learns_where_the_request_comes_from() {
        let tells = async |Extension(findings): Extension<Findings>| {
            let origin = findings.origin();
            assert_eq!(origin.request.as_str(), "trace-1");
            assert_eq!(origin.address, Some("192.0.2.1".parse().unwrap()));
            assert_eq!(origin.user_agent.as_ref().unwrap().as_str(), "curl/8\u{fffd}");
        };
        let request = Request::get("/tells")
            .header("x-request-id", "trace-1")
            .header("user-agent", HeaderValue::from_bytes(b"curl/8\xff").unwrap())
            .extension(Peer("192.0.2.1".parse().unwrap()))
            .body(Body::empty())
            .unwrap();
        let router = sample::router(|routes| routes.route("/tells", get(tells)));
        assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::OK);
    }
}
