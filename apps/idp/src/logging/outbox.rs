//! Lines of the log on their way out: gathered, and written together by a thread of their own.
//!
//! A line that is written by whoever has it costs a call of the system for each request, and a reader
//! that stands still, such as a pipe that nobody empties, would hold all requests up. So a line is
//! only put down here. The thread writes all that is there at once, a moment after the first came; a
//! warning or an error it writes at once.
//!
//! What is held is bounded. Where it is full, lines are lost, and a line says how many once there is
//! room again. Nothing else is lost when the process ends in order.

use std::{
    fmt,
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// For how long lines are gathered.
const MOMENT: Duration = Duration::from_millis(20);

/// How many bytes wait at most: some thousand requests.
const MOST_BYTES: usize = 1024 * 1024;

/// As many more wait where they are warnings and errors, which come in numbers when something fails.
const MOST_URGENT_BYTES: usize = 2 * MOST_BYTES;

/// For how long the end waits for a reader that stands still.
const AT_THE_END: Duration = Duration::from_secs(2);

/// Where lines are put down.
pub(super) struct Outbox<M>(Arc<Shared<M>>);

struct Shared<M> {
    /// Opens what lines are written to.
    sink: M,
    waiting: Mutex<Waiting>,
    /// Something came that the thread does not wait a moment for, or the thread has ended.
    stirred: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    lost: u64,
    is_urgent: bool,
    /// The thread waits for a first line.
    is_idle: bool,
    is_ending: bool,
    has_ended: bool,
}

impl Waiting {
    fn put_down(&mut self, line: &[u8], is_urgent: bool) {
        let most = if is_urgent { MOST_URGENT_BYTES } else { MOST_BYTES };
        if self.lines.len() + line.len() > most {
            self.lost += 1;
        } else {
            self.lines.extend_from_slice(line);
        }
        self.is_urgent |= is_urgent || self.lines.len() > MOST_BYTES / 2;
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.lost == 0
    }
}

impl<M, W> Outbox<M>
where
    M: Fn() -> W + Send + Sync + 'static,
    W: Write,
{
    /// Starts the thread that writes to this. Lines are gathered while what is returned is held.
    pub(super) fn open(sink: M) -> io::Result<(Self, LogGuard)> {
        let outbox =
            Self(Arc::new(Shared { sink, waiting: Mutex::default(), stirred: Condvar::new() }));
        let (writing, ending) = (Self(Arc::clone(&outbox.0)), Self(Arc::clone(&outbox.0)));
        thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_out())?;
        Ok((outbox, LogGuard(Box::new(move || ending.end()))))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put_down(&self, line: &[u8], is_urgent: bool) {
        let mut waiting = self.waiting();
        if waiting.has_ended {
            // Nobody gathers any more. Where nobody reads either there is nobody to tell.
            let _ = (self.0.sink)().write_all(line);
            return;
        }
        waiting.put_down(line, is_urgent);
        if mem::take(&mut waiting.is_idle) || waiting.is_urgent {
            drop(waiting);
            self.0.stirred.notify_all();
        }
    }

    /// The work of the thread.
    fn write_out(&self) {
        let mut lines = Vec::new();
        while let Some(lost) = self.gather(&mut lines) {
            // An error means that nobody reads the log: there is nobody to tell.
            let _ = (self.0.sink)().write_all(&lines);
            lines.clear();
            if lost > 0 {
                tracing::warn!(lost, "lines of the log are lost: it is not read fast enough");
            }
        }
    }

    /// Waits for lines, takes them, and tells how many were lost. `None` at the end.
    fn gather(&self, lines: &mut Vec<u8>) -> Option<u64> {
        let stirred = &self.0.stirred;
        let mut waiting = self.waiting();
        waiting.is_idle = waiting.is_empty();
        let first = |waiting: &mut Waiting| waiting.is_empty() && !waiting.is_ending;
        waiting = stirred.wait_while(waiting, first).unwrap_or_else(PoisonError::into_inner);
        waiting.is_idle = false;
        if waiting.is_empty() {
            waiting.has_ended = true;
            stirred.notify_all();
            return None;
        }
        let more = |waiting: &mut Waiting| !waiting.is_urgent && !waiting.is_ending;
        let waited = stirred.wait_timeout_while(waiting, MOMENT, more);
        (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.is_urgent = false;
        mem::swap(&mut waiting.lines, lines);
        Some(mem::take(&mut waiting.lost))
    }

    /// Has everything written that waits, and ends the thread.
    fn end(&self) {
        let mut waiting = self.waiting();
        waiting.is_ending = true;
        self.0.stirred.notify_all();
        let still = |waiting: &mut Waiting| !waiting.has_ended;
        drop(self.0.stirred.wait_timeout_while(waiting, AT_THE_END, still));
    }
}

/// Has lines gathered for as long as it is held. Dropped, it waits until all of them are written; what
/// comes later is written by whoever has it.
#[must_use = "what waits is lost unless this is dropped at the end"]
pub struct LogGuard(Box<dyn Fn() + Send>);

impl Drop for LogGuard {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl fmt::Debug for LogGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogGuard")
    }
}

/// Takes one line.
pub(super) struct Line<'a, M> {
    outbox: &'a Outbox<M>,
    is_urgent: bool,
}

