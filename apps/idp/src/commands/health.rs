//! `idp health`: asks a server whether it is ready. It exists for a container that has neither a
//! shell nor a client of its own to check its health with.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use url::{Position, Url};

use super::Failure;
use crate::config::{Config, Scheme};

mod over_tls;

/// For how long the whole of it may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The status comes first, and the rest is read only so that the server can end its answer well.
const LONGEST_ANSWER: u64 = 16 * 1024;

/// Why the server is not known to be ready. One line each.
#[derive(Debug, thiserror::Error)]
pub enum Unready {
    /// The configured port is any.
    #[error("the server's port is not known; set PORT to another than 0, or use --url")]
    NoPort,
    /// What was given is no URL of a server.
    #[error("`--url` must be of the form http://host:port, or https://host:port")]
    Url,
    /// The server cannot be asked, or hangs up.
    #[error("the server at {0} cannot be asked: {1}")]
    Away(String, io::ErrorKind),
    /// The server says nothing for too long.
    #[error("the server at {0} does not answer within {secs} s", secs = PATIENCE.as_secs())]
    Silent(String),
    /// The server answered something else.
    #[error("the server at {0} is not ready: it answers {1}")]
    Refused(String, u16),
}

pub(super) fn run(config: &Config, url: Option<&Url>, out: &mut dyn Write) -> Result<(), Failure> {
    let url = url.map_or_else(
        || on_this_machine(config.scheme(), config.socket_address()),
        |url| Ok(url.clone()),
    )?;
    ask(url, PATIENCE)?;
    writeln!(out, "ready")?;
    Ok(())
}

/// Where a server that listens there is reached from this machine.
fn on_this_machine(scheme: Scheme, listens: SocketAddr) -> Result<Url, Unready> {
    let host = match listens.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        specific @ (IpAddr::V4(_) | IpAddr::V6(_)) => specific,
    };
    match listens.port() {
        0 => Err(Unready::NoPort),
        port => {
            let url = format!("{}://{}", scheme.name(), SocketAddr::new(host, port));
            url.parse().map_err(|_| Unready::Url)
        }
    }
}

/// Asks in a thread of its own: neither a name that does not resolve nor an answer that comes a
/// byte at a time can take longer than the patience. The thread ends with the process.
fn ask(url: Url, patience: Duration) -> Result<(), Unready> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(Unready::Url);
    }
    // Not the whole of it, which may hold a password.
    let place = url[Position::BeforeHost..Position::AfterPort].to_owned();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(status(&url)));
    match told.recv_timeout(patience) {
        Ok(Ok(200)) => Ok(()),
        Ok(Ok(status)) => Err(Unready::Refused(place, status)),
        Ok(Err(error)) => Err(Unready::Away(place, error.kind())),
        Err(_) => Err(Unready::Silent(place)),
    }
}

fn status(url: &Url) -> io::Result<u16> {
    let stream = TcpStream::connect(&*url.socket_addrs(|| None)?)?;
    match url.scheme() {
        "https" => status_over(url, over_tls::wrap(url, stream)?),
        _ => status_over(url, stream),
    }
}

fn status_over(url: &Url, mut stream: impl Read + Write) -> io::Result<u16> {
    let path = format!("{}/health/ready", url.path().trim_end_matches('/'));
    let host = &url[Position::BeforeHost..Position::AfterPort];
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    // Without its end the line may be cut off, and the status with it.
    let end = answer.iter().position(|byte| *byte == b'\r');
    let line = end.and_then(|end| str::from_utf8(answer.get(..end)?).ok());
    let code =
        line.and_then(|line| line.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok());
    code.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests;
