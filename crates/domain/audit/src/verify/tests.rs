//! Each finding on its own, and random spoiling.

mod checkpoint_files;
mod erasure;
mod forms;
mod random;

use kernel::{OrganizationId, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Code, Summary,
    sample::{self, Key, Sample, event, flipped, note},
};
use crate::{Hash, event::Outcome};

#[test]
fn an_untouched_log_verifies_and_its_summary_counts() {
    let summary = Sample::of(700, &[0, 3, 600, 600]).verified().unwrap();
    let expected =
        Summary { size: 700, events: 700, checkpoints: 3, covered: 600, ..Summary::default() };
    assert_eq!(summary, expected);
}

#[test]
fn a_log_without_a_leaf_verifies() {
    assert_eq!(Sample::of(0, &[0]).verified().unwrap().checkpoints, 1);
}

#[test]
fn a_log_of_more_than_a_tile_of_tiles_verifies() {
    let mut log = Sample::erased(65_537);
    assert_eq!(log.verified().unwrap().size, 65_537);
    let above = log.lines.len() - 2;
    assert!(log.lines[above].contains("\"level\":2"));
    log.lines[above] = log.lines[above].replace("\"index\":0", "\"index\":1");
    assert_eq!(log.said(), "position 0: stored-hash-mismatch");
}

/// The log of 600 events with checkpoints at 100 and 600 that most tests spoil.
fn log() -> Sample {
    Sample::of(600, &[100, 600])
}

#[test]
fn au_04_an_edited_field_is_found_at_its_position() {
    let edits: [fn(&mut Value); 12] = [
        |event| event["eventId"] = "00000000-0000-0000-0000-0000000fffff".into(),
        |event| event["agentId"] = "00000000-0000-0000-0000-000000000009".into(),
        |event| event["action"] = "agent.revoked".into(),
        |event| event["outcome"] = "failure".into(),
        |event| event["resourceType"] = "token".into(),
        |event| event["resourceId"] = "".into(),
        |event| {
            event["resourceType"] = Value::Null;
            event["resourceId"] = Value::Null;
        },
        |event| event["requestId"] = "internal2".into(),
        |event| event["timestamp"] = "2026-11-21T08:00:00.000001Z".into(),
        |event| event["usedCredentialId"] = "00000000-0000-0000-0000-000000000009".into(),
        |event| event["metadata"]["number"] = 5.into(),
        |event| event["metadata"] = json!({}),
    ];
    for (number, edit) in edits.into_iter().enumerate() {
        let mut log = log();
        log.edit(300, |line| edit(&mut line["event"]));
        assert_eq!(log.said(), "position 300: leaf-mismatch", "{number}");
    }
}

#[test]
fn au_04_a_missing_leaf_is_found_at_its_position() {
    let mut log = log();
    log.lines.remove(log.at(300));
    assert_eq!(log.said(), "position 300: position-unexpected");
}

#[test]
fn au_04_two_leaves_that_changed_places_are_found_at_the_first() {
    let mut log = log();
    let (first, second) = (log.at(300), log.at(301));
    log.lines.swap(first, second);
    assert_eq!(log.said(), "position 300: position-unexpected");
    // With their positions set right, the root tells.
    log.edit(301, |line| line["position"] = 300.into());
    let second = second.max(first);
    log.lines[second] = log.lines[second].replacen("\"position\":300", "\"position\":301", 1);
    assert_eq!(log.said(), "position 256: stored-hash-mismatch");
}

#[test]
fn au_04_a_doubled_leaf_is_found_behind_the_first() {
    let mut log = log();
    let at = log.at(300);
    log.lines.insert(at, log.lines[at].clone());
    assert_eq!(log.said(), "position 301: position-unexpected");
}

#[test]
fn au_04_an_event_that_was_there_before_is_found() {
    let mut log = log();
    log.rewrite(300, |event| event.id = sample::event(299, 0).id);
    assert_eq!(log.said(), "position 300: event-duplicate");
}

#[test]
fn au_04_an_event_of_another_organization_is_found() {
    let mut log = log();
    log.rewrite(300, |event| event.organization = OrganizationId::from_uuid(Uuid::from_u128(2)));
    assert_eq!(log.said(), "position 300: organization-foreign");
}

#[test]
fn au_04_personal_data_that_was_changed_is_found() {
    for (member, value) in [
        ("ipAddress", json!("192.0.2.8")),
        ("ipAddress", Value::Null),
        ("userAgent", json!("")),
        ("salt", flipped(&json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))),
    ] {
        let mut log = log();
        log.edit(300, |line| line["personal"][member] = value.clone());
        assert_eq!(log.said(), "position 300: commitment-mismatch", "{member}");
    }
}

#[test]
fn au_04_a_rewritten_event_with_all_hashes_made_again_is_found_by_the_checkpoint() {
    let mut log = log();
    log.rewrite(300, |event| event.outcome = Outcome::Failure);
    assert_eq!(log.said(), "position 100: root-mismatch");
    log.rewrite(30, |event| event.outcome = Outcome::Failure);
    assert_eq!(log.said(), "position 0: root-mismatch");
}

#[test]
fn au_04_a_cut_log_is_found_at_the_first_that_is_missing() {
    let mut log = log();
    log.lines.truncate(log.at(599));
    assert_eq!(log.said(), "position 599: log-truncated");
    log.lines.clear();
    assert_eq!(log.said(), "position 0: log-truncated");
}

#[test]
fn au_10_another_version_is_refused_however_well_it_hashes() {
    for version in [0_u64, 2, 256, 9_007_199_254_740_991] {
        let mut log = log();
        log.edit(300, |line| line["version"] = version.into());
        assert_eq!(log.said(), "position 300: version-unknown");
    }
}

