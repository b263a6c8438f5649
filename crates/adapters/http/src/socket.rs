//! A connection's stream with the deadlines that hyper does not set, and a gentle end.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::rt::{Sleep, Timer};
use hyper_util::rt::TokioTimer;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, copy, sink},
    sync::oneshot,
    time::timeout,
};

/// How an HTTP/2 connection begins (RFC 9113 section 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

type Deadline = Pin<Box<dyn Sleep>>;

/// A stream, of TCP or of TLS above it, that gives up on a client that never begins, or that never
/// reads its answer.
///
/// Hyper's timers start once it knows which version of HTTP the client speaks. Until then it waits
/// for the first bytes for as long as it takes, so a silent client would hold its connection
/// forever.
pub(crate) struct Socket<S> {
    /// There until the socket is dropped.
    stream: Option<S>,
    opening: Option<Opening>,
    stalled: Option<Deadline>,
    write_patience: Duration,
    back: Option<oneshot::Sender<S>>,
}

/// The client has not yet shown which version it speaks.
struct Opening {
    deadline: Deadline,
    /// How much of the preface of HTTP/2 it has sent.
    matched: usize,
}

impl Opening {
    /// Whether the version is still open after these bytes.
    fn goes_on(&mut self, bytes: &[u8]) -> bool {
        let expected = PREFACE.get(self.matched..).unwrap_or_default();
        self.matched += bytes.len();
        expected.len() > bytes.len() && expected.starts_with(bytes)
    }
}

impl<S: Unpin> Socket<S> {
    /// Takes a stream, which comes back through the receiver when the socket is dropped.
    pub(crate) fn new(
        stream: S,
        opening: Duration,
        write_patience: Duration,
    ) -> (Self, oneshot::Receiver<S>) {
        let (back, returned) = oneshot::channel();
        let opening = Opening { deadline: TokioTimer::new().sleep(opening), matched: 0 };
        let socket = Self {
            stream: Some(stream),
            opening: Some(opening),
            stalled: None,
            write_patience,
            back: Some(back),
        };
        (socket, returned)
    }

    fn stream(&mut self) -> io::Result<Pin<&mut S>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Lets a write wait for only so long: the client's window is full, and it reads nothing.
    fn patiently<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.write_patience;
        let stalled = self.stalled.get_or_insert_with(|| TokioTimer::new().sleep(patience));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S> Drop for Socket<S> {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // Whoever does not wait for it closes it by that.
            drop(back.send(stream));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Socket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.stream()?.poll_read(context, buffer);
        let Some(opening) = self.opening.as_mut() else { return read };
        if read.is_pending() {
            ready!(opening.deadline.as_mut().poll(context));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if !opening.goes_on(buffer.filled().get(before..).unwrap_or_default()) {
            self.opening = None;
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Socket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write(context, bytes);
        self.patiently(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write_vectored(context, slices);
        self.patiently(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(S::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Of TLS, what was written may wait here, and not in the system.
        let flushed = self.stream()?.poll_flush(context);
        self.patiently(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = self.stream()?.poll_shutdown(context);
        self.patiently(context, shut)
    }
}

/// Ends a stream so that the client gets to read its last answer.
///
/// Closing a socket that still holds unread bytes makes the kernel send a reset, and that may
/// overtake the answer: a client that sends too much would see a broken connection in place of
/// its 413. So what it still sends is read away, for a bounded time and length.
pub(crate) async fn linger<S>(mut stream: S, patience: Duration)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const MOST_BYTES: u64 = 1024 * 1024;
    let ending = async {
        stream.shutdown().await?;
        copy(&mut (&mut stream).take(MOST_BYTES), &mut sink()).await
    };
    // Whatever goes wrong now, the connection is over.
    drop(timeout(patience, ending).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening() -> Opening {
        Opening { deadline: TokioTimer::new().sleep(Duration::ZERO), matched: 0 }
    }

    #[tokio::test]
    async fn a_connection_is_open_while_it_may_still_be_either_version() {
        let mut whole = opening();
        assert!(whole.goes_on(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"));
        assert!(!whole.goes_on(b"\n"));
        assert!(opening().goes_on(b"P") && !opening().goes_on(b"POST / HTTP/1.1\r\n"));
        let mut late = opening();
        assert!(late.goes_on(b"P") && !late.goes_on(b"OST /"));
        assert!(!opening().goes_on(&[PREFACE.as_slice(), b"more"].concat()));
        // The end of the stream changes nothing: hyper ends the connection by itself.
        assert!(opening().goes_on(b""));
    }

    /// Takes what is written, as TLS does, and never passes it on.
    struct Hoard;

    impl AsyncWrite for Hoard {
        fn poll_write(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ds_04_what_waits_above_the_system_is_waited_for_no_longer() {
        let patience = Duration::from_secs(30);
        let (mut socket, _returned) = Socket::new(Hoard, patience, patience);
        socket.write_all(b"answer").await.unwrap();
        let flushed = timeout(patience * 2, socket.flush()).await.unwrap();
        assert_eq!(flushed.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let (mut socket, _returned) = Socket::new(Hoard, patience, patience);
        let shut = timeout(patience * 2, socket.shutdown()).await.unwrap();
        assert_eq!(shut.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
