//! Events on their way in: one constant statement for one event and for a whole group.

use std::{collections::BTreeMap, net::IpAddr};

use audit::{EventRecord, Outcome, entry::SALT_LENGTH};
use kernel::CredentialId;
use serde_json::{Map, Value};
use sqlx::types::Uuid;

use crate::session::Statement;

/// Takes a group as two values: `?1` is a JSON array with the texts and numbers of each event, `?2`
/// the ids and salts of all, one after the other. So no id is turned into a text and back, and the
/// statement is one text, prepared once, whatever the size of the group.
///
/// `jsonb_each`, since `json_each` would make a text of each event again, to be parsed for each column.
macro_rules! insert_events {
    () => {
        "INSERT INTO audit_event (
            id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id,
            address, user_agent, used_credential_id, metadata, occurred_at, salt
        )
        SELECT
            substr(?2, key * 96 + 1, 16), substr(?2, key * 96 + 17, 16),
            nullif(substr(?2, key * 96 + 33, 16), zeroblob(16)),
            value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
            nullif(substr(?2, key * 96 + 49, 16), zeroblob(16)),
            value ->> 7, value ->> 8,
            nullif(substr(?2, key * 96 + 65, 32), zeroblob(32))
        FROM jsonb_each(?1)"
    };
}
pub(crate) use insert_events;

/// Takes the uses behind the events: `?3` is a JSON array of times, `?4` the ids of all. It never moves
/// back: a group that was written later may hold an earlier use.
macro_rules! remember_uses {
    () => {
        "INSERT INTO last_use (credential_id, organization_id, agent_id, used_at)
        SELECT
            substr(?4, key * 48 + 1, 16), substr(?4, key * 48 + 17, 16),
            substr(?4, key * 48 + 33, 16), value
        FROM json_each(?3)
        WHERE true
        ON CONFLICT (organization_id, agent_id, credential_id) DO UPDATE SET used_at = excluded.used_at
        WHERE excluded.used_at > last_use.used_at"
    };
}
pub(crate) use remember_uses;

const INSERT: &str = insert_events!();

/// What is fixed in length of an event: the ids of the event, its organization, its agent and the
/// credential that was used, and the salt.
const FIXED: usize = 4 * size_of::<Uuid>() + SALT_LENGTH;

/// What a use is: the ids of the credential, its organization and its agent.
const USE: usize = 3 * size_of::<Uuid>();

const _: () = assert!(FIXED == 96 && USE == 48, "the statements know where each id lies");

/// What varies in length of an event, in the order of the statement's places.
type Texts<'e> = (
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'e str>,
    &'e str,
    Option<IpAddr>,
    Option<&'e str>,
    &'e Map<String, Value>,
    i64,
);

/// The statement that inserts this event.
pub(crate) fn insert(event: &EventRecord) -> Statement {
    bind_events(sqlx::query(INSERT), std::slice::from_ref(event))
}

/// A statement that is made of `insert_events!` and `remember_uses!`, for these events.
pub(crate) fn of_group(text: &'static str, events: &[EventRecord]) -> Statement {
    let (mut times, mut ids) = (Vec::new(), Vec::new());
    for (credential, event) in last_uses(events) {
        times.push(event.timestamp.unix_micros());
        ids.extend_from_slice(credential.uuid().as_bytes());
        ids.extend_from_slice(event.organization.uuid().as_bytes());
        ids.extend_from_slice(id_or_none(event.agent.map(kernel::AgentId::uuid)).as_bytes());
    }
    let times = serde_json::to_string(&times).unwrap_or_default();
    bind_events(sqlx::query(text), events).bind(times).bind(ids)
}

fn bind_events(statement: Statement, events: &[EventRecord]) -> Statement {
    let texts: Vec<Texts<'_>> = events.iter().map(texts).collect();
    let mut fixed = Vec::with_capacity(events.len().saturating_mul(FIXED));
    for event in events {
        fixed.extend_from_slice(event.id.uuid().as_bytes());
        fixed.extend_from_slice(event.organization.uuid().as_bytes());
        fixed.extend_from_slice(id_or_none(event.agent.map(kernel::AgentId::uuid)).as_bytes());
        fixed.extend_from_slice(id_or_none(event.used.map(CredentialId::uuid)).as_bytes());
        fixed.extend_from_slice(&event.salt.unwrap_or_default());
    }
    // Texts and numbers always have their JSON. Were there none, the database would refuse it.
    let texts = serde_json::to_string(&texts).unwrap_or_default();
    statement.bind(texts).bind(fixed)
}

fn texts(event: &EventRecord) -> Texts<'_> {
    let resource = event.resource.as_ref();
    (
        event.action.name(),
        event.outcome.name(),
        resource.map(|resource| resource.kind.name()),
        resource.map(|resource| resource.id.as_str()),
        event.origin.request.as_str(),
        event.origin.address,
        event.origin.user_agent.as_ref().map(|agent| agent.as_str()),
        &event.metadata,
        event.timestamp.unix_micros(),
    )
}

/// The last use of each credential, if these events are any.
fn last_uses(events: &[EventRecord]) -> BTreeMap<CredentialId, &EventRecord> {
    let mut uses: BTreeMap<CredentialId, &EventRecord> = BTreeMap::new();
    for event in events {
        let (Outcome::Success, Some(credential), Some(_)) =
            (event.outcome, event.used, event.agent)
        else {
            continue;
        };
        let last = uses.entry(credential).or_insert(event);
        if last.timestamp < event.timestamp {
            *last = event;
        }
    }
    uses
}

/// The nil UUID stands for none: no id is one (RFC 9562, section 5.9).
fn id_or_none(id: Option<Uuid>) -> Uuid {
    id.unwrap_or_default()
}

/// Ids as a JSON array, for a statement that takes any number of them.
pub(crate) fn hex_array(ids: impl IntoIterator<Item = Uuid>) -> String {
    ids.into_iter().map(|id| Value::from(id.simple().to_string())).collect::<Value>().to_string()
}
