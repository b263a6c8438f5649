//! Takes in the body of a request: of the right media type, within its limit, within its time.

use std::{pin::pin, time::Duration};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Version, header},
};
use futures_util::FutureExt;
use http_body_util::BodyExt;

use crate::{
    fields::Fields,
    form_body::{Form, refuse_query},
    oauth_error::OAuthError,
    problem::{FieldErrors, Problem},
};

/// The longest body under the management API, in bytes.
pub(crate) const MANAGEMENT_LIMIT: usize = 64 * 1024;

/// The longest body at an OAuth endpoint, in bytes.
pub(crate) const OAUTH_LIMIT: usize = 16 * 1024;

/// How long a body may take to arrive. Where a request carries one of its own as an extension, that
/// one counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyPatience(pub(crate) Duration);

impl Default for BodyPatience {
    fn default() -> Self {
        Self(Duration::from_secs(30))
    }
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct JsonBody(Bytes);

impl JsonBody {
    /// Its fields.
    pub(crate) fn fields(&self) -> Result<Fields, Problem> {
        if self.0.is_empty() {
            return Err(Problem::validation(FieldErrors::of("body", "is required")));
        }
        Fields::parse(&self.0)
    }
}

/// A JSON body that may be left out, and then needs no `Content-Type`.
#[derive(Debug)]
pub(crate) struct JsonBodyIfAny(Bytes);

impl JsonBodyIfAny {
    /// Its fields; none if there is no body.
    pub(crate) fn fields(&self) -> Result<Fields, Problem> {
        if self.0.is_empty() { Ok(Fields::default()) } else { Fields::parse(&self.0) }
    }
}

/// The form of an OAuth endpoint. Parameters in the URI are refused with it.
#[derive(Debug)]
pub(crate) struct FormBody(Bytes);

impl FormBody {
    /// Its parameters, of which those that are `repeatable` may come more than once.
    pub(crate) fn form(&self, repeatable: &[&str]) -> Result<Form, OAuthError> {
        Form::parse(&self.0, repeatable)
    }
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(receive(request, MediaType::Json, MANAGEMENT_LIMIT).await?))
    }
}

impl<S: Sync> FromRequest<S> for JsonBodyIfAny {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Ok(Self(receive(request, MediaType::Json, MANAGEMENT_LIMIT).await?))
    }
}

impl<S: Sync> FromRequest<S> for FormBody {
    type Rejection = OAuthError;

    async fn from_request(request: Request, _: &S) -> Result<Self, OAuthError> {
        refuse_query(request.uri())?;
        Ok(Self(receive(request, MediaType::Form, OAUTH_LIMIT).await?))
    }
}

/// What an endpoint takes.
#[derive(Debug, Clone, Copy)]
enum MediaType {
    Json,
    Form,
}

impl MediaType {
    const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }

    /// Whether the headers announce this type, in UTF-8, and nothing compressed. A body that is
    /// unpacked here would be limited in its packed size only.
    fn is_announced(self, headers: &HeaderMap) -> bool {
        let mut types = headers.get_all(header::CONTENT_TYPE).iter();
        let (only, another) = (types.next(), types.next());
        let plain = |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"identity");
        let named = only.and_then(|named| named.to_str().ok()).is_some_and(|named| self.is(named));
        named && another.is_none() && headers.get_all(header::CONTENT_ENCODING).iter().all(plain)
    }

    fn is(self, content_type: &str) -> bool {
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        essence.eq_ignore_ascii_case(self.name())
            && parts.filter(|part| !part.is_empty()).all(is_charset_utf_8)
    }
}

fn is_charset_utf_8(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let unquoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    name.eq_ignore_ascii_case("charset") && unquoted.eq_ignore_ascii_case("utf-8")
}

/// Why a body was not taken in.
enum Refusal {
    UnsupportedMediaType,
    TooLarge { limit: usize },
    TooSlow { patience: Duration },
    CutShort,
}

