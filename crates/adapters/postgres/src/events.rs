//! Events on their way in: one constant statement for one event and for a whole group.

use audit::EventRecord;
use serde_json::{Map, Value};

use crate::session::Statement;

const APPEND: &str = "
    SELECT append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text[]::json[], $13, $14)";

/// The statement that appends these events.
pub(crate) fn append<'e>(events: impl IntoIterator<Item = &'e EventRecord>) -> Statement {
    let events: Vec<_> = events.into_iter().collect();
    macro_rules! column {
        ($event:ident => $value:expr) => {
            events.iter().map(|$event| $value).collect::<Vec<_>>()
        };
    }
    sqlx::query(APPEND)
        .bind(column!(event => event.id.uuid()))
        .bind(column!(event => event.organization.uuid()))
        .bind(column!(event => event.agent.map(|agent| agent.uuid())))
        .bind(column!(event => event.action.name()))
        .bind(column!(event => event.outcome.name()))
        .bind(column!(event => event.resource.as_ref().map(|resource| resource.kind.name())))
        .bind(column!(event => event.resource.as_ref().map(|resource| &*resource.id)))
        .bind(column!(event => event.origin.request.as_str()))
        .bind(column!(event => event.origin.address.map(|address| address.to_string())))
        .bind(column!(event => event.origin.user_agent.as_ref().map(|agent| agent.as_str())))
        .bind(column!(event => event.used.map(|credential| credential.uuid())))
        .bind(column!(event => text(&event.metadata)))
        .bind(column!(event => event.timestamp.unix_micros()))
        .bind(column!(event => event.salt.as_ref().map(|salt| &salt[..])))
}

/// Nothing of an object can fail to be written; no text at all would be refused as no JSON.
fn text(metadata: &Map<String, Value>) -> String {
    serde_json::to_string(metadata).unwrap_or_default()
}
