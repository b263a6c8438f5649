//! As much of an HTTP/1.1 client as the benchmarks need: one request after the other, bodies of a known
//! length.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
};

use anyhow::{Context, bail, ensure};

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

/// What stands before the body of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    status: u16,
    /// How many bytes it takes itself.
    own: usize,
    /// How many bytes the body takes.
    body: usize,
}

impl Head {
    /// The head that these bytes begin with, once all of it is there.
    ///
    /// # Errors
    /// Where it is none of an answer, or tells no length.
    pub(super) fn of(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        const END: &[u8] = b"\r\n\r\n";
        let Some(end) = bytes.windows(END.len()).position(|part| part == END) else {
            return Ok(None);
        };
        let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
        let (first, fields) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = first.split_ascii_whitespace().nth(1).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("`{first}` is no answer"))?;
        let length = fields.lines().filter_map(|field| field.split_once(':'));
        let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let body = length.filter_map(|(_, value)| value.trim().parse().ok()).next_back();
        let body = body.context("the answer has no length")?;
        Ok(Some(Self { status, own: end + END.len(), body }))
    }

    /// The answer, of bytes that it begins with; `None` while some of it is not there.
    pub(super) fn answer(self, bytes: &[u8]) -> Option<Answer> {
        let body = bytes.get(self.own..self.own.checked_add(self.body)?)?;
        Some(Answer { status: self.status, body: body.to_vec() })
    }
}

fn read(stream: &mut impl BufRead) -> anyhow::Result<Answer> {
    let mut bytes = Vec::new();
    let head = loop {
        ensure!(stream.read_until(b'\n', &mut bytes)? > 0, "the answer broke off");
        if let Some(head) = Head::of(&bytes)? {
            break head;
        }
    };
    let mut body = vec![0; head.body];
    stream.read_exact(&mut body).context("reading an answer")?;
    Ok(Answer { status: head.status, body })
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
    fn an_answer_that_comes_in_parts_is_whole_once_all_of_it_is_there() {
        let text = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX: y\r\n\r\n{}";
        for end in 0..text.len() - 2 {
            assert_eq!(Head::of(&text[..end]).unwrap(), None);
        }
        let head = Head::of(&text[..text.len() - 2]).unwrap().unwrap();
        for end in text.len() - 2..text.len() {
            assert_eq!(head.answer(&text[..end]), None);
        }
        let whole = Answer { status: 201, body: b"{}".to_vec() };
        assert_eq!(head.answer(text), Some(whole));
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
