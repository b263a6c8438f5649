//! Exports: what their lines say, and that no client, however it behaves, keeps one from ending.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use audit::{
    Hash,
    export::complete_with,
    merkle::{Frontier, StoredHash},
};
use axum::{body::Body, http::Method};
use data_encoding::BASE64;
use futures_util::StreamExt;
use http_api::{ExportLimits, Exports, Ports, ServerLimits};
use http_body_util::BodyExt;
use kernel::StoreError;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use usecases::{
    audit_log::{ExportCursor, ExportPage},
    driving::MockAuditTrail,
};

use crate::{
    audit_proofs::{checkpoint, with_log},
    kit::{Server, Settings, document::Document},
};

const EXPORT: &str = "/api/v1/audit/export";

async fn lines(server: &Server, token: &str, from: u64) -> Vec<String> {
    let path = format!("{EXPORT}?from={from}");
    let answer = server.get(path).token(token).send().await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(answer.header("content-length"), None);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

fn position(line: &str) -> Option<u64> {
    serde_json::from_str::<Value>(line).unwrap()["position"].as_u64()
}

/// Base64 of what a field of an entry holds: its length, and then it (`docs/audit-format.md`).
fn field(content: Option<&[u8]>) -> Vec<u8> {
    match content {
        None => vec![0xff; 4],
        Some(content) => {
            [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
        }
    }
}

/// The commitment to personal data, by the document.
fn commitment(personal: &Value) -> String {
    let text = |name: &str| personal[name].as_str().map(|text| text.as_bytes().to_vec());
    let salt = BASE64.decode(personal["salt"].as_str().unwrap().as_bytes()).unwrap();
    let (address, agent) = (text("ipAddress"), text("userAgent"));
    let bytes =
        [vec![1], field(Some(&salt)), field(address.as_deref()), field(agent.as_deref())].concat();
    BASE64.encode(digest(&SHA256, &bytes).as_ref())
}

#[tokio::test]
async fn an_export_is_line_by_line_as_the_document_says_and_leads_to_the_root_of_the_checkpoint() {
    let (server, token) = with_log(1_200).await;
    let newest = checkpoint(&server, &token).await;
    let lines = lines(&server, &token, 0).await;
    let schema = json!({ "$ref": "#/components/schemas/AuditExportLine" });
    let mut lines = lines.iter();
    let mut next = || {
        let line = lines.next().unwrap();
        let value: Value = serde_json::from_str(line).unwrap();
        Document::get().validate(&schema, &value, line);
        value
    };
    let mut frontier = Frontier::empty();
    let mut hashes = 0;
    for position in 0..newest.size {
        let leaf = next();
        assert_eq!((&leaf["position"], &leaf["version"]), (&json!(position), &json!(1)));
        assert_eq!(leaf["event"]["organizationId"], server.organization.to_string());
        assert_eq!(leaf["commitment"], commitment(&leaf["personal"]));
        let mut stored = Vec::new();
        let hash: Hash = leaf["leafHash"].as_str().unwrap().parse().unwrap();
        frontier.push(hash, |hash| stored.push(hash));
        for (level, index) in complete_with(position) {
            let is_it = |stored: &&StoredHash| (stored.level, stored.index) == (level, index);
            let hash = stored.iter().find(is_it).unwrap().hash.to_string();
            assert_eq!(next(), json!({ "level": level, "index": index, "hash": hash }));
            hashes += 1;
        }
    }
    assert_eq!(lines.next(), None);
    assert_eq!(frontier.root(), newest.root);
    assert_eq!(hashes, newest.size / 256);
}

#[tokio::test]
async fn an_export_is_taken_up_where_another_was_left() {
    let (server, token) = with_log(1_200).await;
    let size = checkpoint(&server, &token).await.size;
    let whole = lines(&server, &token, 0).await;
    for from in [1, 255, 256, 499, 500, 501, size - 1] {
        let start = whole.iter().position(|line| position(line) == Some(from)).unwrap();
        assert_eq!(lines(&server, &token, from).await, whole[start..], "{from}");
    }
    assert!(lines(&server, &token, size).await.is_empty());
}

#[tokio::test]
async fn what_comes_after_the_checkpoint_is_not_in_an_export() {
    let (server, token) = with_log(10).await;
    let size = checkpoint(&server, &token).await.size;
    server.get("/api/v1/agents").send().await.expect(401);
    assert_eq!(u64::try_from(lines(&server, &token, 0).await.len()).unwrap(), size);
}

#[tokio::test]
async fn a_head_of_an_export_reads_nothing_and_answers_as_a_get() {
    let (server, token) = with_log(10).await;
    let asked = |path: String| server.call(Method::HEAD, path).token(&token).send();
    let head = asked(EXPORT.to_owned()).await.expect(200);
    assert_eq!(head.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(head.header("content-length"), None);
    assert_eq!(asked(format!("{EXPORT}?from=9999")).await.status, 400);
}

#[tokio::test]
async fn an_export_whose_client_hangs_up_leaves_no_transaction_open_and_its_place_to_others() {
    let (server, token) = with_log(2_000).await;
    for frames in [0, 1, 2, 5] {
        let mut body = server.get(EXPORT).token(&token).begin().await.into_body();
        for _ in 0..frames {
            body.frame().await.unwrap().unwrap();
        }
        drop(body);
        drop(server.every_view().await);
    }
    freed(&server, &token).await;
    server.get("/api/v1/audit").token(&token).send().await.expect(200);
}

/// More pages than any test reads.
const NO_END: u64 = 5_000;

/// Longer than anything here takes; only a test that hangs gets to see it.
const FAR_TOO_LONG: Duration = Duration::from_secs(20);

/// Waits until an organization has a place for an export again.
async fn freed(server: &Server, token: &str) {
    let asked = async || server.call(Method::HEAD, EXPORT).token(token).send().await.status;
    let waiting = async {
        while asked().await != 200 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(FAR_TOO_LONG, waiting).await.unwrap();
}

/// An audit trail of many pages, of which `break_at` fails.
fn endless(page: usize, break_at: u64) -> (MockAuditTrail, Arc<AtomicU64>) {
    let read = Arc::new(AtomicU64::new(0));
    let counted = read.clone();
    let mut audit = MockAuditTrail::new();
    audit.expect_begin_export().returning(|_, from| Ok(ExportCursor { next: from, end: u64::MAX }));
    audit.expect_export().returning(move |_, cursor| {
        counted.fetch_add(1, Ordering::Relaxed);
        if cursor.next == break_at {
            return Err(StoreError::unavailable("connection refused"));
        }
        let next = Some(ExportCursor { next: cursor.next + 1, ..cursor });
        Ok(ExportPage { bytes: vec![b'x'; page], next })
    });
    (audit, read)
}

async fn exporting(audit: MockAuditTrail, limits: ExportLimits) -> (Server, String) {
    let altered = |ports| Ports { audit: Arc::new(audit), exports: Exports::new(limits), ..ports };
    let server = Server::altered(Settings::default(), altered).await;
    let token = server.token_of_the_inside().await;
    (server, token)
}

/// The bytes of a body up to where it breaks off.
async fn broken_off(body: Body) -> usize {
    let mut read = 0;
    let mut stream = body.into_data_stream();
    loop {
        match stream.next().await.unwrap() {
            Ok(bytes) => read += bytes.len(),
            Err(_) => return read,
        }
    }
}

#[tokio::test]
async fn nothing_is_read_that_the_client_has_not_asked_for() {
    let (audit, read) = endless(10, NO_END);
    let (server, token) = exporting(audit, ExportLimits::default()).await;
    let mut body = server.get(EXPORT).token(&token).begin().await.into_body();
    for _ in 0..100 {
        body.frame().await.unwrap().unwrap();
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let ahead = read.load(Ordering::Relaxed) - 100;
    assert!((1..=3).contains(&ahead), "{ahead}");
}

#[tokio::test]
async fn ds_04_a_client_that_takes_nothing_is_given_up_and_its_body_breaks_off() {
    let limits = ExportLimits {
        of_an_organization: 1,
        patience: Duration::from_millis(20),
        ..ExportLimits::default()
    };
    let (audit, _) = endless(10, NO_END);
    let (server, token) = exporting(audit, limits).await;
    let unread = server.get(EXPORT).token(&token).begin().await.into_body();
    // Its place is free again without anybody taking a byte or hanging up.
    freed(&server, &token).await;
    assert_eq!(broken_off(unread).await, 20);
}

#[tokio::test]
async fn ds_04_a_client_that_takes_too_little_is_given_up_and_its_place_is_free_again() {
    let limits = ExportLimits {
        of_an_organization: 1,
        patience: Duration::from_millis(20),
        least: usize::MAX,
        ..ExportLimits::default()
    };
    let (audit, _) = endless(1_000, u64::MAX);
    let (server, token) = exporting(audit, limits).await;
    let slow = server.get(EXPORT).token(&token).begin().await.into_body();
    let taken = tokio::time::timeout(FAR_TOO_LONG, broken_off(slow)).await.unwrap();
    assert!(taken > 2_000, "it took {taken} bytes, and was given up all the same");
    freed(&server, &token).await;
}

#[tokio::test]
async fn a_page_is_handed_over_in_pieces_so_that_a_slow_client_is_not_taken_for_a_silent_one() {
    let (audit, _) = endless(1_000_000, NO_END);
    let (server, token) = exporting(audit, ExportLimits::default()).await;
    let mut body = server.get(EXPORT).token(&token).begin().await.into_body();
    for _ in 0..40 {
        let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(piece.len() <= 65_536, "{}", piece.len());
    }
}

#[tokio::test]
async fn rl_03_an_organization_has_so_many_exports_under_way_and_the_server_so_many_of_all() {
    let limits = ExportLimits { at_once: 3, of_an_organization: 2, ..ExportLimits::default() };
    let (audit, _) = endless(10, NO_END);
    let (server, token) = exporting(audit, limits).await;
    let other = server.token_of(&server.other_admin, "audit:read").await;
    let begin = async |token: &str| server.get(EXPORT).token(token).begin().await;
    let refused = async |token: &str| {
        let answer = server.get(EXPORT).token(token).send().await;
        assert!(answer.number("retry-after") >= 1);
        (answer.status, answer.text("code"))
    };
    let first = begin(&token).await;
    let second = begin(&token).await;
    assert_eq!(refused(&token).await, (429, "RATE_LIMIT_EXCEEDED".to_owned()));
    let third = begin(&other).await;
    for begun in [&first, &second, &third] {
        assert_eq!(begun.status(), 200);
    }
    assert_eq!(refused(&other).await, (503, "SERVICE_UNAVAILABLE".to_owned()));
    drop(first);
    freed(&server, &token).await;
    freed(&server, &other).await;
    drop((second, third));
}

#[tokio::test]
async fn an_export_that_cannot_begin_is_refused_in_words_and_keeps_no_place() {
    let (audit, _) = endless(10, 0);
    let limits = ExportLimits { at_once: 1, of_an_organization: 1, ..ExportLimits::default() };
    let (server, token) = exporting(audit, limits).await;
    for _ in 0..3 {
        let answer = server.get(EXPORT).token(&token).send().await;
        assert_eq!(answer.refusal(), (503, "SERVICE_UNAVAILABLE"));
        assert_eq!(answer.text("message"), "a store is out of reach");
    }
}

/// Serves on a socket while a test goes on.
async fn on_a_socket(server: &Server, test: impl AsyncFnOnce(SocketAddr)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let client = async {
        test(address).await;
        stop.send(()).unwrap();
    };
    let serving = http_api::serve(listener, server.router(), ServerLimits::default(), async {
        stopped.await.unwrap();
    });
    tokio::join!(client, serving);
}

async fn ask(address: SocketAddr, token: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let headers = format!("host: a\r\nauthorization: Bearer {token}\r\n{headers}");
    let head = format!("GET {EXPORT} HTTP/1.1\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// How the last chunk of a whole body looks on the wire.
const LAST_CHUNK: &str = "\r\n0\r\n\r\n";

#[tokio::test]
async fn an_export_that_breaks_off_cannot_be_taken_for_a_whole_one() {
    let (audit, _) = endless(10, 4);
    let (server, token) = exporting(audit, ExportLimits::default()).await;
    on_a_socket(&server, async |address| {
        let mut answer = String::new();
        ask(address, &token, "").await.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        // What waited to be sent is lost with the connection.
        assert!(answer.matches("xxxxxxxxxx").count() <= 4, "{answer}");
        assert!(!answer.contains(LAST_CHUNK), "{answer}");
    })
    .await;
    let (server, token) = with_log(5).await;
    on_a_socket(&server, async |address| {
        let mut answer = String::new();
        let mut stream = ask(address, &token, "connection: close\r\n").await;
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with(LAST_CHUNK), "{answer}");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_hangs_up_on_a_socket_ends_its_export() {
    let limits = ExportLimits { of_an_organization: 1, ..ExportLimits::default() };
    let (audit, read) = endless(100_000, NO_END);
    let (server, token) = exporting(audit, limits).await;
    on_a_socket(&server, async |address| {
        let mut stream = ask(address, &token, "").await;
        stream.read_exact(&mut vec![0; 1_000_000]).await.unwrap();
        drop(stream);
        freed(&server, &token).await;
        let pages = read.load(Ordering::Relaxed);
        server.call(Method::HEAD, EXPORT).token(&token).send().await.expect(200);
        assert_eq!(read.load(Ordering::Relaxed), pages, "it is read on");
    })
    .await;
}

/// What was logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_store_that_fails_midway_breaks_the_body_off_and_is_logged_once_with_the_request() {
    let (audit, _) = endless(10, 4);
    let (server, token) = exporting(audit, ExportLimits::default()).await;
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let asked = server.get(EXPORT).token(&token).header("x-request-id", "trace-1");
    let response = asked.begin().await;
    assert_eq!(response.status(), 200);
    assert_eq!(broken_off(response.into_body()).await, 40);
    drop(guard);
    let log = log.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8(log).unwrap();
    let told: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    let [told] = told.as_slice() else { panic!("{log}") };
    assert!(told.contains("an export was cut short") && told.contains("request_id=trace-1"));
    assert!(told.contains("connection refused"), "{told}");
}

#[tokio::test]
async fn a_panic_midway_breaks_the_body_off_and_frees_its_place() {
    let mut audit = MockAuditTrail::new();
    audit.expect_begin_export().returning(|_, from| Ok(ExportCursor { next: from, end: 9 }));
    audit.expect_export().returning(|_, cursor| {
        assert_eq!(cursor.next, 0, "a bug of a store");
        Ok(ExportPage { bytes: b"x\n".to_vec(), next: Some(ExportCursor { next: 1, ..cursor }) })
    });
    let limits = ExportLimits { of_an_organization: 1, ..ExportLimits::default() };
    let (server, token) = exporting(audit, limits).await;
    let response = server.get(EXPORT).token(&token).begin().await;
    assert_eq!(response.status(), 200);
    assert_eq!(broken_off(response.into_body()).await, 2);
    server.call(Method::HEAD, EXPORT).token(&token).send().await.expect(200);
}
