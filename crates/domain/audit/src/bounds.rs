//! How large an event may be. What is larger is cut, with the hash of the whole: an event is never
//! dropped for its size, and an entry always fits where 16 bits tell its length.

use std::borrow::Cow;

use data_encoding::HEXLOWER;
use serde_json::{Map, Value, json};

use crate::{canonical, merkle::Hash};

/// The most bytes of canonical JSON that metadata may have.
const MAX_METADATA: usize = 48 * 1024;

/// A member is cut only where it has more than this.
const MAX_MEMBER: usize = 8 * 1024;

/// What the hash of the whole takes, with room to spare.
const ROOM_FOR_HASH: usize = 256;

/// What is left of a member that was cut, in characters.
const KEPT: usize = 1024;

/// The metadata as it is kept: normalized, and with its largest members cut until it fits. What is
/// left of a member is `{"cut": the beginning of its text, "length": its bytes, "sha256": of them}`.
pub(crate) fn bounded(metadata: &Map<String, Value>) -> Map<String, Value> {
    let mut kept = canonical::normalized(metadata);
    for (_, value) in &mut kept {
        let text = text_of(value);
        let cut = (text.len() > MAX_MEMBER).then(|| cut(&text));
        if let Some(cut) = cut {
            *value = cut;
        }
    }
    if canonical::text(&kept).len() > MAX_METADATA {
        leave_out(&mut kept, MAX_METADATA - ROOM_FOR_HASH);
        kept.insert("cut".to_owned(), whole(metadata));
    }
    kept
}

/// Leaves members out, the largest first, until the rest has at most so many bytes.
fn leave_out(kept: &mut Map<String, Value>, most: usize) {
    let mut by_size: Vec<(usize, String)> = kept
        .iter()
        .map(|(name, value)| {
            (canonical::text(&Map::from_iter([(name.clone(), value.clone())])).len(), name.clone())
        })
        .collect();
    by_size.sort_unstable();
    let mut size: usize = by_size.iter().map(|(size, _)| size).sum();
    while size > most
        && let Some((member, name)) = by_size.pop()
    {
        kept.remove(&name);
        size -= member;
    }
}

/// The text of a member: a string is taken as it is.
fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => Cow::Owned(other.to_string()),
    }
}

fn cut(text: &str) -> Value {
    let start: String = text.chars().take(KEPT).collect();
    json!({"cut": start, "length": text.len(), "sha256": sha256(text)})
}

/// What stands for members that were left out altogether: the hash of the whole metadata.
fn whole(metadata: &Map<String, Value>) -> Value {
    let text = canonical::text(&canonical::normalized(metadata));
    json!({"length": text.len(), "sha256": sha256(&text)})
}

fn sha256(text: &str) -> String {
    HEXLOWER.encode(Hash::of(text.as_bytes()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(members: impl IntoIterator<Item = (String, Value)>) -> Map<String, Value> {
        members.into_iter().collect()
    }

    #[test]
    fn au_13_a_member_of_more_than_64_kib_is_cut_with_the_hash_of_the_whole() {
        let text = "é".repeat(40_000);
        let kept = bounded(&object([("target".to_owned(), text.clone().into())]));
        let target = &kept["target"];
        assert_eq!(target["length"], 80_000);
        assert_eq!(target["sha256"], sha256(&text));
        assert_eq!(target["cut"].as_str().unwrap().chars().count(), KEPT);
    }

    #[test]
    fn au_13_any_number_of_members_fits() {
        let many = (0..5_000).map(|n| (format!("member-{n}"), "x".repeat(100).into()));
        let metadata = object(many);
        let kept = bounded(&metadata);
        assert!(canonical::text(&kept).len() <= MAX_METADATA);
        assert!(kept.len() > 100);
        assert_eq!(kept["cut"]["length"], canonical::text(&metadata).len());
    }

    #[test]
    fn what_is_small_stays_as_it_is() {
        let small = object([("scope".to_owned(), "agents:read".into())]);
        assert_eq!(bounded(&small), small);
    }
}
