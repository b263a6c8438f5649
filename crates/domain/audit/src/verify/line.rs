//! A line of an export as a verifier reads it: whatever does not have the form exactly is refused.
//!
//! The structs of [`crate::export`] write lines; these read them. They borrow, and they refuse what
//! derived ones would take: arrays for objects, other spellings of ids and times, doubled members.

use data_encoding::BASE64;
use kernel::Timestamp;
use serde::{Deserialize, Deserializer, de::Error};
use uuid::Uuid;

use crate::{
    entry::{EntryContent, Salt},
    merkle::Hash,
};

use super::json::{Details, Object, Text, Whole};

/// An entry is shorter than this.
const ENTRY_LIMIT: usize = 65_536;

/// A line.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and nearly all are leaves")]
pub(super) enum Line<'a> {
    Leaf(LeafMembers<'a>),
    StoredHash(HashMembers),
}

/// A line of a leaf.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LeafMembers<'a> {
    pub(super) position: Whole,
    pub(super) version: Whole,
    #[serde(deserialize_with = "base64")]
    pub(super) leaf_hash: Hash,
    #[serde(deserialize_with = "base64_or_null")]
    commitment: Option<Hash>,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    personal: Option<Object<PersonalMembers<'a>>>,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    event: Option<Object<EventMembers<'a>>>,
}

/// Personal data.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PersonalMembers<'a> {
    #[serde(deserialize_with = "base64")]
    salt: Hash,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    pub(super) ip_address: Option<Text<'a>>,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    pub(super) user_agent: Option<Text<'a>>,
}

impl PersonalMembers<'_> {
    pub(super) const fn salt(&self) -> &Salt {
        self.salt.as_bytes()
    }
}

/// Content.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EventMembers<'a> {
    pub(super) event_id: Id,
    pub(super) organization_id: Id,
    #[serde(deserialize_with = "Option::deserialize")]
    agent_id: Option<Id>,
    #[serde(borrow)]
    pub(super) action: Text<'a>,
    outcome: Outcome,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    resource_type: Option<Text<'a>>,
    #[serde(borrow, deserialize_with = "Option::deserialize")]
    resource_id: Option<Text<'a>>,
    #[serde(borrow)]
    request_id: Text<'a>,
    #[serde(deserialize_with = "timestamp")]
    pub(super) timestamp: Timestamp,
    #[serde(deserialize_with = "Option::deserialize")]
    used_credential_id: Option<Id>,
    pub(super) metadata: Details,
    pub(super) out_of_order: bool,
}

/// A line of a stored hash of a level above the leaves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HashMembers {
    pub(super) level: Whole,
    pub(super) index: Whole,
    #[serde(deserialize_with = "base64")]
    pub(super) hash: Hash,
}

/// How an event ended.
#[derive(Debug, Clone, Copy)]
struct Outcome(crate::event::Outcome);

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer)?.0.parse().map(Self).map_err(D::Error::custom)
    }
}

/// A UUID in its one spelling.
#[derive(Debug, Clone, Copy)]
pub(super) struct Id(pub(super) Uuid);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Text(text) = Text::deserialize(deserializer)?;
        let id = uuid(&text).map(Self);
        id.ok_or_else(|| D::Error::custom("an id is no UUID in lower case with hyphens"))
    }
}

/// Reads a UUID in its one spelling.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    let mut buffer = Uuid::encode_buffer();
    let id = Uuid::try_parse(text).ok()?;
    (*id.hyphenated().encode_lower(&mut buffer) == *text).then_some(id)
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let Text(text) = Text::deserialize(deserializer)?;
    parse_base64(&text).ok_or_else(|| D::Error::custom("a hash or salt is no 32 bytes in Base64"))
}

fn base64_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hash>, D::Error> {
    let Some(Text(text)) = Option::deserialize(deserializer)? else { return Ok(None) };
    let hash = parse_base64(&text);
    hash.map(Some).ok_or_else(|| D::Error::custom("a commitment is no 32 bytes in Base64"))
}

