//! A client that keeps its connection: plain HTTP/1.1, blocking, one request at a time.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    time::Duration,
};

use kernel::Clock;
use local::SystemClock;
use serde_json::Value;
use url::form_urlencoded;

/// An answer that takes longer is a server that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to send.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    head: String,
    body: String,
}

impl Request {
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self { head: format!("{method} {target} HTTP/1.1\r\n"), body: String::new() }
    }

    pub(crate) fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Asks for a token by the client's secret, in the form, where nothing hides it from a test's reader.
    pub(crate) fn token(client_id: &str, client_secret: &str) -> Self {
        let grant = ("grant_type", "client_credentials");
        let client = [("client_id", client_id), ("client_secret", client_secret)];
        Self::new("POST", "/api/v1/token").form(&[grant, client[0], client[1]])
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header("Content-Type", "application/json")
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("Content-Type", "application/x-www-form-urlencoded")
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In lower case.
    head: String,
    pub(crate) body: String,
    /// From the first byte of the request to the last of the answer.
    pub(crate) took: Duration,
}

impl Answer {
    /// How many seconds to wait, where it says so.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        let value = self.head.lines().find_map(|line| line.strip_prefix("retry-after: "));
        value.map(|seconds| seconds.trim().parse().unwrap())
    }

    /// The body as JSON, of an answer that has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// That it is the answer of an outage: in time, and with when to come again.
    #[track_caller]
    pub(crate) fn expect_outage(&self, what: &str) {
        assert_eq!(self.status, 503, "{what}: {}", self.body);
        assert!(self.retry_after().is_some_and(|wait| wait > 0), "{what}: {}", self.head);
        self.expect_in_time(what);
    }

    /// Three seconds are promised; one more is for a machine that is busy with other tests.
    #[track_caller]
    pub(crate) fn expect_in_time(&self, what: &str) {
        assert!(self.took < Duration::from_secs(4), "{what} took {:?}", self.took);
    }
}

/// A connection that is opened at the first request, and again where it was closed.
#[derive(Debug)]
pub(crate) struct Connection {
    address: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Connection {
    pub(crate) fn new(address: &str) -> Self {
        Self { address: address.to_owned(), stream: None }
    }

    /// Sends a request that must be answered.
    #[track_caller]
    pub(crate) fn send(&mut self, request: &Request) -> Answer {
        let clock = SystemClock::new();
        let begun = clock.now();
        let kept = self.stream.take();
        let answered = kept.and_then(|stream| self.exchange(stream, request).ok());
        let mut answer = answered.unwrap_or_else(|| {
            let stream = TcpStream::connect(&self.address).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.set_nodelay(true).unwrap();
            self.exchange(BufReader::new(stream), request).unwrap()
        });
        answer.took = clock.now().since(begun);
        answer
    }

    /// An error is only told of a connection that was closed before the first byte of an answer.
    fn exchange(
        &mut self,
        mut stream: BufReader<TcpStream>,
        Request { head, body }: &Request,
    ) -> io::Result<Answer> {
        let (host, length) = (&self.address, body.len());
        let text = format!("{head}Host: {host}\r\nContent-Length: {length}\r\n\r\n{body}");
        stream.get_mut().write_all(text.as_bytes())?;
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer = read_answer(line, &mut stream).unwrap();
        if !answer.head.contains("connection: close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

/// Sends a request on a connection of its own.
#[track_caller]
pub(crate) fn send(address: &str, request: &Request) -> Answer {
    Connection::new(address).send(request)
}

fn read_answer(mut head: String, stream: &mut impl BufRead) -> io::Result<Answer> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err(invalid());
        }
    }
    let head = head.to_ascii_lowercase();
    // Only an answer that can have no body says no length.
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.unwrap_or("0").trim().parse().map_err(|_| invalid())?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8(body).map_err(|_| invalid())?;
    Ok(Answer { status: status.ok_or_else(invalid)?, head, body, took: Duration::ZERO })
}

#[test]
fn an_answer_ends_where_it_says() {
    let rest = "Retry-After: 2\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1";
    let read = |rest: &str| read_answer("HTTP/1.1 503 \r\n".to_owned(), &mut rest.as_bytes());
    let answer = read(rest).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (503, "body"));
    assert_eq!(answer.retry_after(), Some(2));
    assert!(read("Content-Length: 4\r\n\r\nbod").is_err());
    assert!(read("Content-Length: 4\r\n").is_err());
}
