//! As much of an HTTP/1.1 client as the benchmarks need: one request after the other, bodies of a known
//! length.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use anyhow::{Context, bail};

/// A connection that is kept open.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// The status code.
    status: u16,
    /// The body.
    body: Vec<u8>,
}

impl Connection {
    /// Connects to the server of an URL such as `http://127.0.0.1:3000`.
    ///
    /// # Errors
    /// Where nobody listens there.
    pub(super) fn open(url: &str) -> anyhow::Result<Self> {
        let address = url.strip_prefix("http://").context("only http can be measured")?;
        let stream = TcpStream::connect(address).with_context(|| format!("connecting to {url}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a request as it is, and reads the answer.
    ///
    /// # Errors
    /// Where the connection breaks, or the answer has no length.
    pub(super) fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.get_mut().write_all(request).context("sending a request")?;
        read(&mut self.stream)
    }
}

/// How long the answer is that these bytes begin with, once its head is there.
///
/// # Errors
/// Where it tells no length.
pub(super) fn length(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(end) = bytes.windows(END.len()).position(|part| part == END) else {
        return Ok(None);
    };
    let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
    let mut lengths = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let body = lengths.next_back().context("the answer has no length")?;
    Ok(Some(end + END.len() + body))
}

pub(super) fn read(stream: &mut impl BufRead) -> anyhow::Result<Answer> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok());
    let status = status.with_context(|| format!("`{}` is no answer", line.trim_end()))?;
    let mut length = None;
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            bail!("the answer broke off");
        }
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    let mut body = vec![0; length.context("the answer has no length")?];
    stream.read_exact(&mut body).context("reading an answer")?;
    Ok(Answer { status, body })
}

impl Answer {
    /// The body of a success.
    ///
    /// # Errors
    /// Where it is none, with what the server said.
    pub(super) fn success(self) -> anyhow::Result<Vec<u8>> {
        if !(200..300).contains(&self.status) {
            bail!("answered {}: {}", self.status, String::from_utf8_lossy(&self.body));
        }
        Ok(self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let text = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\nX: y\r\n\r\n{}HTTP/1.1 200 OK";
        let mut stream = text.as_bytes();
        let answer = read(&mut stream).unwrap();
        assert_eq!(answer, Answer { status: 201, body: b"{}".to_vec() });
        assert_eq!(stream, b"HTTP/1.1 200 OK");
        assert_eq!(answer.success().unwrap(), b"{}");
    }

    #[test]
    fn the_length_of_an_answer_is_known_from_its_head() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX: y\r\n\r\n{}";
        assert_eq!(length(text).unwrap(), Some(text.len()));
        assert_eq!(length(&text[..text.len() - 2]).unwrap(), Some(text.len()));
        for end in 0..text.len() - 2 {
            assert_eq!(length(&text[..end]).unwrap(), None);
        }
        assert!(length(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn an_answer_that_breaks_off_is_an_error() {
        for text in ["", "nonsense\r\n", "HTTP/1.1 200 OK\r\na: b\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            assert!(read(&mut text.as_bytes()).is_err(), "{text}");
        }
        let short = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n{}";
        assert!(read(&mut short.as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_success_says_so() {
        let error = Answer { status: 503, body: b"busy".to_vec() }.success().unwrap_err();
        assert_eq!(error.to_string(), "answered 503: busy");
    }
}
