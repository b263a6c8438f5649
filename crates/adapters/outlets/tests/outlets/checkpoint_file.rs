//! The file of checkpoints that left.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use audit::{
    Checkpoint, SignedCheckpoint,
    delivery::{CheckpointSink, Outside},
    departure::Departure,
    lines::MAX_LINE,
};
use outlets::{CheckpointFile, OutletError};
use tempfile::TempDir;

use crate::kit::{LONG, at, checkpoint, objects, organization};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints.jsonl");
    (folder, path)
}

async fn open(path: &Path) -> CheckpointFile {
    CheckpointFile::open(path).await.unwrap().within(LONG)
}

fn append(path: &Path, bytes: &[u8]) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(bytes).unwrap();
}

fn line(signed: &SignedCheckpoint) -> String {
    Departure::Checkpoint { signed: signed.clone(), at: at() }.to_json()
}

fn newest(file: &CheckpointFile, number: u16) -> Option<Checkpoint> {
    file.newest(organization(number))
}

#[tokio::test]
async fn what_was_delivered_is_known_to_whoever_opens_the_file_next() {
    let (_folder, path) = folder();
    let file = open(&path).await;
    for size in [1, 2, 5] {
        file.deliver(&checkpoint(1, size, "a"), at()).await.unwrap();
    }
    let last = checkpoint(1, 5, "a");
    for file in [file, open(&path).await] {
        assert_eq!(newest(&file, 1), Some(last.checkpoint.clone()));
        assert_eq!(newest(&file, 2), None);
        assert_eq!(file.known(), [organization(1)]);
    }
    let lines = objects(&path);
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2]["type"], "checkpoint");
    assert_eq!(lines[2]["organizationId"], organization(1).to_string());
    assert_eq!(lines[2]["size"], 5);
    assert_eq!(lines[2]["rootHash"], last.checkpoint.root.to_string());
    assert_eq!(lines[2]["checkpoint"], last.note);
    assert_eq!(lines[2]["at"], "2026-11-21T08:00:00.000000Z");
}

