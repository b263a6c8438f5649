//! A refusal of the management API (RFC 9457): made here and nowhere else.
//!
//! A problem holds no internal text. Its message is written for the caller; what went wrong inside
//! is a boxed source, which is logged once, where the answer leaves (see `render`), and shown to nobody.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use kernel::{StoreError, store::Source};
use serde_json::{Map, Value, json};
use tenancy::Plan;
use tokens::{InvalidProof, Issuer};

use crate::{challenge::Challenge, error_code::Code};

/// Each bad field and its reason. A field keeps the first reason that it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FieldErrors(BTreeMap<String, String>);

impl FieldErrors {
    /// One bad field.
    pub(crate) fn of(name: impl Into<String>, reason: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(name, reason);
        errors
    }

    /// One more.
    pub(crate) fn add(&mut self, name: impl Into<String>, reason: impl Into<String>) {
        self.0.entry(name.into()).or_insert_with(|| reason.into());
    }

    /// Whether this field is among them.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn into_details(self) -> Map<String, Value> {
        let fields = self.0.into_iter().map(|(name, reason)| (name, Value::String(reason)));
        Map::from_iter([("fields".to_owned(), Value::Object(fields.collect()))])
    }
}

/// Why a request of the management API is refused, and all that the caller learns of it.
#[derive(Debug)]
pub(crate) struct Problem {
    code: Code,
    message: Cow<'static, str>,
    details: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    challenge: Option<Challenge>,
    source: Option<Source>,
}

impl Problem {
    /// A problem of this code, with a message for the caller.
    fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Map::new(),
            headers: Vec::new(),
            challenge: None,
            source: None,
        }
    }

    /// The request is not of the form asked for.
    pub(crate) fn validation(fields: FieldErrors) -> Self {
        let problem = Self::new(Code::ValidationError, "the request is not valid");
        Self { details: fields.into_details(), ..problem }
    }

    /// Fields that never change were sent.
    pub(crate) fn immutable(fields: FieldErrors) -> Self {
        let names: Vec<String> = fields.0.keys().map(|name| format!("`{name}`")).collect();
        let message = format!("{} cannot be changed", names.join(", "));
        Self { details: fields.into_details(), ..Self::new(Code::ImmutableField, message) }
    }

    /// There is no such route, or no such part of an agent that the caller may see.
    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "there is nothing here")
    }

    /// The target may be seen, and what is asked of it is not there, or not yet.
    pub(crate) fn absent(message: &'static str) -> Self {
        Self::new(Code::NotFound, message)
    }

    /// The route has no such method. The router adds `Allow`.
    pub(crate) fn method_not_allowed(method: &axum::http::Method) -> Self {
        Self::new(Code::MethodNotAllowed, format!("`{method}` is not allowed here"))
    }

    /// The one answer for a target in another organization and for one that does not exist. A
    /// second constructor would sooner or later differ in a letter and tell the two apart.
    pub(crate) fn forbidden_target() -> Self {
        Self::denied("the target does not exist or is not yours to use")
    }

    /// The caller may not do this, whatever the target.
    pub(crate) fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::AuthorizationError, message)
    }

    /// The token does not permit this.
    pub(crate) fn insufficient_scope(required: &'static str) -> Self {
        let challenge = Challenge::ScopeLacking(required);
        Self::challenged(Code::InsufficientScope, challenge).with_detail("required", required)
    }

    /// No access token was sent.
    pub(crate) fn token_required() -> Self {
        Self::challenged(Code::Unauthorized, Challenge::TokenRequired(None))
    }

    /// The access token is not good.
    pub(crate) fn token_refused() -> Self {
        Self::challenged(Code::Unauthorized, Challenge::TokenRefused(None))
    }

    /// The same, told by an operation that needs this scope.
    pub(crate) fn wanting(mut self, scope: &'static str) -> Self {
        self.challenge = self.challenge.map(|challenge| challenge.wanting(scope));
        self
    }

    /// The proof that came with the access token does not pass.
    pub(crate) fn proof_refused(invalid: InvalidProof) -> Self {
        Self::challenged(Code::Unauthorized, Challenge::ProofRefused(invalid))
    }

    /// The proof that came with the access token lacks a nonce that is good.
    pub(crate) fn nonce_needed() -> Self {
        Self::challenged(Code::Unauthorized, Challenge::NonceNeeded)
    }

    fn challenged(code: Code, challenge: Challenge) -> Self {
        let problem = Self::new(code, challenge.message());
        Self { challenge: Some(challenge), ..problem }
    }

    /// What is asked for does not agree with what is: any code of status 403 or 409 that has no
    /// constructor of its own.
    pub(crate) fn conflict(
        code: Code,
        message: impl Into<Cow<'static, str>>,
        details: Map<String, Value>,
    ) -> Self {
        Self { details, ..Self::new(code, message) }
    }

    /// There are as many of something as there may be.
    pub(crate) fn used_up(
        message: impl Into<Cow<'static, str>>,
        (limit, used): (u64, u64),
        plan: Plan,
    ) -> Self {
        Self::new(Code::FreeTierLimitExceeded, message)
            .with_detail("limit", limit)
            .with_detail("used", used)
            .with_detail("plan", plan.name())
    }

    /// `If-Match` does not hold.
    pub(crate) fn precondition_failed() -> Self {
        Self::new(Code::PreconditionFailed, "the agent has changed since")
    }

    /// The body is longer than the limit, in bytes.
    pub(crate) fn payload_too_large(limit: usize) -> Self {
        Self::new(Code::PayloadTooLarge, format!("the body has more than {limit} bytes"))
    }

    /// The body did not arrive in time.
    pub(crate) fn request_timeout(after: Duration) -> Self {
        let message = format!("the body did not arrive within {} seconds", after.as_secs());
        Self::new(Code::RequestTimeout, message)
    }

    /// The body is of another media type than the endpoint takes.
    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(Code::UnsupportedMediaType, "the body must be application/json")
    }

    /// Too many requests.
    pub(crate) fn rate_limited(retry_after: Duration) -> Self {
        Self::new(Code::RateLimitExceeded, "too many requests")
            .with_header(header::RETRY_AFTER, seconds(retry_after))
    }

    /// A fault of the server.
    pub(crate) fn internal(source: impl Into<Source>) -> Self {
        let problem = Self::new(Code::InternalError, "internal error");
        Self { source: Some(source.into()), ..problem }
    }

    /// A store that the request needs is out of reach. When to come again is told where the answer
    /// leaves.
    pub(crate) fn unavailable(source: impl Into<Source>) -> Self {
        let problem = Self::new(Code::ServiceUnavailable, "a store is out of reach");
        Self { source: Some(source.into()), ..problem }
    }

    /// The server has as much of this under way as it may.
    pub(crate) fn busy(message: &'static str) -> Self {
        Self { message: Cow::Borrowed(message), ..Self::unavailable(message) }
    }

    /// The same problem with a header more.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same problem with a member more in `details`.
    pub(crate) fn with_detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Its code.
    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// What was wrong inside, for the log.
    pub(crate) fn source(&self) -> Option<&Source> {
        self.source.as_ref()
    }

    /// What the caller should have authenticated with.
    pub(crate) fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// The body, as it goes over the wire.
    pub(crate) fn body(&self, issuer: &Issuer, request_id: &str) -> Value {
        json!({
            "type": issuer.join(&format!("/errors/{}", self.code.slug())),
            "title": self.code.title(),
            "status": self.code.status().as_u16(),
            "code": self.code.name(),
            "message": self.message,
            "details": self.details,
            "requestId": request_id,
        })
    }
}

