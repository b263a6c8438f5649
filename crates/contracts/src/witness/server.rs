//! The server of a witness: as much of HTTP as its clients need.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use audit::LogOrigin;

use super::rules::{Answer, Rules, Seen};

/// What it does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// What the specification says.
    Honest,
    /// Nothing: it reads, and does not answer as long as the client waits.
    Silent,
    /// It answers, and its answer does not end as long as the client reads.
    Endless,
    /// It sends elsewhere.
    Redirecting {
        /// Where.
        to: String,
    },
    /// It answers with this.
    Answering {
        /// The status.
        status: u16,
        /// The type of the body.
        kind: &'static str,
        /// The body.
        body: String,
    },
}

/// A witness on a port of 127.0.0.1 that was free. It ends when this is dropped.
#[derive(Debug)]
pub struct WitnessServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    rules: Mutex<Rules>,
    behaviour: Mutex<Behaviour>,
    requests: AtomicUsize,
    has_ended: AtomicBool,
}

impl WitnessServer {
    /// One that knows the logs of this issuer, by the key that signs their checkpoints.
    #[must_use]
    pub fn start(issuer: &str, log_key: [u8; 32]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rules: Mutex::new(Rules::new(issuer, log_key)),
            behaviour: Mutex::new(Behaviour::Honest),
            requests: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
        });
        let listening = Arc::clone(&shared);
        thread::spawn(move || listening.listen(&listener));
        Self { address, shared }
    }

    /// Its submission prefix.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From here on it does this.
    pub fn behave(&self, behaviour: Behaviour) {
        *locked(&self.shared.behaviour) = behaviour;
    }

    /// What it saw last of a log.
    #[must_use]
    pub fn seen(&self, origin: &LogOrigin) -> Option<Seen> {
        locked(&self.shared.rules).seen.get(origin).copied()
    }

    /// How many requests it has read.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Drop for WitnessServer {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::SeqCst);
        // Wakes it, so that it sees that it has ended.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for connection in listener.incoming() {
            if self.has_ended.load(Ordering::SeqCst) {
                return;
            }
            let (shared, connection) = (Arc::clone(self), connection.unwrap());
            // A client that goes away in the middle is no failure of the witness.
            thread::spawn(move || shared.serve(&connection).ok());
        }
    }

    fn serve(&self, mut connection: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(connection);
        while let Some((line, body)) = request(&mut reader)? {
            self.requests.fetch_add(1, Ordering::SeqCst);
            let behaviour = locked(&self.behaviour).clone();
            let answer = match behaviour {
                Behaviour::Honest if line.starts_with("POST /add-checkpoint ") => {
                    locked(&self.rules).answer(&body)
                }
                Behaviour::Honest => Answer { status: 404, kind: "text/plain", body: line },
                // Until the client hangs up.
                Behaviour::Silent => return reader.read_to_end(&mut Vec::new()).map(drop),
                Behaviour::Endless => return endless(connection),
                Behaviour::Redirecting { to } => {
                    return write!(
                        connection,
                        "HTTP/1.1 307 Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
                    );
                }
                Behaviour::Answering { status, kind, body } => Answer { status, kind, body },
            };
            let Answer { status, kind, body } = answer;
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Status\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
            );
            connection.write_all((head + &body).as_bytes())?;
        }
        Ok(())
    }
}

/// The first line and the body of the next request. `None` where there is no more.
fn request(reader: &mut impl BufRead) -> io::Result<Option<(String, String)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body)?;
    Ok(Some((first.trim_end().to_owned(), body)))
}

fn endless(mut connection: &TcpStream) -> io::Result<()> {
    connection.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    let chunk = format!("2000\r\n{}\r\n", "a".repeat(0x2000));
    loop {
        connection.write_all(chunk.as_bytes())?;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
