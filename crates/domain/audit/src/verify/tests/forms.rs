//! Lines that are nearly of the form.

use serde_json::Value;

use super::super::sample::{Sample, event};

/// A log of ten events, of whose fourth line the text is changed.
fn said(change: impl Fn(&str) -> String) -> String {
    let mut log = Sample::of(10, &[10]);
    log.lines[4] = change(&log.lines[4]);
    log.said()
}

fn replaced(from: &str, to: &str) -> String {
    said(|line| {
        assert!(line.contains(from), "{line}");
        line.replacen(from, to, 1)
    })
}

const INVALID: &str = "position 4: line-invalid";

#[test]
fn another_spelling_of_the_same_json_is_taken() {
    assert_eq!(replaced("{\"position\":4", " { \"position\" : 4 "), "ok");
    assert_eq!(replaced("agent.created", "agent\\u002ecreated"), "ok");
    assert_eq!(said(|line| format!("{line}\r")), "ok");
    let reversed = said(|line| {
        let members: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
        let members: Vec<_> =
            members.iter().rev().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(","))
    });
    assert_eq!(reversed, "ok");
}

#[test]
fn a_member_that_is_missing_unknown_or_doubled_is_refused() {
    for member in ["position", "version", "leafHash", "commitment", "personal", "event"] {
        let mut log = Sample::of(10, &[10]);
        log.edit(4, |line| drop(line.as_object_mut().unwrap().remove(member)));
        assert_eq!(log.said(), INVALID, "{member}");
    }
    for (parent, member) in [
        ("personal", "salt"),
        ("personal", "ipAddress"),
        ("personal", "userAgent"),
        ("event", "agentId"),
        ("event", "resourceId"),
        ("event", "usedCredentialId"),
        ("event", "metadata"),
        ("event", "outOfOrder"),
    ] {
        let mut log = Sample::of(10, &[10]);
        log.edit(4, |line| drop(line[parent].as_object_mut().unwrap().remove(member)));
        assert_eq!(log.said(), INVALID, "{member}");
    }
    for (from, to) in [
        ("{\"position\":4", "{\"position\":4,\"position\":4"),
        ("\"version\":1", "\"version\":1,\"more\":null"),
        ("\"agentId\":null", "\"agentId\":null,\"agentId\":null"),
        ("\"agentId\":null", "\"agentId\":null,\"more\":1"),
        ("\"number\":4", "\"number\":5,\"number\":4"),
        ("\"number\":4", "\"number\":4,\"\\u006eumber\":4"),
        ("\"userAgent\":", "\"salt\":\"\",\"userAgent\":"),
    ] {
        assert_eq!(replaced(from, to), INVALID, "{to}");
    }
}

#[test]
fn a_value_of_another_kind_or_spelling_is_refused() {
    for (from, to) in [
        ("\"position\":4", "\"position\":4.0"),
        ("\"position\":4", "\"position\":-4"),
        ("\"position\":4", "\"position\":\"4\""),
        ("\"position\":4", "\"position\":9007199254740992"),
        ("\"version\":1", "\"version\":1e0"),
        ("\"version\":1", "\"version\":true"),
        ("\"number\":4", "\"number\":4.0"),
        ("\"number\":4", "\"number\":4e0"),
        ("\"number\":4", "\"number\":-0"),
        ("\"number\":4", "\"number\":9007199254740992"),
        ("\"agentId\":null", "\"agentId\":\"\""),
        ("\"outcome\":\"success\"", "\"outcome\":\"Success\""),
        ("\"outOfOrder\":false", "\"outOfOrder\":0"),
        ("00Z\"", "00z\""),
        ("00Z\"", "0Z\""),
        ("00Z\"", "00+00:00\""),
        ("-0000000003ec", "-0000000003EC"),
        ("-0000000003ec", "0000000003ec"),
        ("=\"", "\""),
        ("\"resourceId\":\"a\"", "\"resourceId\":null"),
        ("\"resourceType\":\"agent\"", "\"resourceType\":null"),
        ("\"requestId\":\"internal\"", "\"requestId\":null"),
        ("\"requestId\":\"internal\"", "\"requestId\":\"\\ud83d\""),
    ] {
        assert_eq!(replaced(from, to), INVALID, "{to}");
    }
}

