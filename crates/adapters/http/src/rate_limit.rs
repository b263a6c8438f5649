//! Shows a caller what is left of its rate, and holds visitors to theirs.

use std::time::Duration;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::{Clock, Timestamp};
use tenancy::Admission;

use crate::{findings::Findings, oauth_error::OAuthError, problem::Problem, state::SharedPorts};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const SERVICE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Every header that tells of a limit, but for `Retry-After`.
pub(crate) const HEADERS: [HeaderName; 5] = [LIMIT, REMAINING, RESET, POLICY, SERVICE_LIMIT];

/// The window that every limit counts in, in seconds.
const WINDOW: u64 = 60;

/// The largest integer of a structured field (RFC 9651 section 3.3.1).
const LARGEST: u64 = 999_999_999_999_999;

/// Shows the admission on whatever answer the request gets.
pub(crate) fn show(response: &mut Response, findings: &Findings, clock: &dyn Clock) {
    let Some(admission) = findings.admission() else { return };
    let away = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    write(headers, admission);
    // What is out of reach tells by `Retry-After` when to come again, which may be sooner than the
    // limit is free: the two must not contradict each other.
    if !away {
        write_fields(headers, admission, retry_after(admission, clock.now()));
    }
}

fn write(headers: &mut HeaderMap, admission: &Admission) {
    headers.insert(LIMIT, HeaderValue::from(admission.limit));
    headers.insert(REMAINING, HeaderValue::from(admission.remaining));
    headers.insert(RESET, HeaderValue::from(admission.resets_at.unix_seconds()));
}

/// The same in the structured fields of draft-ietf-httpapi-ratelimit-headers-11, sections 3 and 4.
/// `Retry-After` wins (section 6): the window that is told never ends after it.
fn write_fields(headers: &mut HeaderMap, admission: &Admission, wait: Duration) {
    let retry_after = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|seconds| seconds.parse().ok()).unwrap_or(u64::MAX);
    let window = whole_seconds(wait).min(retry_after).min(LARGEST);
    let (quota, left) = (admission.limit.min(LARGEST), admission.remaining.min(LARGEST));
    let fields = [
        (POLICY, format!("\"default\";q={quota};w={}", WINDOW)),
        (SERVICE_LIMIT, format!("\"default\";r={left};t={window}")),
    ];
    for (name, field) in fields {
        if let Ok(value) = HeaderValue::try_from(field) {
            headers.insert(name, value);
        }
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// How long to wait after a refusal.
pub(crate) fn retry_after(admission: &Admission, now: Timestamp) -> Duration {
    admission.resets_at.since(now)
}

/// The layer around routes that anybody may call: so often from one address, and no more.
pub(crate) async fn hold_visitors(
    State(ports): State<SharedPorts>,
    request: Request,
    next: Next,
) -> Response {
    let Some(findings) = request.extensions().get::<Findings>() else {
        return next.run(request).await;
    };
    match ports.authenticator.visitor(findings.origin()).await {
        Ok(Some(admission)) if !admission.admitted => {
            findings.note_admission(admission);
            let now = ports.process.clock.now();
            Problem::rate_limited(retry_after(&admission, now)).into_response()
        }
        Ok(_) => next.run(request).await,
        Err(error) => Problem::from(error).into_response(),
    }
}

/// The layer around the OAuth endpoints: what is refused before anybody was asked to authenticate
/// counts against the address. A client's malformed requests would otherwise be free, and their
/// answers lack what every answer of these endpoints shows.
pub(crate) async fn hold_malformed(
    State(ports): State<SharedPorts>,
    request: Request,
    next: Next,
) -> Response {
    let findings = request.extensions().get::<Findings>().cloned();
    let response = next.run(request).await;
    let Some(findings) =
        findings.filter(|found| response.status().is_client_error() && found.admission().is_none())
    else {
        return response;
    };
    match ports.authenticator.failure(findings.origin()).await {
        Ok(admission) => {
            findings.note_any_admission(admission);
            match admission.filter(|admission| !admission.admitted) {
                None => response,
                Some(refused) => {
                    let now = ports.process.clock.now();
                    OAuthError::rate_limited(retry_after(&refused, now)).into_response()
                }
            }
        }
        Err(error) => OAuthError::from(error).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(retry_after: Option<&'static str>, admission: &Admission) -> (String, String) {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
        }
        write_fields(&mut headers, admission, Duration::from_millis(29_001));
        let told = |name| headers.get(name).unwrap().to_str().unwrap().to_owned();
        (told(POLICY), told(SERVICE_LIMIT))
    }

    #[test]
    fn the_window_that_is_told_never_ends_after_retry_after() {
        let resets_at = Timestamp::from_unix_micros(0).unwrap();
        let admission = Admission { admitted: true, limit: 100, remaining: 50, resets_at };
        let policy = "\"default\";q=100;w=60".to_owned();
        for (retry_after, window) in
            [(None, 30), (Some("60"), 30), (Some("30"), 30), (Some("7"), 7)]
        {
            let limit = format!("\"default\";r=50;t={window}");
            assert_eq!(fields(retry_after, &admission), (policy.clone(), limit));
        }
    }

    #[test]
    fn a_number_is_one_that_a_structured_field_can_hold() {
        let resets_at = Timestamp::from_unix_micros(0).unwrap();
        let admission =
            Admission { admitted: true, limit: u64::MAX, remaining: u64::MAX, resets_at };
        let (policy, limit) = fields(None, &admission);
        assert_eq!(policy, "\"default\";q=999999999999999;w=60");
        assert_eq!(limit, "\"default\";r=999999999999999;t=30");
    }
}