/// A refusal, and whether the connection must go with it: what is left of the body would otherwise
/// be read as the next request, or be read to its end for nothing.
struct Refused {
    why: Refusal,
    close: bool,
}

async fn receive(request: Request, media: MediaType, limit: usize) -> Result<Bytes, Refused> {
    // HTTP/2 has no such header: there a stream ends, and not the connection.
    let close = request.version() <= Version::HTTP_11;
    let patience = request.extensions().get::<BodyPatience>().copied().unwrap_or_default().0;
    let refused = |why| Refused { why, close };
    let (parts, body) = request.into_parts();
    if body.is_end_stream() && !parts.headers.contains_key(header::CONTENT_TYPE) {
        return Ok(Bytes::new());
    }
    if !media.is_announced(&parts.headers) {
        return Err(refused(Refusal::UnsupportedMediaType));
    }
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(refused(Refusal::TooLarge { limit }));
    }
    let mut collecting = pin!(collect(body, limit));
    // Most bodies come with their headers, and need no timer.
    let collected = match collecting.as_mut().now_or_never() {
        Some(collected) => collected,
        None => tokio::time::timeout(patience, collecting)
            .await
            .unwrap_or(Err(Refusal::TooSlow { patience })),
    };
    collected.map_err(refused)
}

/// Counts as it reads: a length that was announced may be a lie, or be absent.
async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let mut collected = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::CutShort)?.into_data() else { continue };
        if collected.len() + data.len() > limit {
            return Err(Refusal::TooLarge { limit });
        }
        collected.extend_from_slice(&data);
    }
    Ok(Bytes::from(collected))
}

const CLOSE: (HeaderName, HeaderValue) = (header::CONNECTION, HeaderValue::from_static("close"));

impl From<Refused> for Problem {
    fn from(Refused { why, close }: Refused) -> Self {
        let problem = match why {
            Refusal::UnsupportedMediaType => Self::unsupported_media_type(),
            Refusal::TooLarge { limit } => Self::payload_too_large(limit),
            Refusal::TooSlow { patience } => Self::request_timeout(patience),
            Refusal::CutShort => Self::validation(FieldErrors::of("body", "was cut short")),
        };
        if close { problem.with_header(CLOSE.0, CLOSE.1) } else { problem }
    }
}

impl From<Refused> for OAuthError {
    fn from(Refused { why, close }: Refused) -> Self {
        let error = match why {
            Refusal::UnsupportedMediaType => Self::unsupported_media_type(),
            Refusal::TooLarge { limit } => Self::payload_too_large(limit),
            Refusal::TooSlow { patience } => Self::request_timeout(patience),
            Refusal::CutShort => Self::invalid_request("the body was cut short"),
        };
        if close { error.with_header(CLOSE.0, CLOSE.1) } else { error }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc};

    use axum::response::IntoResponse;
    use futures_util::stream;

    use super::*;
    use crate::error_code::Code;

    fn post(content_type: Option<&str>, body: Body) -> Request {
        let request = Request::post("/").version(Version::HTTP_11);
        match content_type {
            Some(content_type) => request.header("content-type", content_type),
            None => request,
        }
        .body(body)
        .unwrap()
    }

    async fn json(request: Request) -> Result<JsonBody, Code> {
        JsonBody::from_request(request, &()).await.map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn te_02_only_json_in_utf_8_is_json() {
        for good in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\";",
        ] {
            assert!(json(post(Some(good), Body::from("{}"))).await.is_ok(), "{good}");
        }
        for bad in [
            "text/plain",
            "application/json; charset=utf-7",
            "application/json; charset=utf-16",
            "application/json; boundary=x",
            "application/json; charset",
            "application/merge-patch+json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/json, text/plain",
            "",
        ] {
            let refused = json(post(Some(bad), Body::from("{}"))).await;
            assert_eq!(refused.unwrap_err(), Code::UnsupportedMediaType, "{bad}");
        }
        let untyped = json(post(None, Body::from("{}"))).await;
        assert_eq!(untyped.unwrap_err(), Code::UnsupportedMediaType);
        let mut doubled = post(Some("application/json"), Body::from("{}"));
        doubled.headers_mut().append("content-type", HeaderValue::from_static("application/json"));
        assert_eq!(json(doubled).await.unwrap_err(), Code::UnsupportedMediaType);
    }

