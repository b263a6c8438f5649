//! Writes the body of every refusal, and logs what is behind it: once, here, where it leaves.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use kernel::{RequestId, store::Source};
use serde_json::Value;
use thiserror::Error;
use tokens::{Issuer, Scheme};

use crate::{
    challenge::Challenge, dpop, findings::Findings, oauth_error::OAuthError, problem::Problem,
    rate_limit, surroundings::Surroundings,
};

/// As many headers as an answer has in the end. A map that must grow for them moves all that it has
/// each time.
pub(crate) const MOST_HEADERS: usize = 16;

/// A panic in a handler. Its text is for the log alone.
#[derive(Debug, Error)]
#[error("a handler panicked: {0}")]
pub(crate) struct Panicked(String);

impl Panicked {
    /// What a panic left behind. Only its text is kept: the payload of another type may hold
    /// anything.
    pub(crate) fn new(payload: &(dyn Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Self(text.unwrap_or_else(|| "no text".to_owned()))
    }
}

/// Has the request answered, turns a refusal in the extensions of the response into its body and a
/// panic into a refusal, and shows what was found out about the request.
pub(crate) async fn answer(
    surroundings: &Surroundings,
    findings: &Findings,
    (request, route): (Request, Option<&MatchedPath>),
    next: Next,
) -> Response {
    let shown = dpop::shown(request.headers());
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answered.map_or_else(
        |payload| {
            let source = Panicked::new(&*payload);
            if route.is_some_and(|route| (surroundings.speaks_oauth)(route.as_str())) {
                OAuthError::internal(source).into_response()
            } else {
                Problem::internal(source).into_response()
            }
        },
        |mut response| {
            response.headers_mut().reserve(MOST_HEADERS);
            rate_limit::show(&mut response, findings, &*surroundings.clock);
            dpop::show(&mut response, findings);
            response
        },
    );
    render(response, (&surroundings.issuer, shown), &findings.origin().request)
}

/// Writes the body of a refusal, if the response is one.
pub(crate) fn render(
    mut response: Response,
    (issuer, shown): (&Issuer, Scheme),
    request_id: &RequestId,
) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Arc<Problem>>() {
        log(response.status(), problem.code().name(), problem.source(), request_id);
        let body = problem.body(issuer, request_id.as_str());
        write(&mut response, "application/problem+json", &body);
        challenge(&mut response, problem.challenge(), (issuer, shown));
        come_again(&mut response, request_id);
    }
    if let Some(error) = response.extensions_mut().remove::<Arc<OAuthError>>() {
        log(response.status(), error.error(), error.source(), request_id);
        write(&mut response, "application/json", &error.body());
        challenge(&mut response, error.challenge(), (issuer, shown));
        come_again(&mut response, request_id);
    }
    response
}

fn write(response: &mut Response, media_type: &'static str, body: &Value) {
    *response.body_mut() = Body::from(body.to_string());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    // The router has counted the empty body that was here.
    headers.remove(header::CONTENT_LENGTH);
}

fn challenge(
    response: &mut Response,
    challenge: Option<&Challenge>,
    (issuer, shown): (&Issuer, Scheme),
) {
    for value in challenge.into_iter().flat_map(|challenge| challenge.headers(issuer, shown)) {
        response.headers_mut().append(header::WWW_AUTHENTICATE, value);
    }
}

/// Says when to come again after an outage: in one to three seconds, by the request's id. Clients that
/// were all refused at the same time would otherwise all come back at the same time.
fn come_again(response: &mut Response, request_id: &RequestId) {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        let sum: u32 = request_id.as_str().bytes().map(u32::from).sum();
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(1 + sum % 3));
    }
}

/// A fault of the server is an error, with all that is known of its causes. A refusal is the
/// caller's affair; of what it sent nothing is logged.
fn log(status: StatusCode, code: &str, source: Option<&Source>, request_id: &RequestId) {
    let status_code = status.as_u16();
    if status.is_server_error() {
        let causes = source.map_or_else(|| "unknown".to_owned(), |source| chain(&**source));
        tracing::error!(%request_id, status = status_code, code, causes, "a request failed");
    } else {
        tracing::debug!(%request_id, status = status_code, code, "a request was refused");
    }
}

/// An error and its causes, for the log.
pub(crate) fn chain(outermost: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(outermost), |cause| cause.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use kernel::StoreError;

    use super::*;

    #[derive(Debug, Error)]
    #[error("outer")]
    struct Outer(#[source] StoreError);

    #[test]
    fn the_log_gets_the_whole_chain_of_causes() {
        let source = Outer(StoreError::unavailable("connection refused"));
        assert_eq!(chain(&source), "outer: the store is not available: connection refused");
    }

    #[test]
    fn of_a_panic_only_its_text_is_kept() {
        assert_eq!(Panicked::new(&"boom").to_string(), "a handler panicked: boom");
        assert_eq!(Panicked::new(&"boom".to_owned()).to_string(), "a handler panicked: boom");
        assert_eq!(Panicked::new(&7_u8).to_string(), "a handler panicked: no text");
    }

    #[test]
    fn a_response_that_is_no_refusal_is_left_alone() {
        let issuer = "https://idp.example.com".parse().unwrap();
        let response = (StatusCode::OK, [("content-length", "2")], "ok").into_response();
        let response = render(response, (&issuer, Scheme::Bearer), &RequestId::internal());
        assert_eq!(response.headers()["content-length"], "2");
    }

    #[test]
    fn do_07_whoever_is_refused_by_an_outage_is_told_one_of_three_times_to_come_again() {
        let issuer = "https://idp.example.com".parse().unwrap();
        let wait = |refusal: Response, id: &str| {
            let refused =
                render(refusal, (&issuer, Scheme::Bearer), &RequestId::parse(id).unwrap());
            let header = refused.headers().get("retry-after");
            header.map(|value| value.to_str().unwrap().to_owned())
        };
        let mut told = std::collections::BTreeSet::new();
        for id in ["r-1", "r-2", "r-3", "r-4"] {
            let problem = wait(Problem::unavailable("away").into_response(), id);
            assert_eq!(problem, wait(OAuthError::unavailable("away").into_response(), id));
            told.insert(problem.unwrap());
        }
        assert!(told.iter().eq(["1", "2", "3"]), "{told:?}");
        assert_eq!(wait(Problem::internal("a bug").into_response(), "r-1"), None);
    }

    #[test]
    fn a_refusal_gets_its_challenge() {
        let issuer = "https://idp.example.com".parse().unwrap();
        let id = RequestId::internal();
        let refused =
            render(Problem::token_required().into_response(), (&issuer, Scheme::Bearer), &id);
        assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
        assert_eq!(refused.headers()["content-type"], "application/problem+json");
    }
}