#[test]
fn base64_whose_unused_bits_are_not_0_is_refused() {
    let other = said(|line| {
        let (before, last) = line.split_once("=\"").unwrap();
        let (before, letter) = before.split_at(before.len() - 1);
        let next = char::from(letter.as_bytes()[0] + 1);
        format!("{before}{next}=\"{last}")
    });
    assert_eq!(other, INVALID);
}

#[test]
fn an_array_in_place_of_an_object_is_refused() {
    assert_eq!(said(|_| "[4,1,\"\",null,null,null]".to_owned()), INVALID);
    let mut log = Sample::of(10, &[10]);
    log.edit(4, |line| {
        let values: Vec<_> = ["salt", "ipAddress", "userAgent"]
            .iter()
            .map(|name| line["personal"][name].clone())
            .collect();
        line["personal"] = values.into();
    });
    assert_eq!(log.said(), INVALID);
}

#[test]
fn what_is_no_json_object_is_refused() {
    for line in ["", " ", "null", "{", "{}", "\u{feff}{}", "{\"level\":0,\"index\":0}"] {
        assert_eq!(said(|_| line.to_owned()), INVALID, "{line}");
    }
    assert_eq!(said(|line| format!("{line}{line}")), INVALID);
    let zero =
        "{\"level\":0,\"index\":0,\"hash\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"}";
    assert_eq!(said(|_| zero.to_owned()), INVALID);
}

#[test]
fn content_and_its_commitment_are_gone_together_or_not() {
    for gone in [&["event"][..], &["commitment"], &["event", "personal"], &["commitment", "event"]]
    {
        let mut log = Sample::of(10, &[10]);
        log.edit(4, |line| gone.iter().for_each(|member| line[member] = Value::Null));
        assert_eq!(log.said(), INVALID, "{gone:?}");
    }
}

#[test]
fn a_line_that_is_too_long_or_not_ended_is_refused() {
    let pad = |line: &str, length: usize| format!("{line}{}", " ".repeat(length - line.len()));
    assert_eq!(said(|line| pad(line, 262_144)), "ok");
    assert_eq!(said(|line| pad(line, 262_145)), INVALID);

    let log = Sample::of(5, &[3]);
    let mut export = log.export();
    assert_eq!(log.said(), "ok");
    export.pop();
    let mut checkpoints =
        super::super::Checkpoints::signed_by(super::super::sample::verifier_key()).unwrap();
    checkpoints.add(log.notes[0].as_bytes()).unwrap();
    let verifier = super::super::Verifier::new(checkpoints).unwrap();
    let found = super::super::verify(verifier, &*export).unwrap().unwrap_err();
    assert_eq!(found.to_string(), INVALID);
}

#[test]
fn an_entry_of_64_kib_is_refused_and_a_smaller_one_is_not() {
    for (length, expected) in [(65_200, "ok"), (65_536, INVALID)] {
        let mut events: Vec<_> = (0..6).map(|number| event(number, number)).collect();
        events[4].metadata =
            serde_json::Map::from_iter([("a".to_owned(), "x".repeat(length).into())]);
        assert_eq!(Sample::new(&events, &[6]).said(), expected);
    }
}

#[test]
fn nesting_is_taken_as_deep_as_the_document_says() {
    // The line, the event and the metadata are three.
    for (depth, expected) in [(124, "position 4: leaf-mismatch"), (125, INVALID)] {
        let nested = format!("\"number\":{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(replaced("\"number\":4", &nested), expected, "{depth}");
    }
}
