//! Checkpoints that left a server, however they did: all of one log, or the test fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Them, by their size. Of one size there is one root.
#[derive(Debug, Default)]
pub(crate) struct Departed(BTreeMap<u64, Checkpoint>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) origin: String,
    pub(crate) size: u64,
    root: String,
    note: String,
}

impl Checkpoint {
    /// Reads a signed note, whose signature is for the verifiers to judge.
    pub(crate) fn of(note: &str) -> Self {
        let mut lines = note.lines();
        let mut line = || lines.next().expect("a checkpoint has three lines").to_owned();
        let (origin, size, root) = (line(), line().parse().unwrap(), line());
        Self { origin, size, root, note: note.to_owned() }
    }

    /// Whose log it is of.
    pub(crate) fn organization(&self) -> &str {
        self.origin.rsplit('/').next().unwrap()
    }

    fn line(&self) -> String {
        let Self { size, root, note, .. } = self;
        let line = json!({
            "type": "checkpoint", "organizationId": self.organization(), "size": size,
            "rootHash": root, "checkpoint": note, "at": "2026-01-01T00:00:00.000000Z",
        });
        format!("{line}\n")
    }
}

impl Departed {
    /// Takes one more.
    #[track_caller]
    pub(crate) fn take(&mut self, checkpoint: Checkpoint) {
        let (origin, root) = (checkpoint.origin.clone(), checkpoint.root.clone());
        let kept = self.0.entry(checkpoint.size).or_insert(checkpoint);
        assert_eq!((&kept.origin, &kept.root), (&origin, &root), "two logs of size {}", kept.size);
    }

    /// Takes those that left one after the other: no size is smaller than the one before.
    #[track_caller]
    pub(crate) fn take_row(&mut self, row: impl IntoIterator<Item = Checkpoint>) {
        let mut last = 0;
        for checkpoint in row {
            let size = checkpoint.size;
            assert!(last <= size, "a checkpoint of size {size} left after one of size {last}");
            last = size;
            self.take(checkpoint);
        }
    }

    /// The greatest size.
    pub(crate) fn greatest(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(size, _)| *size)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Writes all of them to a file, as a server does.
    pub(crate) fn write(&self, file: &Path) {
        fs::write(file, self.0.values().map(Checkpoint::line).collect::<String>()).unwrap();
    }
}

/// The checkpoints of a file, in the order in which the server wrote them. What breaks off a crash
/// has left.
pub(crate) fn of_file(file: &Path) -> Vec<Checkpoint> {
    let lines = of_lines(file).into_iter().filter(|line| line["type"] == "checkpoint");
    lines.map(|line| Checkpoint::of(line["checkpoint"].as_str().unwrap())).collect()
}

/// The lines of a file that are whole; none where there is no file.
pub(crate) fn of_lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}
