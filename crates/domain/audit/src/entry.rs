//! What is hashed of an event: `docs/audit-format.md`, "A leaf".

use kernel::Timestamp;
use ring::digest::{Context, SHA256};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    canonical,
    log::EventRecord,
    merkle::{Hash, leaf_hash},
    sequence::Leaf,
};

/// The version of entries. A verifier refuses every other.
pub const VERSION: u8 = 1;

/// How far the time of an event may lie before that of an earlier one, in microseconds, for the two
/// to count as concurrent. More means that a clock was set back.
pub const CONCURRENCY_MICROS: i64 = 10_000_000;

/// The length of a salt in bytes.
pub const SALT_LENGTH: usize = 32;

/// What hides the personal data of one event in its commitment.
pub type Salt = [u8; SALT_LENGTH];

/// An absent field's length.
const ABSENT: u32 = u32::MAX;

/// The content of an entry, from wherever it was read.
#[derive(Debug, Clone, Copy)]
pub struct EntryContent<'a> {
    /// The event's id.
    pub event: Uuid,
    /// The organization.
    pub organization: Uuid,
    /// Who acted.
    pub agent: Option<Uuid>,
    /// What was done.
    pub action: &'a str,
    /// How it ended.
    pub outcome: &'a str,
    /// Kind and id of what it is about.
    pub resource: Option<(&'a str, &'a str)>,
    /// The request.
    pub request: &'a str,
    /// When.
    pub timestamp: Timestamp,
    /// The credential whose use it is.
    pub used: Option<Uuid>,
    /// The commitment to the personal data.
    pub commitment: Hash,
    /// The details.
    pub metadata: &'a Map<String, Value>,
    /// Whether a clock was set back before it.
    pub out_of_order: bool,
}

impl EntryContent<'_> {
    /// The entry's bytes.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        out.push(VERSION);
        let (kind, resource) = self.resource.unzip();
        let micros = self.timestamp.unix_micros().to_be_bytes();
        let fields: [Option<&[u8]>; 11] = [
            Some(self.event.as_bytes()),
            Some(self.organization.as_bytes()),
            self.agent.as_ref().map(|id| id.as_bytes().as_slice()),
            Some(self.action.as_bytes()),
            Some(self.outcome.as_bytes()),
            kind.map(str::as_bytes),
            resource.map(str::as_bytes),
            Some(self.request.as_bytes()),
            Some(&micros),
            self.used.as_ref().map(|id| id.as_bytes().as_slice()),
            Some(self.commitment.as_bytes()),
        ];
        fields.into_iter().for_each(|field| write_field(field, &mut |bytes| out.extend(bytes)));
        let metadata = canonical::text(self.metadata);
        let last: [&[u8]; 2] = [metadata.as_bytes(), &[u8::from(self.out_of_order)]];
        last.into_iter().for_each(|field| write_field(Some(field), &mut |bytes| out.extend(bytes)));
        out
    }
}

fn write_field(content: Option<&[u8]>, write: &mut impl FnMut(&[u8])) {
    // Entries are bounded far below the greatest length.
    let length = content.map_or(ABSENT, |bytes| u32::try_from(bytes.len()).unwrap_or(ABSENT - 1));
    write(&length.to_be_bytes());
    write(content.unwrap_or_default());
}

/// The commitment to personal data.
#[must_use]
pub fn commitment(salt: &[u8], address: Option<&str>, user_agent: Option<&str>) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&[VERSION]);
    for field in [Some(salt), address.map(str::as_bytes), user_agent.map(str::as_bytes)] {
        write_field(field, &mut |bytes| context.update(bytes));
    }
    let mut bytes = [0; Hash::LENGTH];
    bytes.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    Hash::from_bytes(bytes)
}

/// The commitment to the personal data of an event. `None` where it is erased.
#[must_use]
pub fn commitment_of(event: &EventRecord) -> Option<Hash> {
    let address = event.origin.address.map(|address| address.to_string());
    let user_agent = event.origin.user_agent.as_ref().map(tenancy::UserAgent::as_str);
    let salt = event.salt.as_ref()?;
    Some(commitment(salt, address.as_deref(), user_agent))
}

/// The entry of an event.
#[must_use]
pub fn bytes_of(event: &EventRecord, commitment: Hash, out_of_order: bool) -> Vec<u8> {
    EntryContent {
        event: event.id.uuid(),
        organization: event.organization.uuid(),
        agent: event.agent.map(kernel::AgentId::uuid),
        action: event.action.name(),
        outcome: event.outcome.name(),
        resource: event.resource.as_ref().map(|resource| (resource.kind.name(), &*resource.id)),
        request: event.origin.request.as_str(),
        timestamp: event.timestamp,
        used: event.used.map(kernel::CredentialId::uuid),
        commitment,
        metadata: &event.metadata,
        out_of_order,
    }
    .to_bytes()
}

/// Whether an event of this time is out of order behind events of which the latest has that time.
#[must_use]
pub fn is_out_of_order(time: Timestamp, latest: Option<Timestamp>) -> bool {
    latest.is_some_and(|latest| latest.unix_micros() - time.unix_micros() > CONCURRENCY_MICROS)
}

/// The hash that a leaf of this event has to have.
#[must_use]
pub fn hash_of(event: &EventRecord, leaf: &Leaf) -> Hash {
    leaf_hash(&bytes_of(event, leaf.commitment, leaf.place.out_of_order))
}

#[cfg(test)]
mod tests;
