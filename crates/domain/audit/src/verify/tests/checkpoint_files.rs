//! Files of checkpoints: notes, and lines of JSON.

use serde_json::{Value, json};

use super::super::{
    Checkpoints, CheckpointsRefused, Verifier,
    sample::{Key, Sample, note, organization, verifier_key},
    verify,
};
use crate::{Hash, checkpoint::Checkpoint, lines::MAX_LINE};

fn line(note: &str) -> Value {
    let checkpoint = Checkpoint::claimed(note).unwrap();
    json!({"type": "checkpoint", "organizationId": checkpoint.origin.organization().to_string(),
        "size": checkpoint.size, "rootHash": checkpoint.root.to_string(), "checkpoint": note,
        "at": "2026-11-21T08:00:00.000000Z"})
}

fn lines(values: &[Value]) -> String {
    values.iter().map(|value| format!("{value}\n")).collect()
}

/// How many checkpoints fitted of a file, or what was wrong with it.
fn said(log: &Sample, file: &[u8]) -> String {
    let mut checkpoints = Checkpoints::signed_by(verifier_key()).unwrap();
    match checkpoints.add(file) {
        Ok(()) => {}
        Err(CheckpointsRefused::Found(finding)) => return finding.to_string(),
        Err(refused) => return refused.to_string(),
    }
    match Verifier::new(checkpoints) {
        Ok(verifier) => verify(verifier, &*log.export()).unwrap().map_or_else(
            |finding| finding.to_string(),
            |summary| format!("{} fit", summary.checkpoints),
        ),
        Err(none) => none.to_string(),
    }
}

const INVALID: &str = "position 0: checkpoint-invalid";

#[test]
fn lines_are_taken_and_those_of_others_are_passed_over() {
    let log = Sample::of(20, &[5, 10, 20]);
    let acknowledgement = json!({"type": "acknowledgement", "took": 0.5});
    let mut foreign = line(&log.notes[0]);
    foreign["organizationId"] = "00000000-0000-0000-0000-000000000002".into();
    foreign["checkpoint"] = "nothing of ours".into();
    let [a, b, c] = [0, 1, 2].map(|at| line(&log.notes[at]));
    let file = lines(&[a, foreign, b, acknowledgement, c]);
    assert_eq!(said(&log, file.as_bytes()), "3 fit");
    assert_eq!(said(&log, file.trim_end().as_bytes()), "3 fit");
}

#[test]
fn a_checkpoint_before_an_acknowledgement_binds_outsiders() {
    let log = Sample::of(20, &[5]);
    let forked = line(&note(10, Hash::of(b"before the restore"), &Key::of(7)));
    let file = lines(&[forked, json!({"type": "acknowledgement"}), line(&log.notes[0])]);
    assert_eq!(said(&log, file.as_bytes()), "position 5: root-mismatch");
}

#[test]
fn a_line_of_another_form_is_refused() {
    let log = Sample::of(20, &[5]);
    let good = line(&log.notes[0]);
    for (member, value) in [
        ("size", json!(6)),
        ("size", json!("5")),
        ("rootHash", json!(Hash::of(b"x").to_string())),
        ("checkpoint", json!("")),
        ("checkpoint", Value::Null),
        ("organizationId", json!(organization().to_string().replace('-', ""))),
        ("checkpoint", json!(log.notes[0].replace("\n5\n", "\n6\n"))),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert_eq!(said(&log, lines(&[good.clone(), bad]).as_bytes()), INVALID, "{member}");
    }
    for member in ["organizationId", "size", "rootHash", "checkpoint", "at"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(member);
        assert_eq!(said(&log, lines(&[bad]).as_bytes()), INVALID, "{member}");
    }
    for text in ["\n", "[]\n", "{} {}\n"] {
        let file = lines(std::slice::from_ref(&good)) + text;
        assert_eq!(said(&log, file.as_bytes()), INVALID, "{text}");
    }
}

#[test]
fn what_a_crash_left_of_a_line_is_passed_over() {
    let log = Sample::of(20, &[5]);
    let good = lines(&[line(&log.notes[0])]);
    for file in [
        format!("{{\"type\":\"checkp\n{good}"),
        format!("{good}{{\"type\":\"checkp"),
        format!("{good}{{\"type\":\"checkp\n"),
    ] {
        assert_eq!(said(&log, file.as_bytes()), "1 fit", "{file}");
    }
    let long = format!("{good}{{\"type\":\"checkp{}\n", "x".repeat(MAX_LINE));
    assert_eq!(said(&log, long.as_bytes()), INVALID);
    let run_together = format!("{{\"type\":\"checkp{good}");
    assert_eq!(said(&log, run_together.as_bytes()), INVALID);
}

#[test]
fn a_note_of_another_form_is_refused() {
    let log = Sample::of(20, &[5]);
    let good = &log.notes[0];
    assert_eq!(said(&log, good.as_bytes()), "1 fit");
    for bad in [
        "\n".to_owned(),
        good.trim_end().to_owned(),
        good.replace("\n5\n", "\n05\n"),
        good.replace("\n5\n", "\n6\n"),
        good.replace("\n\n", "\nmore\n\n"),
        good.replace('\n', "\r\n"),
        format!("{good}\n"),
        format!("{good}x"),
        "x".repeat(100_000),
    ] {
        assert_eq!(said(&log, bad.as_bytes()), INVALID, "{bad}");
    }
    assert_eq!(said(&log, b"\xff\xfe"), INVALID);
}

#[test]
fn a_size_that_others_could_not_read_exactly_is_refused() {
    let log = Sample::of(20, &[5]);
    for (size, expected) in
        [(9_007_199_254_740_991, "position 20: log-truncated"), (9_007_199_254_740_992, INVALID)]
    {
        assert_eq!(said(&log, note(size, Hash::of(b"x"), &Key::of(7)).as_bytes()), expected);
    }
}

#[test]
fn without_a_checkpoint_of_the_log_nothing_is_verified() {
    let log = Sample::of(20, &[5]);
    let none = "there is no checkpoint of this log in what was given";
    assert_eq!(said(&log, b"{\"type\":\"acknowledgement\"}\n"), none);
    // What a fresh installation has.
    assert_eq!(said(&log, b""), none);
    assert!(Verifier::new(Checkpoints::unsigned()).is_err());
}

#[test]
fn without_a_key_checkpoints_are_taken_at_their_word() {
    let log = Sample::of(20, &[]);
    let [own, other] = [Key::of(8), Key::of(9)];
    let root = Checkpoint::claimed(&Sample::of(20, &[5]).notes[0]).unwrap().root;
    let mut checkpoints = Checkpoints::unsigned();
    checkpoints.add(note(5, root, &own).as_bytes()).unwrap();
    checkpoints.add(lines(&[line(&note(5, root, &other))]).as_bytes()).unwrap();
    let verifier = Verifier::new(checkpoints).unwrap();
    assert_eq!(verify(verifier, &*log.export()).unwrap().unwrap().covered, 5);
}

#[test]
fn without_a_key_checkpoints_of_several_logs_are_refused() {
    let log = Sample::of(20, &[5]);
    let other =
        log.notes[0].replace(&organization().to_string(), "00000000-0000-0000-0000-000000000002");
    let mut checkpoints = Checkpoints::unsigned();
    checkpoints.add(log.notes[0].as_bytes()).unwrap();
    let refused = checkpoints.add(other.as_bytes());
    assert!(matches!(refused, Err(CheckpointsRefused::SeveralLogs)));
}
