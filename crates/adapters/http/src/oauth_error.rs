//! A refusal of an OAuth endpoint (RFC 6749 section 5.2): made here and nowhere else.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{StoreError, store::Source};
use serde_json::{Value, json};
use tokens::{InvalidProof, port::SigningFailed};

use crate::{challenge::Challenge, client_authentication::ClientMethod, dpop, problem::seconds};

/// Why a request of an OAuth endpoint is refused, and all that the client learns of it.
#[derive(Debug)]
pub(crate) struct OAuthError {
    error: &'static str,
    status: StatusCode,
    description: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    challenge: Option<Challenge>,
    source: Option<Source>,
}

impl OAuthError {
    /// The longest description, in characters.
    const LONGEST_DESCRIPTION: usize = 256;

    fn new(
        error: &'static str,
        status: StatusCode,
        description: impl Into<Cow<'static, str>>,
    ) -> Self {
        let description = presentable(description.into());
        Self { error, status, description, headers: Vec::new(), challenge: None, source: None }
    }

    /// The request lacks a parameter, has one twice, or is otherwise malformed.
    pub(crate) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", StatusCode::BAD_REQUEST, description)
    }

    /// The client did not authenticate. The answer tells only how it tried: not whether its id,
    /// its secret or its standing is wrong.
    pub(crate) fn invalid_client(tried: Option<ClientMethod>) -> Self {
        let challenge = match tried {
            Some(ClientMethod::Basic) => Some(Challenge::Basic),
            Some(ClientMethod::Post | ClientMethod::PrivateKeyJwt | ClientMethod::Certificate)
            | None => None,
        };
        let description = "client authentication failed";
        Self { challenge, ..Self::new("invalid_client", StatusCode::UNAUTHORIZED, description) }
    }

    /// The server knows no such grant.
    pub(crate) fn unsupported_grant_type(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("unsupported_grant_type", StatusCode::BAD_REQUEST, description)
    }

    /// The scope is malformed, or wider than the agent may ask for.
    pub(crate) fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_scope", StatusCode::BAD_REQUEST, description)
    }

    /// The resource is malformed or not allowed (RFC 8707 section 2).
    pub(crate) fn invalid_target(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_target", StatusCode::BAD_REQUEST, description)
    }

    /// The bearer token that the caller authenticates with does not permit this.
    pub(crate) fn insufficient_scope(required: &'static str) -> Self {
        let challenge = Challenge::ScopeLacking(required);
        let error = Self::new("insufficient_scope", StatusCode::FORBIDDEN, challenge.message());
        Self { challenge: Some(challenge), ..error }
    }

    /// The bearer token that the caller authenticates with is not good.
    pub(crate) fn invalid_token() -> Self {
        Self::challenged("invalid_token", Challenge::TokenRefused(None))
    }

    /// The proof that came with the token that the caller authenticates with does not pass.
    pub(crate) fn proof_refused(invalid: InvalidProof) -> Self {
        Self::challenged("invalid_dpop_proof", Challenge::ProofRefused(invalid))
    }

    /// That proof lacks a nonce that is good.
    pub(crate) fn nonce_needed() -> Self {
        Self::challenged("use_dpop_nonce", Challenge::NonceNeeded)
    }

    fn challenged(error: &'static str, challenge: Challenge) -> Self {
        let refusal = Self::new(error, StatusCode::UNAUTHORIZED, challenge.message());
        Self { challenge: Some(challenge), ..refusal }
    }

    /// The proof of the key that a token is to be bound to does not pass (RFC 9449 section 5).
    pub(crate) fn invalid_dpop_proof(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_dpop_proof", StatusCode::BAD_REQUEST, description)
    }

    /// That proof lacks a nonce that is good (RFC 9449 section 8).
    pub(crate) fn use_dpop_nonce(nonce: &str) -> Self {
        let description = Challenge::NonceNeeded.message();
        let error = Self::new("use_dpop_nonce", StatusCode::BAD_REQUEST, description);
        match HeaderValue::try_from(nonce) {
            Ok(nonce) => error.with_header(dpop::NONCE, nonce),
            Err(_) => error,
        }
    }

    /// The endpoint has no such method. The router adds `Allow`.
    pub(crate) fn method_not_allowed(method: &Method) -> Self {
        let description = format!("`{method}` is not allowed here");
        Self::new("invalid_request", StatusCode::METHOD_NOT_ALLOWED, description)
    }

    /// The body is longer than the limit, in bytes.
    pub(crate) fn payload_too_large(limit: usize) -> Self {
        let description = format!("the body has more than {limit} bytes");
        Self::new("invalid_request", StatusCode::PAYLOAD_TOO_LARGE, description)
    }

    /// The body did not arrive in time.
    pub(crate) fn request_timeout(after: Duration) -> Self {
        let description = format!("the body did not arrive within {} seconds", after.as_secs());
        Self::new("invalid_request", StatusCode::REQUEST_TIMEOUT, description)
    }

    /// The body is no form.
    pub(crate) fn unsupported_media_type() -> Self {
        let description = "the body must be application/x-www-form-urlencoded";
        Self::new("invalid_request", StatusCode::UNSUPPORTED_MEDIA_TYPE, description)
    }

    /// Too many requests. RFC 6749 has no error for it; the status is what counts.
    pub(crate) fn rate_limited(retry_after: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new("temporarily_unavailable", status, "too many requests")
            .with_header(header::RETRY_AFTER, seconds(retry_after))
    }

    /// A store that the request needs is out of reach. When to come again is told where the answer
    /// leaves.
    pub(crate) fn unavailable(source: impl Into<Source>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let error = Self::new("temporarily_unavailable", status, "a store is out of reach");
        Self { source: Some(source.into()), ..error }
    }

    /// The server has as much of this under way as it may.
    pub(crate) fn busy(source: impl Into<Source>) -> Self {
        let description = Cow::Borrowed("the server is busy; try again a little later");
        Self { description, ..Self::unavailable(source) }
    }

    /// No key signs: a moment, in which one is made to.
    fn none_signs(source: impl Into<Source>) -> Self {
        let description = Cow::Borrowed("no token can be signed now; try again a little later");
        Self { description, ..Self::unavailable(source) }
    }

    /// A fault of the server.
    pub(crate) fn internal(source: impl Into<Source>) -> Self {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self { source: Some(source.into()), ..Self::new("server_error", status, "internal error") }
    }

    /// The same error with a header more.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Its code.
    pub(crate) fn error(&self) -> &'static str {
        self.error
    }

    /// Its status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
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
    pub(crate) fn body(&self) -> Value {
        json!({ "error": self.error, "error_description": self.description })
    }
}

