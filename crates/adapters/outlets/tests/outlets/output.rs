//! Checkpoints on standard output, and what is only remembered.

use std::{
    io::{self, Write},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use audit::delivery::{CheckpointSink, Outside};
use outlets::{Remembered, StandardOutput};

use crate::kit::{Kept, LONG, at, checkpoint, organization};

#[tokio::test]
async fn a_checkpoint_is_one_line_of_the_form_that_files_have() {
    let kept = Kept::default();
    let output = StandardOutput::of(kept.clone(), LONG);
    let signed = checkpoint(1, 3, "a");
    output.deliver(&signed, at()).await.unwrap();
    let text = kept.text();
    assert_eq!(text.find('\n'), Some(text.len() - 1));
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["type"], "checkpoint");
    assert_eq!(line["checkpoint"], signed.note);
}

/// A stream that nobody reads: writing to it blocks until the test is over.
struct Stuck(Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_output_that_nobody_reads_holds_nobody_up() {
    let (kept_until_the_end, stuck) = channel();
    let output = StandardOutput::of(Stuck(stuck), Duration::from_millis(20));
    for _ in 0..3 {
        let failed = output.deliver(&checkpoint(1, 3, "a"), at()).await.unwrap_err();
        assert_eq!(failed.sink, "standard output");
    }
    drop(kept_until_the_end);
}

#[test]
fn what_left_is_remembered_by_size() {
    let remembered = Remembered::default();
    assert_eq!(remembered.newest(organization(1)), None);
    let first = checkpoint(1, 3, "a").checkpoint;
    for later in [first.clone(), checkpoint(1, 2, "a").checkpoint, checkpoint(1, 3, "b").checkpoint]
    {
        remembered.left(&later);
    }
    assert_eq!(remembered.newest(organization(1)), Some(first));
    assert_eq!(remembered.newest(organization(2)), None);
    assert_eq!(remembered.known(), [organization(1)]);
}
