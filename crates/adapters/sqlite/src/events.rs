//! Events on their way in: one constant statement for one event and for a whole group.

use std::collections::BTreeMap;

use audit::{EventRecord, Outcome};
use data_encoding::HEXLOWER;
use kernel::{CredentialId, Timestamp};
use serde_json::{Value, json};
use sqlx::types::Uuid;

use crate::session::Statement;

/// Takes the group as one JSON array: a statement of one text, prepared once, whatever its size.
const INSERT: &str = "
    INSERT INTO audit_event (
        id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id,
        address, user_agent, used_credential_id, metadata, occurred_at, salt
    )
    SELECT
        unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4,
        value ->> 5, value ->> 6, value ->> 7, value ->> 8, value ->> 9, unhex(value ->> 10),
        value ->> 11, value ->> 12, unhex(value ->> 13)
    FROM json_each(?)";

/// Never moves back: a group that was written later may hold an earlier use.
const REMEMBER_USE: &str = "
    INSERT INTO last_use (credential_id, organization_id, agent_id, used_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), value ->> 3
    FROM json_each(?)
    WHERE true
    ON CONFLICT (credential_id) DO UPDATE SET used_at = excluded.used_at
    WHERE excluded.used_at > last_use.used_at";

/// The statement that inserts these events.
pub(crate) fn insert<'e>(events: impl IntoIterator<Item = &'e EventRecord>) -> Statement {
    let rows: Value = events.into_iter().map(row).collect();
    sqlx::query(INSERT).bind(rows.to_string())
}

/// The statement that remembers the last use of each credential, if these events are any.
pub(crate) fn remember_use<'e>(
    events: impl IntoIterator<Item = &'e EventRecord>,
) -> Option<Statement> {
    let mut uses: BTreeMap<CredentialId, (Value, Timestamp)> = BTreeMap::new();
    for event in events {
        let (Outcome::Success, Some(credential), Some(agent)) =
            (event.outcome, event.used, event.agent)
        else {
            continue;
        };
        if uses.get(&credential).is_some_and(|(_, latest)| *latest >= event.timestamp) {
            continue;
        }
        let used = json!([
            hex(credential.uuid()),
            hex(event.organization.uuid()),
            hex(agent.uuid()),
            event.timestamp.unix_micros(),
        ]);
        uses.insert(credential, (used, event.timestamp));
    }
    let rows: Vec<_> = uses.into_values().map(|(row, _)| row).collect();
    (!rows.is_empty()).then(|| sqlx::query(REMEMBER_USE).bind(Value::from(rows).to_string()))
}

fn row(event: &EventRecord) -> Value {
    json!([
        hex(event.id.uuid()),
        hex(event.organization.uuid()),
        event.agent.map(|agent| hex(agent.uuid())),
        event.action.name(),
        event.outcome.name(),
        event.resource.as_ref().map(|resource| resource.kind.name()),
        event.resource.as_ref().map(|resource| resource.id.as_str()),
        event.origin.request.as_str(),
        event.origin.address.map(|address| address.to_string()),
        event.origin.user_agent.as_ref().map(|agent| agent.as_str()),
        event.used.map(|credential| hex(credential.uuid())),
        Value::from(event.metadata.clone()).to_string(),
        event.timestamp.unix_micros(),
        event.salt.map(|salt| HEXLOWER.encode(&salt)),
    ])
}

/// Ids as a JSON array, for a statement that takes any number of them.
pub(crate) fn hex_array(ids: impl IntoIterator<Item = Uuid>) -> String {
    ids.into_iter().map(|id| Value::from(hex(id))).collect::<Value>().to_string()
}

/// A UUID as `unhex` reads it.
fn hex(id: Uuid) -> String {
    id.simple().to_string()
}