#[test]
fn au_14_a_bit_flipped_in_a_stored_hash_is_found_where_it_is() {
    let mut log = log();
    log.edit(300, |line| line["leafHash"] = flipped(&line["leafHash"]));
    assert_eq!(log.said(), "position 300: leaf-mismatch");

    let mut log = self::log();
    log.edit(300, |line| line["commitment"] = flipped(&line["commitment"]));
    assert_eq!(log.said(), "position 300: commitment-mismatch");

    let mut log = self::log();
    let at = log.at(512) - 1;
    let mut above: Value = serde_json::from_str(&log.lines[at]).unwrap();
    above["hash"] = flipped(&above["hash"]);
    log.lines[at] = above.to_string();
    assert_eq!(log.said(), "position 256: stored-hash-mismatch");
}

#[test]
fn a_stored_hash_that_is_missing_moved_or_too_many_is_found() {
    let mut missing = log();
    let above = missing.lines.remove(missing.at(512) - 1);
    assert_eq!(missing.said(), "position 256: stored-hash-mismatch");

    let mut moved = log();
    let at = moved.at(400);
    moved.lines.insert(at, above);
    assert_eq!(moved.said(), "position 400: stored-hash-mismatch");

    let mut cut = Sample::of(256, &[256]);
    cut.lines.pop();
    assert_eq!(cut.said(), "position 0: stored-hash-mismatch");

    let mut other = log();
    let at = other.at(512) - 1;
    other.lines[at] = other.lines[at].replace("\"index\":1", "\"index\":2");
    assert_eq!(other.said(), "position 256: stored-hash-mismatch");
}

#[test]
fn an_event_out_of_order_must_say_so_and_no_other_may() {
    let mut events: Vec<_> = (0..20).map(|number| event(number, 100 + number)).collect();
    // A clock set back by an hour, and one that differs by no more than clocks do.
    events[7].timestamp = event(0, 50).timestamp;
    events[9].timestamp = event(0, 98).timestamp;
    let log = Sample::new(&events, &[20]);
    let summary = log.verified().unwrap();
    assert_eq!((summary.out_of_order, summary.first_out_of_order), (1, vec![7]));

    for (position, says) in [(7, false), (9, true), (3, true)] {
        let mut log = Sample::new(&events, &[20]);
        log.misstate(position, says);
        assert_eq!(log.said(), format!("position {position}: order-misstated"));
    }
}

#[test]
fn exactly_ten_seconds_are_not_out_of_order() {
    for (micros, count) in [(10_000_000, 0), (10_000_001, 1)] {
        let mut events = [event(0, 100), event(1, 100)];
        let time = events[0].timestamp.unix_micros() - micros;
        events[1].timestamp = Timestamp::from_unix_micros(time).unwrap();
        assert_eq!(Sample::new(&events, &[2]).verified().unwrap().out_of_order, count);
    }
}

#[test]
fn a_checkpoint_of_another_key_or_with_another_root_is_found() {
    let mut log = log();
    log.notes.push(note(50, Hash::of(b"another"), &Key::of(8)));
    assert_eq!(log.said(), "position 0: checkpoint-invalid");
    log.notes.pop();
    log.notes.push(note(550, Hash::of(b"another"), &Key::of(7)));
    assert_eq!(log.said(), "position 100: root-mismatch");
    log.notes.push(note(0, Hash::of(b"another"), &Key::of(7)));
    assert_eq!(log.said(), "position 0: root-mismatch");
}

#[test]
fn two_checkpoints_of_one_size_and_different_roots_do_not_both_fit() {
    let mut log = log();
    log.notes.push(note(100, Hash::of(b"another"), &Key::of(7)));
    assert_eq!(log.said(), "position 0: root-mismatch");
}

#[test]
fn the_first_finding_of_the_order_of_lines_is_told() {
    let mut log = log();
    log.edit(200, |line| line["leafHash"] = flipped(&line["leafHash"]));
    log.edit(150, |line| line["version"] = 2.into());
    log.edit(150, |line| line["event"]["requestId"] = "x".into());
    assert_eq!(log.said(), "position 150: version-unknown");
}

#[test]
fn after_a_finding_nothing_else_is_told() {
    let mut checkpoints = super::Checkpoints::signed_by(sample::verifier_key()).unwrap();
    checkpoints.add(log().notes[0].as_bytes()).unwrap();
    let mut verifier = super::Verifier::new(checkpoints).unwrap();
    let found = verifier.line(b"{}\n").unwrap_err();
    assert_eq!(found.code, Code::LineInvalid);
    assert_eq!(verifier.line(log().lines[0].as_bytes()), Err(found.clone()));
    assert_eq!(verifier.finish(), Err(found));
}

#[test]
fn au_12_what_an_event_says_reaches_no_terminal_as_it_is() {
    let mut log = log();
    log.edit(3, |line| line["event"]["action"] = "a\u{1b}[31m\r\nposition 0".into());
    let explanation = log.verified().unwrap_err().explanation;
    assert!(explanation.contains("a\\u{1b}[31m\\r\\nposition 0"), "{explanation}");
    assert!(!explanation.contains(char::is_control));
    // Also where it is the name of a member that nobody knows.
    log.edit(3, |line| line["\u{1b}[31m\n"] = 1.into());
    let explanation = log.verified().unwrap_err().explanation;
    assert!(explanation.contains("\\u{1b}[31m\\n"), "{explanation}");
    assert!(!explanation.contains(char::is_control));
}
