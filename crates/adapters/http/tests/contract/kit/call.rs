//! A request to the server, put together and sent.

use std::{convert::Infallible, net::IpAddr};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderName, HeaderValue, Method, Request},
    response::Response,
};
use data_encoding::BASE64;
use futures_util::stream;
use http_api::Peer;
use serde_json::Value;
use tower::ServiceExt;

use super::{Answer, Server};

const HERE: &str = "192.0.2.1";

/// A request in the making.
pub(crate) struct Call<'a> {
    server: &'a Server,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
    peer: IpAddr,
    /// What happens between the headers and the body.
    meanwhile: Vec<Request<Body>>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(server: &'a Server, method: Method, path: impl Into<String>) -> Self {
        let peer = HERE.parse().unwrap();
        let (headers, body) = (Vec::new(), Vec::new());
        Self { server, method, path: path.into(), headers, body, peer, meanwhile: Vec::new() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).unwrap();
        self.headers.push((HeaderName::from_static(name), value));
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, id: &str, secret: &str) -> Self {
        let encoded = BASE64.encode(format!("{id}:{secret}").as_bytes());
        self.header("authorization", format!("Basic {encoded}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string())
    }

    /// A form, its values percent-encoded; a name may come more than once.
    pub(crate) fn form(self, parameters: &[(&str, &str)]) -> Self {
        let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        self.bytes("application/x-www-form-urlencoded", body)
    }

    pub(crate) fn bytes(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let call = self.header("content-type", content_type);
        Self { body: body.into(), ..call }
    }

    /// A body of which nobody says what it is.
    pub(crate) fn untyped(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    pub(crate) fn from(self, peer: &str) -> Self {
        Self { peer: peer.parse().unwrap(), ..self }
    }

    /// Holds back the body until the server has asked for it and has answered another call.
    pub(crate) fn while_sending(mut self, other: Call<'_>) -> Self {
        self.meanwhile.push(other.into_request());
        self
    }

    /// Sends it, and holds the answer against the document.
    pub(crate) async fn send(self) -> Answer {
        let (server, method, path) = (self.server, self.method.clone(), self.path.clone());
        let answer = self.send_undocumented().await;
        server.check(&method, &path, &answer);
        answer
    }

    /// Sends it, and does not wait for more than the head of the answer.
    pub(crate) async fn begin(self) -> Response {
        let router = self.server.router();
        router.oneshot(self.into_request()).await.unwrap()
    }

    /// Sends what the document does not speak of: a browser's question before the request.
    pub(crate) async fn send_undocumented(self) -> Answer {
        let (parts, body) = self.begin().await.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, json }
    }
}

impl Call<'_> {
    fn into_request(self) -> Request<Body> {
        let mut request = Request::builder().method(&self.method).uri(&self.path);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let (router, bytes) = (self.server.router(), self.body);
        let body = if self.meanwhile.is_empty() {
            Body::from(bytes)
        } else {
            Body::from_stream(stream::once(async move {
                for other in self.meanwhile {
                    let answer = router.clone().oneshot(other).await.unwrap();
                    assert!(answer.status().is_success(), "{}", answer.status());
                }
                Ok::<_, Infallible>(bytes)
            }))
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Peer(self.peer));
        request
    }
}

/// Every byte but the unreserved ones (RFC 3986 section 2.3), as `%XX`.
pub(crate) fn encoded(value: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    value.bytes().map(byte).collect()
}