/// Keeps a description within what RFC 6749 section 5.2 allows: `%x20-21 / %x23-5B / %x5D-7E`.
/// The messages of the domain quote in backticks; what a client sent may be anything.
fn presentable(description: Cow<'static, str>) -> Cow<'static, str> {
    let allowed = |char: char| matches!(char, ' '..='!' | '#'..='[' | ']'..='~');
    let longest = OAuthError::LONGEST_DESCRIPTION;
    if !description.is_empty() && description.len() <= longest && description.chars().all(allowed) {
        return description;
    }
    let kept: String = description
        .chars()
        .take(longest)
        .map(|char| match char {
            '"' => '\'',
            _ if allowed(char) => char,
            _ => '?',
        })
        .collect();
    if kept.is_empty() { Cow::Borrowed("refused") } else { Cow::Owned(kept) }
}

impl IntoResponse for OAuthError {
    /// As for a problem, the body is written by the layer around all handlers. `no-store` and its
    /// old twin are set here, so that no path forgets them.
    fn into_response(mut self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        headers.extend(std::mem::take(&mut self.headers));
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict => Self::unavailable(error),
            StoreError::Unavailable(source) => Self::unavailable(source),
            StoreError::Refused(source) => Self::internal(source),
            StoreError::Corrupt { .. } => Self::internal(error),
        }
    }
}

impl From<SigningFailed> for OAuthError {
    fn from(error: SigningFailed) -> Self {
        match error {
            SigningFailed::Busy => Self::busy(error),
            SigningFailed::NoneSigns => Self::none_signs(error),
            SigningFailed::Unusable(_) => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn te_08_every_error_is_not_to_be_stored() {
        let response = OAuthError::invalid_scope("a scope is too wide").into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["pragma"], "no-cache");
    }

    #[test]
    fn a_description_stays_within_the_characters_of_rfc_6749() {
        let described = |text: &str| {
            OAuthError::invalid_request(text.to_owned()).body()["error_description"].clone()
        };
        assert_eq!(described("`a` is unknown"), "`a` is unknown");
        assert_eq!(described("a\"b\\c\u{7}é\n"), "a'b?c???");
        assert_eq!(described(""), "refused");
        assert_eq!(described(&"x".repeat(300)), "x".repeat(256));
    }

    #[test]
    fn ca_01_basic_is_asked_for_only_where_it_was_tried() {
        let challenge = |tried| OAuthError::invalid_client(tried).challenge().cloned();
        assert_eq!(challenge(Some(ClientMethod::Basic)), Some(Challenge::Basic));
        assert_eq!(challenge(Some(ClientMethod::Post)), None);
        assert_eq!(challenge(None), None);
    }
}
