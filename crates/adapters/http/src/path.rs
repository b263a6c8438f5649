//! Typed parameters of a path. One of another form is refused by its name.

use std::{fmt::Display, str::FromStr};

use audit::merkle::TilePath;
use axum::{
    extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection},
    http::request::Parts,
};
use credentials::ClientKeyId;
use kernel::{AgentId, CredentialId, EventId};

use crate::{
    fields::{Fields, Given, text},
    problem::{FieldErrors, Problem},
};

/// A type that stands in a path under one name.
pub(crate) trait PathParameter: FromStr<Err: Display> + Send {
    /// The name of the segment, as the route has it.
    const NAME: &'static str;
}

impl PathParameter for AgentId {
    const NAME: &'static str = "agentId";
}

impl PathParameter for CredentialId {
    const NAME: &'static str = "credentialId";
}

impl PathParameter for ClientKeyId {
    const NAME: &'static str = "kid";
}

impl PathParameter for EventId {
    const NAME: &'static str = "eventId";
}

impl PathParameter for TilePath {
    const NAME: &'static str = "path";
}

/// All that a route has in its path.
pub(crate) trait PathParameters: Sized + Send {
    /// Takes it out of the named segments.
    fn read(fields: Fields) -> Result<Self, Problem>;
}

impl<T: PathParameter> PathParameters for T {
    fn read(mut fields: Fields) -> Result<Self, Problem> {
        let only = fields.required(T::NAME, text::<T>);
        fields.finish(|| only)
    }
}

impl<T: PathParameter, U: PathParameter> PathParameters for (T, U) {
    fn read(mut fields: Fields) -> Result<Self, Problem> {
        let first = fields.required(T::NAME, text::<T>);
        let second = fields.required(U::NAME, text::<U>);
        fields.finish(|| Some((first?, second?)))
    }
}

/// The parameters of the path: `Path(agent): Path<AgentId>`, or
/// `Path((agent, credential)): Path<(AgentId, CredentialId)>`.
#[derive(Debug)]
pub(crate) struct Path<T>(pub(crate) T);

impl<S: Send + Sync, T: PathParameters> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = RawPathParams::from_request_parts(parts, state).await.map_err(refusal)?;
        let given = raw
            .iter()
            .map(|(name, value)| (name.to_owned(), Given::Text(value.to_owned())))
            .collect();
        T::read(Fields::new(given, FieldErrors::default())).map(Self)
    }
}

fn refusal(rejection: RawPathParamsRejection) -> Problem {
    match rejection {
        RawPathParamsRejection::InvalidUtf8InPathParam(invalid) => {
            // The rejection names the segment in its text only, between backticks.
            let text = invalid.body_text();
            let name = text.split('`').nth(1).unwrap_or("path");
            Problem::validation(FieldErrors::of(name, "must be percent-encoded UTF-8"))
        }
        // A handler that takes parameters on a route without any.
        other @ (RawPathParamsRejection::MissingPathParams(_) | _) => Problem::internal(other),
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::{Request, StatusCode},
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;
    use std::sync::Arc;

    const ID: &str = "018bcfe5-687b-7001-8203-040506070809";

    async fn answer(path: &str) -> (StatusCode, Option<String>) {
        let router = Router::new()
            .route("/a/{agentId}", get(|Path(id): Path<AgentId>| async move { id.to_string() }))
            .route(
                "/a/{agentId}/c/{credentialId}",
                get(|Path((_, id)): Path<(AgentId, CredentialId)>| async move { id.to_string() }),
            );
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let issuer = "https://idp.example.com".parse().unwrap();
        let problem = response.extensions().get::<Arc<Problem>>();
        let fields =
            problem.map(|problem| problem.body(&issuer, "r")["details"]["fields"].to_string());
        (response.status(), fields)
    }

    #[tokio::test]
    async fn rg_09_an_id_of_another_form_is_refused_by_its_name() {
        assert_eq!(answer(&format!("/a/{ID}")).await, (StatusCode::OK, None));
        let reason = "must be a UUID in lower case with hyphens";
        for bad in [
            ID.to_uppercase(),
            format!("%7B{ID}%7D"),
            format!("urn:uuid:{ID}"),
            format!("{ID};x"),
            "%2f..%2f".to_owned(),
            "%252e".to_owned(),
            "%00".to_owned(),
        ] {
            let expected = (StatusCode::BAD_REQUEST, Some(format!("{{\"agentId\":\"{reason}\"}}")));
            assert_eq!(answer(&format!("/a/{bad}")).await, expected, "{bad}");
        }
        assert_eq!(
            answer("/a/x/c/y").await.1.unwrap(),
            format!("{{\"agentId\":\"{reason}\",\"credentialId\":\"{reason}\"}}")
        );
        assert_eq!(
            answer(&format!("/a/{ID}/c/%ff")).await.1.unwrap(),
            "{\"credentialId\":\"must be percent-encoded UTF-8\"}"
        );
    }
}
