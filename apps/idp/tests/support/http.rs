//! A client of one request a connection: plain HTTP/1.1, blocking, and strict about an answer's
//! end, so that one that was cut off is never taken for an answer.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::Value;
use url::form_urlencoded;

/// An answer that takes longer is a server that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to send, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    head: String,
    body: String,
}

impl Request {
    /// A request without a body.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { head: format!("{method} {path} HTTP/1.1\r\n"), body: String::new() }
    }

    /// With the bearer token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// With the client's id and secret, each encoded as RFC 6749 section 2.3.1 has it.
    pub(crate) fn basic(self, client_id: &str, client_secret: &str) -> Self {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let pair: [String; 2] = [encode(client_id), encode(client_secret)];
        let encoded = BASE64.encode(pair.join(":").as_bytes());
        self.header("Authorization", &format!("Basic {encoded}"))
    }

    /// With a JSON body.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a form.
    pub(crate) fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// With a header more.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    fn body(self, content_type: &str, body: String) -> Self {
        let length = body.len().to_string();
        Self { body, ..self }.header("Content-Type", content_type).header("Content-Length", &length)
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: u16,
    /// The body, as text.
    pub(crate) body: String,
    head: String,
}

impl Answer {
    /// A header's value, if there is such.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        value_of(&self.head, name)
    }

    /// The body as JSON, of an answer that has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// Sends a request to `address` (`127.0.0.1:3000`) and reads the answer.
///
/// # Errors
/// When the server cannot be reached, or ends before its answer does.
pub(crate) fn send(address: &str, request: &Request) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let Request { head, body } = request;
    let request = format!("{head}Host: {address}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    String::from_utf8(answer).ok().and_then(|text| parse(&text)).ok_or_else(cut_off)
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the answer is not whole")
}

fn parse(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if value_of(head, "transfer-encoding") == Some("chunked") {
        return Some(Answer { status, body: joined(body)?, head: head.to_owned() });
    }
    let length: Option<usize> = value_of(head, "content-length").and_then(|it| it.parse().ok());
    // Only an answer that can have no body says no length.
    let whole = match length {
        Some(length) => body.len() == length,
        None => status == 204,
    };
    whole.then(|| Answer { status, body: body.to_owned(), head: head.to_owned() })
}

/// A body that came in pieces, if the last one came too.
fn joined(mut pieces: &str) -> Option<String> {
    let mut body = String::new();
    loop {
        let (length, rest) = pieces.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return (rest == "\r\n").then_some(body);
        }
        body.push_str(rest.get(..length)?);
        pieces = rest.get(length..)?.strip_prefix("\r\n")?;
    }
}

fn value_of<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
    values.next().map(|(_, value)| value.trim())
}

#[test]
fn an_answer_that_was_cut_off_is_none() {
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
    assert_eq!(parse(whole).map(|answer| answer.status), Some(200));
    for length in 0..whole.len() {
        assert!(whole.get(..length).and_then(parse).is_none(), "{length} bytes");
    }
    assert!(parse("HTTP/1.1 204 No Content\r\n\r\n").is_some());
}

#[test]
fn an_answer_in_pieces_is_whole_with_its_last_piece() {
    let whole =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nbod\r\n1\r\ny\r\n0\r\n\r\n";
    assert_eq!(parse(whole).map(|answer| answer.body).as_deref(), Some("body"));
    for length in 0..whole.len() {
        assert!(whole.get(..length).and_then(parse).is_none(), "{length} bytes");
    }
}
