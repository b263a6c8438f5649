//! The beginning of PostgreSQL's protocol, version 3: enough to know that a session is to be had.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long one read or write may take. The server has said that it is ready, so this is for one that froze.
const PATIENCE: Duration = Duration::from_secs(5);

/// A session of the superuser that is ready for a query.
pub(super) fn session(port: u16) -> io::Result<TcpStream> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let length = u32::try_from(parameters.len() + 8).map_err(io::Error::other)?;
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(&0x0003_0000_u32.to_be_bytes())?;
    stream.write_all(parameters)?;
    loop {
        match message(&mut stream)? {
            (b'Z', _) => return Ok(stream),
            (b'E', text) => return Err(io::Error::other(String::from_utf8_lossy(&text))),
            _ => {}
        }
    }
}

/// The next message: its type and its body.
pub(super) fn message(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    // The length counts itself.
    let length = u32::from_be_bytes(length).saturating_sub(4);
    let mut body = Vec::new();
    let read = stream.take(u64::from(length)).read_to_end(&mut body)?;
    if u32::try_from(read) == Ok(length) {
        return Ok((kind, body));
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
