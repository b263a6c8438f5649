//! The server on real sockets, with clients that are slow, silent, greedy, or gone.

use std::sync::Arc;

use axum::{Extension, extract::State, routing::get};
use http_body_util::{BodyExt, Full};
use hyper::{client::conn::http2, http::Version};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Notify, oneshot},
};

use super::*;
use crate::{
    sample,
    shield::{self, UnderWay},
};

const SHORT: Duration = Duration::from_millis(50);

/// Longer than anything here takes; only a test that hangs gets to see it.
const FAR_TOO_LONG: Duration = Duration::from_secs(20);

fn limits() -> ServerLimits {
    ServerLimits { linger: Duration::from_secs(5), ..ServerLimits::default() }
}

/// Runs a test against a server, then shuts that down.
async fn serving(limits: ServerLimits, app: Router, test: impl AsyncFnOnce(SocketAddr)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let client = async {
        test(address).await;
        stop.send(()).unwrap();
    };
    let server = serve(listener, app, limits, async {
        stopped.await.unwrap();
    });
    timeout(FAR_TOO_LONG, async { tokio::join!(client, server) }).await.unwrap();
}

fn plain() -> Router {
    sample::router(|routes| routes)
}

/// Sends bytes on a new connection and reads until the server closes it.
async fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // Even where the server has refused already: a client that cannot finish its request may never
    // look at the answer.
    stream.write_all(request).await.unwrap();
    closed(stream).await
}

async fn closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

fn with_length(length: usize) -> String {
    format!("content-length: {length}\r\n")
}

#[tokio::test]
async fn ds_03_a_client_that_never_begins_is_closed() {
    let limits = ServerLimits { header_patience: SHORT, ping_patience: SHORT, ..limits() };
    serving(limits, plain(), async |address| {
        for beginning in [
            "",
            "G",
            "GET /ok HTTP/1.1\r\nhost: a\r\nx-slow: ",
            // Neither version of HTTP is ruled out by these bytes.
            "PRI * HTTP/2.0\r\n\r\n",
        ] {
            assert_eq!(exchange(address, beginning.as_bytes()).await, "", "{beginning}");
        }
        // Just the preface: the server's own settings come, and then a ping that nobody answers.
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut settings = Vec::new();
        stream.read_to_end(&mut settings).await.unwrap();
        assert!(!settings.is_empty());
    })
    .await;
}

#[tokio::test]
async fn ds_03_an_idle_connection_is_closed() {
    let limits = ServerLimits { header_patience: SHORT, ..limits() };
    serving(limits, plain(), async |address| {
        let answer = exchange(address, b"GET /ok HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nok"));
    })
    .await;
}