impl<M, W> Write for Line<'_, M>
where
    M: Fn() -> W + Send + Sync + 'static,
    W: Write,
{
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.outbox.put_down(line, self.is_urgent);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a, M, W> MakeWriter<'a> for Outbox<M>
where
    M: Fn() -> W + Send + Sync + 'static,
    W: Write,
{
    type Writer = Line<'a, M>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { outbox: self, is_urgent: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        Line { outbox: self, is_urgent: *metadata.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Hands on what is written, and stands still until it is taken.
    struct Reader(mpsc::SyncSender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    type Opened<M> = (Outbox<M>, LogGuard, mpsc::Receiver<Vec<u8>>);

    fn open(ahead: usize) -> Opened<impl Fn() -> Reader + Send + Sync + 'static> {
        let (sender, written) = mpsc::sync_channel(ahead);
        let (outbox, held) = Outbox::open(move || Reader(sender.clone())).unwrap();
        (outbox, held, written)
    }

    #[test]
    fn lines_are_written_in_their_order_and_all_of_them_before_the_end() {
        let (outbox, held, written) = open(1_000);
        let expected: Vec<u8> = (0..500).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        for n in 0..500 {
            outbox.put_down(format!("{n}\n").as_bytes(), false);
        }
        drop(held);
        outbox.put_down(b"later\n", false);
        let written: Vec<u8> = written.try_iter().flatten().collect();
        assert_eq!(written, [&*expected, b"later\n"].concat());
    }

    #[test]
    fn a_line_is_written_though_nothing_follows() {
        let (outbox, _held, written) = open(1);
        for is_urgent in [false, true] {
            outbox.put_down(b"alone\n", is_urgent);
            assert_eq!(written.recv().unwrap(), b"alone\n");
        }
    }

    /// The thread is held in the middle of its first line before anything else comes: what it takes is
    /// not to depend on when it happens to look.
    #[test]
    fn a_reader_that_stands_still_holds_nobody_up_and_what_does_not_fit_is_counted() {
        let (sender, written) = mpsc::sync_channel(0);
        let (begins, begun) = mpsc::channel();
        let sink = move || {
            let _ = begins.send(());
            Reader(sender.clone())
        };
        let (outbox, held) = Outbox::open(sink).unwrap();
        outbox.put_down(b"first", true);
        begun.recv().unwrap();
        let line = [b'x'; 1_024];
        let put_down = |is_urgent| {
            for _ in 0..4 * MOST_BYTES / line.len() {
                outbox.put_down(&line, is_urgent);
            }
            let waiting = outbox.waiting();
            (waiting.lines.len(), waiting.lost)
        };
        assert_eq!(put_down(false), (MOST_BYTES, 3 * 1_024));
        // There is still room for what tells why.
        assert_eq!(put_down(true), (MOST_URGENT_BYTES, 6 * 1_024));
        let reading = thread::spawn(move || written.iter().map(|part| part.len()).sum::<usize>());
        drop((held, outbox));
        assert_eq!(reading.join().unwrap(), b"first".len() + MOST_URGENT_BYTES);
    }
}
