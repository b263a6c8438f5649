//! How a server ends: what is in flight is answered, and nothing holds the end up.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use rustix::process::Signal;
use serde_json::Value;

use crate::process::{Process, Server, admin, data, idp};

/// The longest that an end may take, whatever is in flight.
const LONGEST: Duration = Duration::from_secs(10);

const TOLD: &str = "told to end";
const BODY: &str = "grant_type=client_credentials";

/// The head of a request for a token, but for its last lines.
fn head(server: &Server, admin: &Value) -> String {
    let member = |name: &str| admin[name].as_str().unwrap();
    let pair = format!("{}:{}", member("clientId"), member("clientSecret"));
    format!(
        "POST /api/v1/token HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
        server.address,
        BASE64.encode(pair.as_bytes()),
        BODY.len(),
    )
}

/// A request whose body the server waits for.
struct InFlight(BufReader<TcpStream>);

impl InFlight {
    /// Sends all but the body, and waits until the server asks for that.
    fn begin(server: &Server, admin: &Value) -> Self {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(LONGEST * 2)).unwrap();
        write!(stream, "{}Expect: 100-continue\r\n\r\n", head(server, admin)).unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert_eq!(line, "HTTP/1.1 100 Continue\r\n");
        stream.read_line(&mut line).unwrap();
        Self(stream)
    }

    /// Sends the body, and returns all that comes back until the server hangs up.
    fn finish(mut self) -> io::Result<String> {
        self.0.get_mut().write_all(BODY.as_bytes())?;
        let mut answer = String::new();
        self.0.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

/// Waits until nobody can connect any more.
fn wait_until_closed(server: &Server) {
    let refused = |_| match TcpStream::connect(&server.address) {
        Ok(_) => false,
        Err(error) => error.kind() == ErrorKind::ConnectionRefused,
    };
    assert!((0..100_000).any(refused), "it still listens");
}

#[test]
fn cs_01_requests_in_flight_are_answered_and_then_the_server_ends_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let data = data(&folder);
        let server = Process::serve(&mut idp(&[], &data));
        let admin = admin(&data);
        let in_flight: Vec<_> = (0..8).map(|_| InFlight::begin(&server, &admin)).collect();
        // One that is open, and asks nothing, must not hold the end up.
        let _idle = TcpStream::connect(&server.address).unwrap();
        server.process.signal(signal);
        server.process.logs(TOLD);
        wait_until_closed(&server);
        for request in in_flight {
            let answer = request.finish().unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.ends_with('}') && answer.contains("access_token"), "{answer}");
        }
        let ended = server.process.ended_within(LONGEST);
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        assert!(ended.log.contains("stopped") && !ended.log.contains("cut off"), "{}", ended.log);
    }
}

#[test]
fn cs_01_a_client_that_never_finishes_does_not_hold_the_end_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    let _stuck = InFlight::begin(&server, &admin(&data));
    server.process.signal(Signal::TERM);
    let ended = server.process.ended_within(LONGEST);
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    assert!(ended.log.contains("requests were cut off"), "{}", ended.log);
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    let _stuck = InFlight::begin(&server, &admin(&data));
    server.process.signal(Signal::TERM);
    server.process.logs(TOLD);
    server.process.signal(Signal::INT);
    // Were it to wait for the stuck request, it would end with 0 at last.
    let ended = server.process.ended();
    assert_eq!(ended.code, Some(1), "{}", ended.log);
    assert!(ended.log.contains("idp: told to end at once"), "{}", ended.log);
    Process::serve(&mut idp(&[], &data)).stop();
}

/// What became of a request.
#[derive(Debug, PartialEq)]
enum Fate {
    Answered,
    /// Nobody took it, so that the client knows that it may ask again elsewhere.
    Refused,
    /// The answer began, and did not end.
    Cut(String),
}

fn ask(address: &str, head: &str) -> Fate {
    let mut answer = Vec::new();
    let asked = TcpStream::connect(address).and_then(|mut stream| {
        stream.write_all(format!("{head}Connection: close\r\n\r\n{BODY}").as_bytes())?;
        stream.read_to_end(&mut answer)
    });
    let answer = String::from_utf8(answer).unwrap();
    match asked {
        Ok(_) if answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with('}') => {
            Fate::Answered
        }
        // A bare reset is a connection that came in the microsecond in which the listener closed.
        Err(error) if answer.is_empty() && refuses(error.kind()) => Fate::Refused,
        Ok(_) | Err(_) => Fate::Cut(answer),
    }
}

const fn refuses(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset};
    matches!(kind, ConnectionRefused | ConnectionReset | BrokenPipe)
}

#[test]
fn cs_01_under_load_no_request_is_accepted_and_then_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let many = ("IDP_PLANS_ENTERPRISE_REQUESTS_PER_MINUTE", "1000000");
    let server = Process::serve(idp(&[], &data).env("IDP_LOG", "error").env(many.0, many.1));
    let head = head(&server, &admin(&data));
    let (sender, answered) = mpsc::channel();
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (address, head, sender) = (server.address.clone(), head.clone(), sender.clone());
            thread::spawn(move || {
                loop {
                    match ask(&address, &head) {
                        // Once the server is told to end, nobody counts any more.
                        Fate::Answered => drop(sender.send(())),
                        end @ (Fate::Refused | Fate::Cut(_)) => return end,
                    }
                }
            })
        })
        .collect();
    assert_eq!(answered.iter().take(50).count(), 50);
    server.process.signal(Signal::TERM);
    for worker in workers {
        assert_eq!(worker.join().unwrap(), Fate::Refused);
    }
    assert_eq!(server.process.ended_within(LONGEST).code, Some(0));
}
