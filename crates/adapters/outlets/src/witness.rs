//! A witness that is reached over HTTP, as C2SP tlog-witness has it.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use audit::delivery::{DeliveryFailed, Witness, WitnessAnswer, WitnessRequest};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderMap, USER_AGENT},
};
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use thiserror::Error;
use tokio::time::timeout;

use crate::{
    connector::{InvalidWitness, WitnessUrl, connector},
    witness_text::{body_of, meaning_of},
};

/// How long a witness may take, from the name's lookup to the last byte.
pub const LIMIT: Duration = Duration::from_secs(5);

/// The most bytes of an answer that are read.
const LONGEST_ANSWER: usize = 65_536;

/// Why a witness gave no answer that means something.
#[derive(Debug, Error)]
pub(crate) enum NoAnswer {
    #[error("the witness did not answer in time")]
    TooSlow,
    #[error("the witness is out of reach")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("the request to the witness could not be made")]
    Request(#[source] hyper::http::Error),
    #[error("the answer of the witness broke off or is longer than {LONGEST_ANSWER} bytes")]
    Body(#[source] kernel::store::Source),
    #[error("the witness answered with status {0}")]
    Status(StatusCode),
    #[error("the witness answered with what is no signature line")]
    Lines,
    #[error("the witness answered with what is no size")]
    Size,
}

/// A witness at a URL. Redirects are not followed, and no proxy is asked.
pub struct HttpWitness {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    submission: Uri,
    limit: Duration,
}

impl HttpWitness {
    /// The witness at this URL.
    ///
    /// Certificates are verified against those that the machine trusts, which are read now.
    ///
    /// # Errors
    /// [`InvalidWitness`]
    pub fn new(url: &WitnessUrl) -> Result<Self, InvalidWitness> {
        let submission = url.submission.clone();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(connector(&submission)?);
        Ok(Self { client, submission, limit: LIMIT })
    }

    /// The same, which may take so long.
    #[must_use]
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    async fn ask(&self, request: &WitnessRequest) -> Result<WitnessAnswer, NoAnswer> {
        let asked = Request::builder()
            .method(Method::POST)
            .uri(&self.submission)
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .header(USER_AGENT, "agentidp")
            .body(Full::from(body_of(request)))
            .map_err(NoAnswer::Request)?;
        let answer = self.client.request(asked).await.map_err(NoAnswer::Unreachable)?;
        let (head, body) = answer.into_parts();
        let body = text_of(body).await?;
        let is_size = has_type(&head.headers, "text/x.tlog.size");
        meaning_of(request, (head.status, is_size), body)
    }
}

async fn text_of(body: Incoming) -> Result<String, NoAnswer> {
    let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(NoAnswer::Body)?;
    String::from_utf8(body.to_bytes().into()).map_err(|error| NoAnswer::Body(error.into()))
}

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = named.and_then(|value| value.split(';').next());
    kind.is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted))
}

#[async_trait]
impl Witness for HttpWitness {
    async fn add_checkpoint(
        &self,
        request: &WitnessRequest,
    ) -> Result<WitnessAnswer, DeliveryFailed> {
        let asked = timeout(self.limit, self.ask(request)).await;
        let answered = asked.unwrap_or(Err(NoAnswer::TooSlow));
        answered.map_err(|error| DeliveryFailed { sink: "witness", source: Box::new(error) })
    }
}

impl fmt::Debug for HttpWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWitness").field("host", &self.submission.host()).finish_non_exhaustive()
    }
}