/// 44 characters are 33 bytes, of which padding takes one: no allocation is needed.
fn parse_base64(text: &str) -> Option<Hash> {
    let mut buffer = [0; Hash::LENGTH + 1];
    if BASE64.decode_len(text.len()) != Ok(buffer.len()) {
        return None;
    }
    let length = BASE64.decode_mut(text.as_bytes(), &mut buffer).ok()?;
    Hash::try_from(buffer.get(..length)?).ok()
}

fn timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let Text(text) = Text::deserialize(deserializer)?;
    let parsed = if is_plain_time(&text) { text.parse().ok() } else { None };
    parsed.ok_or_else(|| D::Error::custom(format!("a timestamp is not of the form `{TIME}`")))
}

/// What a timestamp looks like.
const TIME: &str = "2026-11-21T08:00:00.000000Z";

/// RFC 3339 has more spellings, and a second 60.
fn is_plain_time(text: &str) -> bool {
    let is_alike = |(is, like): (u8, u8)| {
        if like.is_ascii_digit() { is.is_ascii_digit() } else { is == like }
    };
    text.len() == TIME.len()
        && text.bytes().zip(TIME.bytes()).all(is_alike)
        && text.get(17..18).is_some_and(|tens| tens < "6")
}

impl<'a> Line<'a> {
    /// Reads a line without its newline.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, serde_json::Error> {
        let not_a_leaf = match serde_json::from_slice::<Object<_>>(bytes) {
            Ok(Object(leaf)) => return Ok(Self::Leaf(leaf)),
            Err(error) => error,
        };
        match serde_json::from_slice::<Object<HashMembers>>(bytes) {
            Ok(Object(hash)) if hash.level.0 > 0 => Ok(Self::StoredHash(hash)),
            Ok(_) => Err(Error::custom("a stored hash of level 0 has no line of its own")),
            Err(_) => Err(not_a_leaf),
        }
    }
}

/// What a leaf is known to be of: either all of its content, or its hash alone.
#[derive(Debug)]
pub(super) struct Content<'a> {
    pub(super) event: EventMembers<'a>,
    pub(super) personal: Option<PersonalMembers<'a>>,
    pub(super) commitment: Hash,
    /// The bytes that are hashed.
    pub(super) entry: Vec<u8>,
}

impl<'a> LeafMembers<'a> {
    /// The content, `None` where it is erased. An error says what has not the form.
    pub(super) fn content(self) -> Result<Option<Content<'a>>, &'static str> {
        let (event, commitment) = match (self.event, self.commitment, &self.personal) {
            (None, None, None) => return Ok(None),
            (Some(Object(event)), Some(commitment), _) => (event, commitment),
            (None, _, _) | (_, None, _) => {
                return Err("`event`, `commitment` and `personal` are not there or gone together");
            }
        };
        if event.resource_type.is_some() != event.resource_id.is_some() {
            return Err("only one of `resourceType` and `resourceId` is there");
        }
        let entry = event.entry(commitment).to_bytes();
        if entry.len() >= ENTRY_LIMIT {
            return Err("the entry has 65,536 bytes or more");
        }
        let personal = self.personal.map(|Object(personal)| personal);
        Ok(Some(Content { event, personal, commitment, entry }))
    }
}

impl EventMembers<'_> {
    fn entry(&self, commitment: Hash) -> EntryContent<'_> {
        let kind = self.resource_type.as_ref().map(|Text(kind)| &**kind);
        EntryContent {
            event: self.event_id.0,
            organization: self.organization_id.0,
            agent: self.agent_id.map(|id| id.0),
            action: &self.action.0,
            outcome: self.outcome.0.name(),
            resource: kind.zip(self.resource_id.as_ref().map(|Text(id)| &**id)),
            request: &self.request_id.0,
            timestamp: self.timestamp,
            used: self.used_credential_id.map(|id| id.0),
            commitment,
            metadata: &self.metadata.0,
            out_of_order: self.out_of_order,
        }
    }
}
