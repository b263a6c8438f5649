//! Tests of what is hashed: against bytes that were made from `docs/audit-format.md` alone.

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;
use crate::sample::{at, bare_event, event};

/// Made by a program of another language, from the text of the format.
const WHOLE: &str = "ef1bad4a3d3f33409f4564fb137ee2dbdde3c3dd560686a8c8d41f7a442d4e7e";
const BARE: &str = "895f50a3a5954ccb7fb29b84e19e00f6ae88cda5459ba1afef01698039beb096";
const WHOLE_COMMITMENT: &str = "7fb263679d7151dca851c730992769d60130949f12289c6b4530e410e2daa5e9";
const BARE_COMMITMENT: &str = "fc8fec6665cdbb92b33434d48d63c06e7faa29e6e3941c690d5ca258a8832691";

fn hex(hash: Hash) -> String {
    HEXLOWER.encode(hash.as_bytes())
}

#[test]
fn a_leaf_hash_is_that_of_the_documented_format() {
    let whole = event(5, at(0));
    let commitment = commitment_of(&whole).unwrap();
    let bytes = bytes_of(&whole, commitment, true);
    assert_eq!((bytes.len(), hex(leaf_hash(&bytes))), (235, WHOLE.to_owned()));
    let bare = bare_event(5, at(0));
    let commitment = commitment_of(&bare).unwrap();
    let bytes = bytes_of(&bare, commitment, false);
    assert_eq!((bytes.len(), hex(leaf_hash(&bytes))), (157, BARE.to_owned()));
}

#[test]
fn a_commitment_is_that_of_the_documented_format() {
    assert_eq!(hex(commitment(&[7; 32], Some("192.0.2.7"), Some("curl/8"))), WHOLE_COMMITMENT);
    assert_eq!(commitment_of(&event(1, at(0))).map(hex).as_deref(), Some(WHOLE_COMMITMENT));
    assert_eq!(commitment_of(&bare_event(1, at(0))).map(hex).as_deref(), Some(BARE_COMMITMENT));
}

#[test]
fn there_is_no_commitment_to_personal_data_that_is_erased() {
    assert_eq!(commitment_of(&EventRecord { salt: None, ..event(1, at(0)) }), None);
}

#[test]
fn every_part_of_personal_data_is_committed_to() {
    let salt = [1; SALT_LENGTH];
    let of = |salt: &[u8], address, agent| commitment(salt, address, agent);
    let all = [
        of(&salt, None, None),
        of(&salt, Some(""), None),
        of(&salt, None, Some("")),
        of(&salt, Some("ab"), Some("c")),
        of(&salt, Some("a"), Some("bc")),
        of(&salt, Some("c"), Some("ab")),
        of(&[2; SALT_LENGTH], None, None),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(!all[..at].contains(one), "{at}");
    }
}

#[test]
fn au_15_only_what_lies_well_behind_is_out_of_order() {
    let behind = |micros: i64| {
        let time = Timestamp::from_unix_micros(at(0).unix_micros() - micros).unwrap();
        is_out_of_order(time, Some(at(0)))
    };
    assert!(!behind(-1) && !behind(0) && !behind(CONCURRENCY_MICROS));
    assert!(behind(CONCURRENCY_MICROS + 1) && behind(3_600_000_000));
    assert!(!is_out_of_order(at(0), None));
    let first = Timestamp::from_unix_micros(0).unwrap();
    let last = first.plus(std::time::Duration::MAX);
    assert!(is_out_of_order(first, Some(last)) && !is_out_of_order(last, Some(first)));
}

/// The longest text that each part can have, cut as they are when an event is stamped.
#[test]
fn au_13_an_entry_of_the_largest_metadata_is_shorter_than_65_536_bytes() {
    let members = (0..5_000).map(|n| (format!("\u{1}member-{n}"), "\u{1}".repeat(100).into()));
    let metadata = crate::bounds::bounded(&members.collect());
    let record = EventRecord { metadata, ..event(1, at(0)) };
    let length = bytes_of(&record, commitment_of(&record).unwrap(), true).len();
    assert!((40_000..65_536).contains(&length), "{length}");
}

/// Texts and absent texts that run into each other where nothing tells where one ends.
fn texts() -> impl Strategy<Value = (Option<(String, String)>, [String; 3])> {
    let text = || "[ab]{0,2}";
    (prop::option::of((text(), text())), [text(), text(), text()])
}

type Texts = (Option<(String, String)>, [String; 3]);

fn bytes((resource, [action, outcome, request]): &Texts) -> Vec<u8> {
    EntryContent {
        event: crate::sample::uuid(1),
        organization: crate::sample::uuid(2),
        agent: None,
        action,
        outcome,
        resource: resource.as_ref().map(|(kind, id)| (&**kind, &**id)),
        request,
        timestamp: at(0),
        used: None,
        commitment: Hash::of(&[]),
        metadata: &Map::new(),
        out_of_order: false,
    }
    .to_bytes()
}

proptest! {
    #[test]
    fn what_differs_has_other_bytes(one in texts(), other in texts()) {
        prop_assert_eq!(one == other, bytes(&one) == bytes(&other));
    }
}