/// Whole seconds, at least one, as `Retry-After` has them.
pub(crate) fn seconds(wait: Duration) -> HeaderValue {
    let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    HeaderValue::from(whole.max(1))
}

impl IntoResponse for Problem {
    /// The status, the headers and the problem itself as an extension. Its body needs the issuer and
    /// the request id, which only the layer around all handlers knows.
    fn into_response(mut self) -> Response {
        let mut response = self.code.status().into_response();
        response.headers_mut().extend(std::mem::take(&mut self.headers));
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // Others were faster. It is not the caller's fault, and the same request may pass in a
            // moment.
            StoreError::Conflict => Self {
                message: Cow::Borrowed("too many changes at once"),
                ..Self::unavailable(error)
            },
            StoreError::Unavailable(source) => Self::unavailable(source),
            StoreError::Refused(source) => Self::internal(source),
            StoreError::Corrupt { .. } => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(problem: &Problem) -> Value {
        problem.body(&"https://idp.example.com".parse().unwrap(), "r-1")
    }

    #[test]
    fn a_problem_has_the_members_of_the_contract_and_no_word_of_its_source() {
        let problem = Problem::internal("SELECT secret FROM /var/lib/idp");
        assert_eq!(
            body(&problem),
            json!({
                "type": "https://idp.example.com/errors/internal-error",
                "title": "Internal error",
                "status": 500,
                "code": "INTERNAL_ERROR",
                "message": "internal error",
                "details": {},
                "requestId": "r-1",
            })
        );
        assert!(problem.source().is_some());
    }

    #[test]
    fn a_field_keeps_its_first_reason() {
        let mut fields = FieldErrors::of("email", "is given more than once");
        fields.add("email", "is required");
        fields.add("owner", "is required");
        let problem = body(&Problem::validation(fields));
        assert_eq!(
            problem["details"],
            json!({"fields": {"email": "is given more than once", "owner": "is required"}})
        );
    }

    #[test]
    fn a_store_that_fails_is_no_fault_of_the_caller() {
        let conflict = Problem::from(StoreError::Conflict);
        assert_eq!(conflict.code(), Code::ServiceUnavailable);
        let away = Problem::from(StoreError::unavailable("connection refused")).into_response();
        assert_eq!(away.status().as_u16(), 503);
        let corrupt = Problem::from(StoreError::Corrupt { table: "agent", column: "email" });
        assert_eq!(corrupt.code(), Code::InternalError);
        let refused = Problem::from(StoreError::Refused("a trigger".into())).into_response();
        assert_eq!(refused.status().as_u16(), 500);
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up() {
        for (wait, told) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2"), (59_900, "60")] {
            assert_eq!(seconds(Duration::from_millis(wait)), told);
        }
    }

    #[test]
    fn immutable_fields_are_named() {
        let problem = body(&Problem::immutable(FieldErrors::of("email", "cannot be changed")));
        assert_eq!(problem["message"], "`email` cannot be changed");
    }
}
