//! Shows a caller what is left of its rate, and holds visitors to theirs.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::Timestamp;
use tenancy::{Admission, Origin};

use crate::{oauth_error::OAuthError, problem::Problem, state::Ports};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What the limiter said to this request. Whoever asks the limiter fills it in.
#[derive(Debug, Clone, Default)]
pub(crate) struct AdmissionSlot(Arc<OnceLock<Admission>>);

impl AdmissionSlot {
    /// Notes what the limiter said. The first note stays.
    pub(crate) fn note(&self, admission: Admission) {
        self.0.get_or_init(|| admission);
    }

    /// Notes what it said, if it was asked.
    pub(crate) fn note_any(&self, admission: Option<Admission>) {
        if let Some(admission) = admission {
            self.note(admission);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.get().is_none()
    }
}

/// The layer that shows the admission on whatever answer the request gets.
pub(crate) async fn show(mut request: Request, next: Next) -> Response {
    let slot = AdmissionSlot::default();
    request.extensions_mut().insert(slot.clone());
    let mut response = next.run(request).await;
    if let Some(admission) = slot.0.get() {
        write(response.headers_mut(), admission);
    }
    response
}

fn write(headers: &mut HeaderMap, admission: &Admission) {
    headers.insert(LIMIT, HeaderValue::from(admission.limit));
    headers.insert(REMAINING, HeaderValue::from(admission.remaining));
    headers.insert(RESET, HeaderValue::from(admission.resets_at.unix_seconds()));
}

/// How long to wait after a refusal.
pub(crate) fn retry_after(admission: &Admission, now: Timestamp) -> Duration {
    admission.resets_at.since(now)
}

/// The layer around routes that anybody may call: so often from one address, and no more.
pub(crate) async fn hold_visitors(
    State(ports): State<Ports>,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.extensions().get::<Origin>() else {
        return next.run(request).await;
    };
    match ports.authenticator.visitor(origin).await {
        Ok(Some(admission)) if !admission.admitted => {
            if let Some(slot) = request.extensions().get::<AdmissionSlot>() {
                slot.note(admission);
            }
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
    State(ports): State<Ports>,
    request: Request,
    next: Next,
) -> Response {
    let slot = request.extensions().get::<AdmissionSlot>().cloned().unwrap_or_default();
    let origin = request.extensions().get::<Origin>().cloned();
    let response = next.run(request).await;
    let (Some(origin), true) = (origin, response.status().is_client_error() && slot.is_empty())
    else {
        return response;
    };
    match ports.authenticator.failure(&origin).await {
        Ok(admission) => {
            slot.note_any(admission);
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
