//! A client that keeps its connection: plain HTTP/1.1, blocking, one request at a time.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    sync::LazyLock,
    time::Duration,
};

use data_encoding::BASE64;
use http_api::route::Route;
use serde_json::Value;
use url::form_urlencoded;

/// An answer that takes longer is a server that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every route that the server serves.
pub(crate) static ROUTES: LazyLock<Vec<Route>> = LazyLock::new(http_api::routes);

/// What stands in an answer though nobody asked for it, and differs each time.
const OF_THE_MOMENT: [&str; 7] = [
    "date",
    "x-request-id",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit-policy",
    "ratelimit",
];

/// What to send.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The operation of the route table, or `unknown` for a path that lies outside of it.
    pub(crate) operation: &'static str,
    method: String,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Request {
    /// A request of a route, with what stands for the parameters of its path.
    pub(crate) fn to(operation: &str, parameters: &[(&str, &str)]) -> Self {
        let route = ROUTES.iter().find(|route| route.operation == operation).unwrap();
        let mut target = route.path.to_owned();
        for (name, value) in parameters {
            target = target.replace(&format!("{{{name}}}"), value);
            target = target.replace(&format!("{{*{name}}}"), value);
        }
        assert!(!target.contains('{'), "{target}");
        let (operation, method) = (route.operation, route.method.to_string());
        Self { operation, method, target, headers: Vec::new(), body: String::new() }
    }

    /// A request of a path that no route has.
    pub(crate) fn astray(path: String) -> Self {
        let (operation, method) = ("unknown", "GET".to_owned());
        Self { operation, method, target: path, headers: Vec::new(), body: String::new() }
    }

    /// Whether a success of it leaves an event.
    pub(crate) fn leaves_an_event(&self) -> bool {
        let route = ROUTES.iter().find(|route| route.operation == self.operation);
        route.is_some_and(|route| !route.events.is_empty())
    }

    pub(crate) fn query(mut self, pairs: &[(&str, String)]) -> Self {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        if !query.is_empty() {
            self.target = format!("{}?{query}", self.target);
        }
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    pub(crate) fn basic(self, client_id: &str, client_secret: &str) -> Self {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let pair: [String; 2] = [encode(client_id), encode(client_secret)];
        self.header("Authorization", format!("Basic {}", BASE64.encode(pair.join(":").as_bytes())))
    }

    pub(crate) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header("Content-Type", "application/json".to_owned())
    }

    pub(crate) fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("Content-Type", "application/x-www-form-urlencoded".to_owned())
    }

    fn text(&self, address: &str) -> String {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let names_a_host = self.headers.iter().any(|(name, _)| *name == "Host");
        let host = (!names_a_host).then(|| ("Host", address.to_owned()));
        let length = ("Content-Length", self.body.len().to_string());
        for (name, value) in self.headers.iter().cloned().chain(host).chain([length]) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text + "\r\n" + &self.body
    }
}

/// A whole answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// The code of a refusal, in either dialect.
    pub(crate) fn code(&self) -> String {
        let body = self.json();
        let code = body["code"].as_str().or_else(|| body["error"].as_str());
        code.unwrap_or_default().to_owned()
    }

    /// All of it but what is of the moment: what two answers must have in common to tell nothing.
    pub(crate) fn without_the_moment(&self) -> String {
        let id = self.header("x-request-id").unwrap_or("-");
        let lasting = |(name, _): &&(String, String)| !OF_THE_MOMENT.contains(&name.as_str());
        let headers: Vec<_> = self.headers.iter().filter(lasting).collect();
        format!("{} {headers:?} {}", self.status, self.body.replace(id, "*"))
    }
}

/// A connection that is opened at the first request, and again where the server has closed it.
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
        if let Some(stream) = self.stream.take()
            && let Ok(answer) = self.exchange(stream, request)
        {
            return answer;
        }
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        self.exchange(BufReader::new(stream), request).unwrap()
    }

    /// An error is only told of a connection that was closed before the first byte of an answer.
    fn exchange(
        &mut self,
        mut stream: BufReader<TcpStream>,
        request: &Request,
    ) -> io::Result<Answer> {
        stream.get_mut().write_all(request.text(&self.address).as_bytes())?;
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let answer = read_answer(&line, &mut stream).unwrap();
        if answer.header("connection") != Some("close") {
            self.stream = Some(stream);
        }
        Ok(answer)
    }
}

fn read_answer(first: &str, stream: &mut impl BufRead) -> io::Result<Answer> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let mut answer = Answer { status: status.ok_or_else(invalid)?, ..Answer::default() };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    // Only an answer that can have no body says no length.
    let body = match answer.header("content-length") {
        Some(length) => read_bytes(stream, length.parse().map_err(|_| invalid())?)?,
        None if answer.status == 204 => Vec::new(),
        None if answer.header("transfer-encoding") == Some("chunked") => read_chunks(stream)?,
        None => return Err(invalid()),
    };
    answer.body = match answer.header("content-type") {
        // Whatever text stands between the hashes is looked at all the same.
        Some("application/octet-stream") => String::from_utf8_lossy(&body).into_owned(),
        Some(_) | None => String::from_utf8(body).map_err(|_| invalid())?,
    };
    Ok(answer)
}

fn read_bytes(stream: &mut impl BufRead, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A body in chunks (RFC 9112, section 7.1), to its last one.
fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let length = usize::from_str_radix(line.trim_end(), 16);
        let length = length.map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
        body.extend(read_bytes(stream, length)?);
        read_bytes(stream, 2)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

#[test]
fn an_answer_ends_where_it_says() {
    let text = "X-Request-Id: a-1\r\nDate: now\r\nContent-Length: 7\r\n\r\nbad a-1HTTP/1.1";
    let answer = read_answer("HTTP/1.1 400 Bad Request\r\n", &mut text.as_bytes()).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (400, "bad a-1"));
    assert_eq!(answer.without_the_moment(), r#"400 [("content-length", "7")] bad *"#);
    assert!(read_answer("HTTP/1.1 200 OK\r\n", &mut "\r\n".as_bytes()).is_err());
    let text = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\nHTTP";
    let answer = read_answer("HTTP/1.1 200 OK\r\n", &mut text.as_bytes()).unwrap();
    assert_eq!(answer.body, "abc0123456789");
}
