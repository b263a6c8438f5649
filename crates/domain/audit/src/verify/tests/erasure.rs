//! What is gone, and whether somebody said so.

use super::super::sample::{Sample, event, trimmed};

/// Twenty events, of which the one at 15 says that content below 6 and personal data below 9 may go.
fn log() -> Sample {
    let mut events: Vec<_> = (0..20).map(|number| event(number, number)).collect();
    events[15] = trimmed(15, 6, 9);
    Sample::new(&events, &[10, 20])
}

#[test]
fn what_was_announced_may_be_gone_and_may_still_be_there() {
    for upto in 0..=6 {
        let mut log = log();
        log.erase_content(0..upto);
        log.erase_personal_data(6..9);
        let summary = log.verified().unwrap();
        assert_eq!(summary.content_erased.count(), upto as u64);
        assert_eq!(summary.events, 20 - upto as u64);
        assert_eq!(summary.personal_data_erased.iter().collect::<Vec<_>>(), [(6, 9)]);
    }
}

#[test]
fn content_that_is_gone_and_was_not_announced_is_found_at_the_lowest_position() {
    let mut log = log();
    log.erase_content([2, 3, 4, 5, 6, 7, 12]);
    assert_eq!(log.said(), "position 6: content-missing");

    let mut silent = Sample::of(20, &[20]);
    silent.erase_content([3, 4]);
    assert_eq!(silent.said(), "position 3: content-missing");
}

#[test]
fn personal_data_that_is_gone_and_was_not_announced_is_found() {
    let mut log = log();
    log.erase_personal_data([8, 9]);
    assert_eq!(log.said(), "position 9: personal-data-missing");
    log.erase_content([7]);
    log.erase_personal_data([8, 9]);
    assert_eq!(log.said(), "position 7: content-missing");
}

#[test]
fn personal_data_may_go_with_the_content_whatever_else_was_said() {
    let mut events: Vec<_> = (0..20).map(|number| event(number, number)).collect();
    events[15] = trimmed(15, 6, 0);
    let mut log = Sample::new(&events, &[20]);
    log.erase_personal_data(0..6);
    assert_eq!(log.said(), "ok");
    log.erase_personal_data([6]);
    assert_eq!(log.said(), "position 6: personal-data-missing");
}

#[test]
fn the_event_that_announces_its_own_end_does_not_hide_it() {
    let mut events: Vec<_> = (0..20).map(|number| event(number, number)).collect();
    events[15] = trimmed(15, 1_000, 1_000);
    let mut log = Sample::new(&events, &[20]);
    log.erase_content([15]);
    assert_eq!(log.said(), "position 15: content-missing");
    let mut log = Sample::new(&events, &[20]);
    log.erase_content([14, 16]);
    assert_eq!(log.said(), "position 16: content-missing");
}

#[test]
fn another_finding_comes_before_what_is_gone() {
    let mut log = log();
    log.erase_content(0..8);
    log.edit(12, |line| line["event"]["requestId"] = "x".into());
    assert_eq!(log.said(), "position 12: leaf-mismatch");
}

#[test]
fn a_leaf_hash_stays_bound_where_the_content_is_gone() {
    let mut log = log();
    log.erase_content(0..6);
    log.edit(3, |line| line["leafHash"] = super::flipped(&line["leafHash"]));
    assert_eq!(log.said(), "position 0: root-mismatch");
}

#[test]
fn behind_erased_content_an_event_may_be_out_of_order_without_a_reason_in_sight() {
    let mut events: Vec<_> = (0..20).map(|number| event(number, number)).collect();
    events[2] = event(2, 500);
    events[15] = trimmed(15, 6, 6);
    let mut log = Sample::new(&events, &[20]);
    assert_eq!(log.verified().unwrap().out_of_order, 17);
    log.erase_content(0..6);
    assert_eq!(log.verified().unwrap().out_of_order, 14);
}