#[tokio::test]
async fn ds_01_a_body_that_is_too_long_is_refused_and_the_refusal_can_be_read() {
    serving(limits(), plain(), async |address| {
        let spaces = " ".repeat(65_537);
        let chunked = format!("{:x}\r\n{}\r\n0\r\n\r\n", spaces.len(), spaces);
        for request in [
            post("/json", &with_length(65_537), &spaces),
            post("/json", "transfer-encoding: chunked\r\n", &chunked),
            // The refusal does not wait for the body.
            post("/json", &with_length(10_000_000_000), ""),
            post("/json", &with_length(700_000), &" ".repeat(700_000)),
        ] {
            let answer = exchange(address, &request).await;
            assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
            assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
            assert!(answer.contains("\"PAYLOAD_TOO_LARGE\""), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_still_sending_is_not_reset() {
    serving(limits(), plain(), async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&post("/json", &with_length(700_000), " ")).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
        // On a closed socket the first write is answered by a reset, and the second one fails.
        for _ in 0..2 {
            stream.write_all(&[b' '; 10_000]).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn ds_01_a_length_that_lies_hurts_nobody() {
    serving(limits(), plain(), async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&post("/json", &with_length(10), "{}")).await.unwrap();
        stream.shutdown().await.unwrap();
        let short = closed(stream).await;
        assert!(short.is_empty() || short.starts_with("HTTP/1.1 400 "), "{short}");

        let long = exchange(address, &post("/json", &with_length(2), "{}{}\r\n\r\n")).await;
        assert!(long.starts_with("HTTP/1.1 200 ") && long.contains("HTTP/1.1 400 "), "{long}");

        let two = format!("{}{}", with_length(2), with_length(3));
        assert!(exchange(address, &post("/json", &two, "{}")).await.starts_with("HTTP/1.1 400 "));
    })
    .await;
}

#[tokio::test]
async fn ds_02_too_many_or_too_long_headers_are_refused() {
    serving(limits(), plain(), async |address| {
        let many: String = (0..101).map(|at| format!("x-{at}: a\r\n")).collect();
        let long = format!("x: {}\r\n", "a".repeat(65_536));
        let longer = format!("x: {}\r\n", "a".repeat(400_000));
        for headers in [many, long, longer] {
            let request = format!("GET /ok HTTP/1.1\r\n{headers}\r\n");
            let answer = exchange(address, request.as_bytes()).await;
            assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn ds_04_a_body_that_does_not_arrive_is_given_up() {
    let limits = ServerLimits { body_patience: SHORT, ..limits() };
    serving(limits, plain(), async |address| {
        let answer = exchange(address, &post("/json", &with_length(10), "{")).await;
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("REQUEST_TIMEOUT"));
    })
    .await;
}

#[tokio::test]
async fn ds_04_a_client_that_never_reads_is_closed() {
    let limits = ServerLimits { write_patience: SHORT, connections: 1, linger: SHORT, ..limits() };
    let large = vec![b'x'; 64 * 1024 * 1024];
    let large = axum::body::Bytes::from(large);
    let app = sample::router(|routes| routes.route("/large", get(async move || large.clone())));
    serving(limits, app, async |address| {
        let mut greedy = TcpStream::connect(address).await.unwrap();
        greedy.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        // The only place is free again once the greedy one is gone.
        let answer = exchange(address, b"GET /ok HTTP/1.1\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn ds_07_a_packed_body_is_refused() {
    serving(limits(), plain(), async |address| {
        let headers = format!("content-encoding: gzip\r\nconnection: close\r\n{}", with_length(2));
        let answer = exchange(address, &post("/json", &headers, "{}")).await;
        assert!(answer.starts_with("HTTP/1.1 415 ") && answer.contains("UNSUPPORTED_MEDIA_TYPE"));
    })
    .await;
}

/// A route that tells when it has begun and when it is through, and waits to be let go in between.
#[derive(Clone, Default)]
struct Gate {
    begun: Arc<Notify>,
    go_on: Arc<Notify>,
    through: Arc<Notify>,
}

impl Gate {
    fn app(&self) -> Router {
        let gate = self.clone();
        let pass = async move || {
            gate.begun.notify_one();
            gate.go_on.notified().await;
            gate.through.notify_one();
            "through"
        };
        sample::router(|routes| routes.route("/gate", get(pass)))
    }
}

const TO_THE_GATE: &[u8] = b"GET /gate HTTP/1.1\r\nhost: a\r\n\r\n";

#[tokio::test]
async fn a_client_that_hangs_up_does_not_cut_the_work_short() {
    let gate = Gate::default();
    let limits = ServerLimits { connections: 1, ..limits() };
    serving(limits, gate.app(), async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(TO_THE_GATE).await.unwrap();
        gate.begun.notified().await;
        drop(stream);
        // The only place is free again once the server has seen that the client is gone.
        let answer = exchange(address, b"GET /ok HTTP/1.1\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        gate.go_on.notify_one();
        gate.through.notified().await;
    })
    .await;
}

#[tokio::test]
async fn more_connections_than_there_are_places_wait_for_one() {
    let gate = Gate::default();
    let limits = ServerLimits { connections: 1, ..limits() };
    serving(limits, gate.app(), async |address| {
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(TO_THE_GATE).await.unwrap();
        gate.begun.notified().await;
        let second = exchange(address, b"GET /ok HTTP/1.1\r\nconnection: close\r\n\r\n");
        let mut second = pin!(second);
        assert!(timeout(SHORT, &mut second).await.is_err());
        gate.go_on.notify_one();
        gate.through.notified().await;
        drop(first);
        assert!(second.await.starts_with("HTTP/1.1 200 "));
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_lets_the_request_under_way_finish_and_closes_the_idle() {
    let gate = Gate::default();
    let (telling, told) = oneshot::channel::<(TcpStream, TcpStream)>();
    let mut telling = Some(telling);
    let mut address = None;
    let after = async {
        let (busy, idle) = told.await.unwrap();
        assert_eq!(closed(idle).await, "");
        gate.go_on.notify_one();
        assert!(closed(busy).await.ends_with("through"));
    };
    let server = serving(limits(), gate.app(), async |at| {
        let idle = TcpStream::connect(at).await.unwrap();
        let mut busy = TcpStream::connect(at).await.unwrap();
        busy.write_all(TO_THE_GATE).await.unwrap();
        gate.begun.notified().await;
        address = Some(at);
        drop(telling.take().unwrap().send((busy, idle)));
    });
    timeout(FAR_TOO_LONG, async { tokio::join!(server, after) }).await.unwrap();
    assert!(TcpStream::connect(address.unwrap()).await.is_err());
}

#[tokio::test]
async fn a_shutdown_waits_for_work_whose_client_is_gone() {
    let gate = Gate::default();
    let through = gate.through.clone();
    serving(limits(), gate.app(), async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(TO_THE_GATE).await.unwrap();
        gate.begun.notified().await;
        drop(stream);
        gate.go_on.notify_one();
    })
    .await;
    // Nothing is left to wait for: the permit is there.
    timeout(Duration::ZERO, through.notified()).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_waits_for_what_outlives_its_answer() {
    let gate = Gate::default();
    let through = gate.through.clone();
    let beyond = async |Extension(under_way): Extension<UnderWay>, State(gate): State<Gate>| {
        shield::go_on(Some(under_way), async move {
            gate.begun.notify_one();
            gate.go_on.notified().await;
            gate.through.notify_one();
        });
        "begun"
    };
    let route = Router::new().route("/beyond", get(beyond)).with_state(gate.clone());
    let app = sample::router(|routes| routes.merge(route));
    let mut server = pin!(serving(limits(), app, async |address| {
        let asked = b"GET /beyond HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        assert!(exchange(address, asked).await.ends_with("begun"));
        gate.begun.notified().await;
    }));
    assert!(timeout(10 * SHORT, &mut server).await.is_err());
    gate.go_on.notify_one();
    server.await;
    timeout(Duration::ZERO, through.notified()).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_does_not_wait_longer_than_its_grace() {
    let gate = Gate::default();
    let limits = ServerLimits { grace: SHORT, ..limits() };
    let mut kept = None;
    serving(limits, gate.app(), async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(TO_THE_GATE).await.unwrap();
        gate.begun.notified().await;
        kept = Some(stream);
    })
    .await;
    assert_eq!(closed(kept.unwrap()).await, "");
}

/// Sends one request over HTTP/2.
async fn over_http_2(
    address: SocketAddr,
    request: hyper::Request<Full<axum::body::Bytes>>,
) -> Response {
    let stream = TcpStream::connect(address).await.unwrap();
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.unwrap();
    let answer = async move {
        let answer = sender.send_request(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        Response::from_parts(parts, Body::from(body.collect().await.unwrap().to_bytes()))
    };
    let (answer, ended) = tokio::join!(answer, connection);
    ended.unwrap();
    answer
}

#[tokio::test]
async fn http_2_is_served_by_the_same_rules() {
    let limits = ServerLimits { header_bytes: 16 * 1024, ..limits() };
    serving(limits, plain(), async |address| {
        let request = |method: &str, path: &str| {
            hyper::Request::builder().method(method).uri(format!("http://{address}{path}"))
        };
        let empty = || Full::new(axum::body::Bytes::new());
        let good = over_http_2(address, request("GET", "/ok").body(empty()).unwrap()).await;
        assert_eq!((good.status().as_u16(), good.version()), (200, Version::HTTP_2));

        let json = request("POST", "/json").header("content-type", "application/json");
        let body = Full::new(axum::body::Bytes::from(vec![b' '; 65_537]));
        let large = over_http_2(address, json.body(body).unwrap()).await;
        assert_eq!(large.status(), 413);
        assert!(!large.headers().contains_key("connection"));

        let long = request("GET", "/ok").header("x", "a".repeat(17_000)).body(empty()).unwrap();
        assert_eq!(over_http_2(address, long).await.status(), 431);
    })
    .await;
}