    #[tokio::test]
    async fn ds_07_a_packed_body_is_refused() {
        for (encoding, taken) in [("gzip", false), ("identity", true), ("identity, br", false)] {
            let mut request = post(Some("application/json"), Body::from("{}"));
            request.headers_mut().insert("content-encoding", encoding.parse().unwrap());
            assert_eq!(json(request).await.is_ok(), taken, "{encoding}");
        }
    }

    #[tokio::test]
    async fn ds_01_a_byte_over_the_limit_is_refused_whether_announced_or_not() {
        let of_length = |length: usize| " ".repeat(length);
        let announced =
            |length: usize| post(Some("application/json"), Body::from(of_length(length)));
        let unannounced = |length: usize| {
            let chunks = stream::iter([of_length(length - 1), of_length(1)]);
            let body = Body::from_stream(stream::StreamExt::map(chunks, Ok::<_, Infallible>));
            post(Some("application/json"), body)
        };
        assert!(json(announced(65_536)).await.is_ok());
        assert!(json(unannounced(65_536)).await.is_ok());
        assert_eq!(json(announced(65_537)).await.unwrap_err(), Code::PayloadTooLarge);
        assert_eq!(json(unannounced(65_537)).await.unwrap_err(), Code::PayloadTooLarge);
    }

    #[tokio::test]
    async fn ds_04_a_body_that_does_not_arrive_is_given_up() {
        let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let mut request = post(Some("application/json"), never);
        request.extensions_mut().insert(BodyPatience(Duration::from_millis(1)));
        assert_eq!(json(request).await.unwrap_err(), Code::RequestTimeout);
    }

    #[tokio::test]
    async fn a_body_that_may_be_left_out_needs_no_type_then() {
        let read = JsonBodyIfAny::from_request(post(None, Body::empty()), &()).await.unwrap();
        assert!(read.fields().unwrap().finish(|| Some(())).is_ok());
        let required = json(post(None, Body::empty())).await.unwrap();
        assert_eq!(required.fields().unwrap_err().code(), Code::ValidationError);
    }

    #[tokio::test]
    async fn an_oauth_endpoint_has_its_own_limit_and_its_own_errors() {
        let form = |body: String| post(Some("application/x-www-form-urlencoded"), Body::from(body));
        let status = |request| async move {
            let read = FormBody::from_request(request, &()).await;
            read.map_err(|error| error.into_response().status().as_u16())
        };
        assert!(status(form("a".repeat(16_384))).await.is_ok());
        assert_eq!(status(form("a".repeat(16_385))).await.unwrap_err(), 413);
        assert_eq!(
            status(post(Some("application/json"), Body::from("{}"))).await.unwrap_err(),
            415
        );
        assert_eq!(status(post(None, Body::from("a=b"))).await.unwrap_err(), 415);
        let mut with_query = form("a=b".to_owned());
        *with_query.uri_mut() = "/?a=b".parse().unwrap();
        assert_eq!(status(with_query).await.unwrap_err(), 400);
    }

    #[tokio::test]
    async fn the_connection_ends_with_a_body_that_was_not_read() {
        let closes = |version| async move {
            let mut request = post(Some("application/json"), Body::from(" ".repeat(65_537)));
            *request.version_mut() = version;
            let response = JsonBody::from_request(request, &()).await.unwrap_err().into_response();
            assert!(response.extensions().get::<Arc<Problem>>().is_some());
            response.headers().contains_key("connection")
        };
        assert!(closes(Version::HTTP_11).await);
        assert!(!closes(Version::HTTP_2).await);
    }
}
