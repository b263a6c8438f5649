//! The lines of an export: `docs/audit-format.md`, "An export". Members are a deliberate wire format.

use data_encoding::BASE64;
use kernel::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    canonical,
    entry::{VERSION, commitment_of},
    log::EventRecord,
    merkle::StoredHash,
    sequence::LeafRecord,
};

/// A line of a leaf.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeafLine {
    /// The leaf's position.
    pub position: u64,
    /// The version of its entry.
    pub version: u8,
    /// Its hash, in Base64.
    pub leaf_hash: String,
    /// The commitment to the personal data, in Base64.
    pub commitment: Option<String>,
    /// The personal data.
    pub personal: Option<PersonalMember>,
    /// The content.
    pub event: Option<EventMember>,
}

/// The personal data of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonalMember {
    /// The salt, in Base64.
    pub salt: String,
    /// The address.
    pub ip_address: Option<String>,
    /// The client's program.
    pub user_agent: Option<String>,
}

/// The content of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventMember {
    /// The event's id.
    pub event_id: String,
    /// The organization.
    pub organization_id: String,
    /// Who acted.
    pub agent_id: Option<String>,
    /// What was done.
    pub action: String,
    /// How it ended.
    pub outcome: String,
    /// The kind of what it is about.
    pub resource_type: Option<String>,
    /// The id of what it is about.
    pub resource_id: Option<String>,
    /// The request.
    pub request_id: String,
    /// When.
    pub timestamp: String,
    /// The credential whose use it is.
    pub used_credential_id: Option<String>,
    /// The details, normalized.
    pub metadata: Map<String, Value>,
    /// Whether a clock was set back before it.
    pub out_of_order: bool,
}

/// A line of a stored hash of a level above the leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HashLine {
    /// Its level.
    pub level: u8,
    /// Which of its level.
    pub index: u64,
    /// The hash, in Base64.
    pub hash: String,
}

impl From<&LeafRecord> for LeafLine {
    fn from(record: &LeafRecord) -> Self {
        let leaf = &record.leaf;
        let event = record.event.as_ref();
        Self {
            position: leaf.place.position,
            version: VERSION,
            leaf_hash: leaf.hash.to_string(),
            commitment: event.map(|_| leaf.commitment.to_string()),
            personal: event.and_then(personal),
            event: event.map(|event| member(event, leaf.place.out_of_order)),
        }
    }
}

fn personal(event: &EventRecord) -> Option<PersonalMember> {
    commitment_of(event)?;
    Some(PersonalMember {
        salt: BASE64.encode(event.salt.as_ref()?),
        ip_address: event.origin.address.map(|address| address.to_string()),
        user_agent: event.origin.user_agent.as_ref().map(|agent| agent.as_str().to_owned()),
    })
}

fn member(event: &EventRecord, out_of_order: bool) -> EventMember {
    let (resource_type, resource_id) =
        event.resource.as_ref().map(|one| (one.kind.name().to_owned(), one.id.clone())).unzip();
    EventMember {
        event_id: event.id.to_string(),
        organization_id: event.organization.to_string(),
        agent_id: event.agent.map(|id| id.to_string()),
        action: event.action.name().to_owned(),
        outcome: event.outcome.name().to_owned(),
        resource_type,
        resource_id,
        request_id: event.origin.request.as_str().to_owned(),
        timestamp: Timestamp::to_string(&event.timestamp),
        used_credential_id: event.used.map(|id| id.to_string()),
        metadata: canonical::normalized(&event.metadata),
        out_of_order,
    }
}

impl From<&StoredHash> for HashLine {
    fn from(stored: &StoredHash) -> Self {
        Self { level: stored.level, index: stored.index, hash: stored.hash.to_string() }
    }
}

/// Which stored hashes of higher levels are complete with the leaf at this position: level and index
/// of each, the lowest first.
pub fn complete_with(position: u64) -> impl Iterator<Item = (u8, u64)> {
    let leaves = position.saturating_add(1);
    (1..=7_u8)
        .take_while(move |level| leaves.trailing_zeros() >= u32::from(*level) * 8)
        .map(move |level| (level, (leaves >> (u32::from(level) * 8)) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{Frontier, Hash};

    #[test]
    fn a_stored_hash_is_due_when_the_last_leaf_under_it_is_there() {
        let mut frontier = Frontier::empty();
        for position in 0..131_073_u64 {
            let mut due = Vec::new();
            frontier.push(Hash::of(&position.to_be_bytes()), |stored| {
                if stored.level > 0 {
                    due.push((stored.level, stored.index));
                }
            });
            assert_eq!(complete_with(position).collect::<Vec<_>>(), due, "{position}");
        }
    }
}
