//! Logs and tampering by chance: every one is found, and an untouched log is never accused.

use proptest::{prelude::*, sample::Index};
use serde_json::Value;

use super::super::sample::{Sample, event, flipped, trimmed};

/// A log of random times, trimmed and erased as a server would.
fn logs() -> impl Strategy<Value = Sample> {
    let seconds = prop::collection::vec(0..60_u64, 2..300);
    (seconds, any::<[Index; 4]>()).prop_map(|(seconds, [trim, content, personal, signed])| {
        let mut events: Vec<_> =
            (0..).zip(&seconds).map(|(number, second)| event(number, *second)).collect();
        let count = events.len();
        let trim = trim.index(count);
        let content = content.index(trim + 1);
        let personal = content + personal.index(trim - content + 1);
        events[trim] = trimmed(trim as u64, content as u64, personal as u64);
        let sizes = [signed.index(count) as u64, count as u64];
        let mut log = Sample::new(&events, &sizes);
        log.erase_content(0..content);
        log.erase_personal_data(content as u64..personal as u64);
        log
    })
}

/// Spoils a log in one way. Gives back whether anything is another than before.
fn spoil(log: &mut Sample, way: usize, place: Index, other: Index) -> bool {
    let before = log.export();
    let at = place.index(log.lines.len());
    let other = other.index(log.lines.len());
    let mut line: Value = serde_json::from_str(&log.lines[at]).unwrap();
    match way {
        0 => drop(log.lines.remove(at)),
        1 => log.lines.swap(at, other),
        2 => log.lines.insert(at, log.lines[other].clone()),
        3 => log.lines.truncate(at),
        4 => {
            for member in ["leafHash", "hash"] {
                if line[member].is_string() {
                    line[member] = flipped(&line[member]);
                }
            }
            log.lines[at] = line.to_string();
        }
        5..=12 => {
            let member = ["eventId", "action", "requestId", "resourceId", "timestamp"]
                .into_iter()
                .chain(["outcome", "outOfOrder", "metadata"])
                .nth(way - 5)
                .unwrap();
            if line["event"].is_object() {
                line["event"][member] = match member {
                    "eventId" => "00000000-0000-0000-0000-00000000ffff".into(),
                    "timestamp" => "2031-01-01T00:00:00.000000Z".into(),
                    "outcome" => "failure".into(),
                    "outOfOrder" => (!line["event"]["outOfOrder"].as_bool().unwrap()).into(),
                    "metadata" => serde_json::json!({"name": "mallory"}),
                    _ => "other".into(),
                };
                log.lines[at] = line.to_string();
            }
        }
        13 => {
            // Only what was announced may be gone.
            if line["event"].is_object() && at == log.lines.len() - 1 {
                for member in ["event", "commitment", "personal"] {
                    line[member] = Value::Null;
                }
                log.lines[at] = line.to_string();
            }
        }
        _ => {
            // A byte of the line, as a disk would.
            let mut bytes = log.lines[at].clone().into_bytes();
            let position = other % bytes.len();
            bytes[position] = if bytes[position] == b'7' { b'3' } else { b'7' };
            log.lines[at] = String::from_utf8(bytes).unwrap();
        }
    }
    log.export() != before
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn au_04_an_untouched_log_is_never_accused(log in logs()) {
        prop_assert_eq!(log.said(), "ok");
    }

    #[test]
    fn au_04_random_tampering_is_always_found(
        mut log in logs(),
        (way, place, other) in (0..18_usize, any::<Index>(), any::<Index>()),
    ) {
        if spoil(&mut log, way, place, other) {
            prop_assert_ne!(log.said(), "ok", "way {}", way);
        }
    }
}