#[tokio::test]
async fn a_new_file_is_for_its_owner_alone() {
    let (_folder, path) = folder();
    open(&path).await;
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn the_newest_is_the_greatest_and_of_two_of_one_size_the_first() {
    let (_folder, path) = folder();
    let file = open(&path).await;
    let first = checkpoint(1, 4, "a");
    file.deliver(&first, at()).await.unwrap();
    for later in [checkpoint(1, 4, "another"), checkpoint(1, 3, "a")] {
        file.deliver(&later, at()).await.unwrap();
        file.left(&later.checkpoint);
    }
    assert_eq!(newest(&file, 1), Some(first.checkpoint.clone()));
    assert_eq!(newest(&open(&path).await, 1), Some(first.checkpoint));
    assert_eq!(objects(&path).len(), 3);
}

#[tokio::test]
async fn a_checkpoint_that_left_elsewhere_is_known_without_a_line() {
    let (_folder, path) = folder();
    let file = open(&path).await;
    file.left(&checkpoint(1, 4, "a").checkpoint);
    assert_eq!(newest(&file, 1).unwrap().size, 4);
    assert_eq!(objects(&path).len(), 0);
}

#[tokio::test]
async fn a_last_line_that_breaks_off_is_passed_over_wherever_it_breaks_off() {
    let second = line(&checkpoint(1, 2, "a"));
    let within_a_character = second.find('\u{2014}').unwrap() + 1;
    for end in [1, 20, within_a_character, second.len()] {
        let (_folder, path) = folder();
        open(&path).await.deliver(&checkpoint(1, 1, "a"), at()).await.unwrap();
        append(&path, &second.as_bytes()[..end]);

        let file = open(&path).await;
        assert_eq!(newest(&file, 1).unwrap().size, 1);
        file.deliver(&checkpoint(1, 3, "a"), at()).await.unwrap();
        assert_eq!(newest(&file, 1).unwrap().size, 3);

        // The line is still there, ended, and does not keep the next start from reading on.
        let written = fs::read(&path).unwrap();
        assert_eq!(written.iter().filter(|byte| **byte == b'\n').count(), 3);
        assert_eq!(newest(&open(&path).await, 1).unwrap().size, 3);
    }
}

#[tokio::test]
async fn a_line_that_cannot_be_read_keeps_the_file_from_being_opened_and_is_named() {
    for bad in
        [&b"nonsense\n"[..], b"\n", b"{} {}\n", b"\xff\xfe\n", b"null\n", &[b' '; MAX_LINE + 10]]
    {
        let (_folder, path) = folder();
        let file = open(&path).await;
        for size in [1, 2] {
            file.deliver(&checkpoint(1, size, "a"), at()).await.unwrap();
        }
        append(&path, bad);
        let error = CheckpointFile::open(&path).await.unwrap_err();
        assert!(matches!(error, OutletError::Line { line: 3, .. }), "{error:?}");
        assert!(error.to_string().starts_with("line 3 of `"), "{error}");
        // Neither does a server that runs take it for nothing.
        assert!(matches!(file.reread().await.unwrap_err(), OutletError::Line { line: 3, .. }));
    }
}

#[tokio::test]
async fn a_line_of_a_type_that_only_a_later_release_knows_is_passed_over() {
    let (_folder, path) = folder();
    let file = open(&path).await;
    file.deliver(&checkpoint(1, 1, "a"), at()).await.unwrap();
    append(&path, b"{\"type\":\"handover\",\"took\":0.5}\n{}\n");
    file.deliver(&checkpoint(1, 2, "a"), at()).await.unwrap();
    for file in [file, open(&path).await] {
        assert_eq!(newest(&file, 1).unwrap().size, 2);
    }
}

#[tokio::test]
async fn a_line_whose_members_are_not_those_of_its_note_cannot_be_read() {
    let (_folder, path) = folder();
    let text = line(&checkpoint(1, 7, "a")).replace(r#""size":7"#, r#""size":6"#);
    fs::write(&path, text + "\n").unwrap();
    let error = CheckpointFile::open(&path).await.unwrap_err();
    assert!(matches!(error, OutletError::Line { line: 1, .. }), "{error:?}");
}

#[tokio::test]
async fn a_folder_is_no_file() {
    let (folder, _) = folder();
    assert!(CheckpointFile::open(folder.path()).await.is_err());
    assert!(CheckpointFile::open(folder.path().join("none").join("file")).await.is_err());
    assert!(matches!(
        CheckpointFile::open("/dev/null").await.unwrap_err(),
        OutletError::NotAFile { .. }
    ));
}

#[tokio::test]
async fn au_07_what_an_operator_acknowledged_no_longer_binds_after_it() {
    let (_folder, path) = folder();
    let server = open(&path).await;
    server.deliver(&checkpoint(1, 9, "a"), at()).await.unwrap();
    server.deliver(&checkpoint(2, 9, "a"), at()).await.unwrap();

    let command = open(&path).await;
    command.acknowledge(organization(1), "restored, \"see 12\"\n".to_owned(), at()).await.unwrap();
    assert_eq!(newest(&command, 1), None);
    // The server knows once it looks.
    assert_eq!(newest(&server, 1).unwrap().size, 9);
    server.look_again().await;
    assert_eq!(newest(&server, 1), None);
    assert_eq!(newest(&server, 2).unwrap().size, 9);

    server.deliver(&checkpoint(1, 4, "b"), at()).await.unwrap();
    for file in [server, open(&path).await] {
        assert_eq!(newest(&file, 1), Some(checkpoint(1, 4, "b").checkpoint));
        assert_eq!(newest(&file, 2).unwrap().size, 9);
    }
    let lines = objects(&path);
    assert_eq!(lines[2]["type"], "acknowledgement");
    assert_eq!(lines[2]["organizationId"], organization(1).to_string());
    assert_eq!(lines[2]["reason"], "restored, \"see 12\"\n");
    assert_eq!(lines[2]["at"], "2026-11-21T08:00:00.000000Z");
}

#[tokio::test]
async fn an_acknowledgement_that_was_not_reread_is_seen_before_the_next_delivery() {
    let (_folder, path) = folder();
    let server = open(&path).await;
    server.deliver(&checkpoint(1, 9, "a"), at()).await.unwrap();
    open(&path).await.acknowledge(organization(1), "known".to_owned(), at()).await.unwrap();
    server.deliver(&checkpoint(1, 4, "b"), at()).await.unwrap();
    assert_eq!(newest(&server, 1).unwrap().size, 4);
}

#[tokio::test]
async fn a_reason_that_no_reader_would_take_is_refused() {
    let (_folder, path) = folder();
    let file = open(&path).await;
    let refused = file.acknowledge(organization(1), "a".repeat(MAX_LINE), at()).await;
    assert!(matches!(refused.unwrap_err(), OutletError::TooLong));
    assert_eq!(objects(&path).len(), 0);
}

#[tokio::test]
async fn a_file_that_is_rotated_is_followed_by_one_that_says_what_binds() {
    for take_away in [moved as fn(&Path), removed, replaced, emptied] {
        let (_folder, path) = folder();
        let file = open(&path).await;
        for (number, size) in [(1, 3), (2, 5), (3, 1)] {
            file.deliver(&checkpoint(number, size, "a"), at()).await.unwrap();
        }
        file.acknowledge(organization(3), "known".to_owned(), at()).await.unwrap();
        take_away(&path);
        file.deliver(&checkpoint(1, 4, "a"), at()).await.unwrap();
        file.deliver(&checkpoint(1, 6, "a"), at()).await.unwrap();

        let next = open(&path).await;
        assert_eq!(newest(&next, 1).unwrap().size, 6);
        assert_eq!(newest(&next, 2), Some(checkpoint(2, 5, "a").checkpoint));
        assert_eq!(newest(&next, 3), None);
        assert_eq!(objects(&path).len(), 4);
    }
}

#[tokio::test]
async fn what_is_still_to_be_written_does_not_take_the_last_line_out_of_a_rotated_file() {
    let (_folder, path) = folder();
    let file = open(&path).await;
    file.deliver(&checkpoint(1, 3, "a"), at()).await.unwrap();
    file.left(&checkpoint(1, 4, "a").checkpoint);
    moved(&path);
    file.deliver(&checkpoint(2, 1, "a"), at()).await.unwrap();
    // Here the server crashes.
    assert_eq!(newest(&open(&path).await, 1).unwrap().size, 3);
    assert_eq!(newest(&file, 1).unwrap().size, 4);
}

fn moved(path: &Path) {
    fs::rename(path, path.with_extension("1")).unwrap();
}

fn removed(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn replaced(path: &Path) {
    moved(path);
    fs::write(path, "").unwrap();
}

fn emptied(path: &Path) {
    fs::write(path, "").unwrap();
}

#[tokio::test]
async fn the_newest_of_a_thousand_logs_is_known() {
    let (_folder, path) = folder();
    let file = open(&path).await;
    let mut lines = String::new();
    for size in 1..=3 {
        for number in 0..1_000 {
            lines += &(line(&checkpoint(number, size, "a")) + "\n");
        }
    }
    append(&path, lines.as_bytes());
    file.reread().await.unwrap();
    for file in [file, open(&path).await] {
        assert_eq!(file.known().len(), 1_000);
        assert!((0..1_000).all(|number| newest(&file, number).unwrap().size == 3));
    }
}

#[tokio::test]
async fn lines_of_many_writers_stay_whole() {
    let (_folder, path) = folder();
    let (one, other) = (open(&path).await, open(&path).await);
    let (one, other) = tokio::join!(deliver_many(&one, 1), deliver_many(&other, 2));
    assert_eq!((one, other), (50, 50));
    assert_eq!(objects(&path).len(), 100);
    assert_eq!(open(&path).await.known().len(), 2);
}

async fn deliver_many(file: &CheckpointFile, number: u16) -> u64 {
    for size in 1..=50 {
        file.deliver(&checkpoint(number, size, "a"), at()).await.unwrap();
    }
    newest(file, number).unwrap().size
}
