//! Statements about rows of a log.

use audit::{EventRecord, Hash, merkle::StoredHash, sequence::Leaf};
use kernel::{AgentId, CredentialId, OrganizationId};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use super::super::{Statement, Value, log::Forged};

/// The columns of an event's content.
const CONTENT: [&str; 12] = [
    "agent_id",
    "action",
    "outcome",
    "resource_kind",
    "resource_id",
    "request_id",
    "address",
    "user_agent",
    "used_credential_id",
    "metadata",
    "occurred_at",
    "salt",
];

/// Sets a column of an event.
pub(super) fn set_event(event: &EventRecord, column: &str, value: impl Into<Value>) -> Statement {
    set_event_of(event.id.uuid(), column, value)
}

/// Sets a column of the event with this id.
pub(super) fn set_event_of(id: Uuid, column: &str, value: impl Into<Value>) -> Statement {
    Statement::new(
        format!("UPDATE audit_event SET {column} = ? WHERE id = ?"),
        [value.into(), id.into()],
    )
}

/// Gives the event with this id all of that content.
pub(super) fn set_content(id: Uuid, content: &EventRecord) -> Statement {
    let columns = CONTENT.map(|column| format!("{column} = ?")).join(", ");
    let text = format!("UPDATE audit_event SET {columns}, erased_at = NULL WHERE id = ?");
    Statement::new(text, values(content).into_iter().chain([id.into()]))
}

/// Adds an event.
pub(super) fn add_event(event: &EventRecord) -> Statement {
    let columns = CONTENT.join(", ");
    let marks = CONTENT.map(|_| "?").join(", ");
    let text =
        format!("INSERT INTO audit_event (id, organization_id, {columns}) VALUES (?, ?, {marks})");
    let ids = [event.id.uuid().into(), event.organization.uuid().into()];
    Statement::new(text, ids.into_iter().chain(values(event)))
}

fn values(event: &EventRecord) -> [Value; 12] {
    let (kind, resource) =
        event.resource.as_ref().map(|one| (one.kind.name(), one.id.as_str())).unzip();
    let origin = &event.origin;
    [
        event.agent.map(AgentId::uuid).into(),
        event.action.name().into(),
        event.outcome.name().into(),
        kind.into(),
        resource.into(),
        origin.request.as_str().into(),
        origin.address.map(|address| address.to_string()).into(),
        origin.user_agent.as_ref().map(|agent| agent.as_str()).into(),
        event.used.map(CredentialId::uuid).into(),
        text(&event.metadata).into(),
        event.timestamp.unix_micros().into(),
        event.salt.into(),
    ]
}

/// Metadata as it is stored.
pub(super) fn text(metadata: &Map<String, Json>) -> String {
    serde_json::to_string(metadata).unwrap()
}

/// Takes an event away.
pub(super) fn delete_event(id: Uuid) -> Statement {
    Statement::new("DELETE FROM audit_event WHERE id = ?", [id.into()])
}

/// Erases the content of an event, as the store does.
pub(super) fn erase(id: Uuid) -> Statement {
    let text = "UPDATE audit_event SET agent_id = NULL, action = '', outcome = 'success', \
        resource_kind = NULL, resource_id = NULL, request_id = '', address = NULL, \
        user_agent = NULL, used_credential_id = NULL, metadata = '{}', occurred_at = 0, \
        salt = NULL, erased_at = 1 WHERE id = ?";
    Statement::new(text, [id.into()])
}

/// Erases the personal data of an event, as the store does.
pub(super) fn erase_personal(id: Uuid) -> Statement {
    let text = "UPDATE audit_event SET address = NULL, user_agent = NULL, salt = NULL WHERE id = ?";
    Statement::new(text, [id.into()])
}

/// Where a leaf lies.
fn place(organization: OrganizationId, position: u64) -> [Value; 2] {
    [organization.uuid().into(), position.into()]
}

/// Sets a column of a leaf.
pub(super) fn set_leaf(
    organization: OrganizationId,
    position: u64,
    column: &str,
    value: impl Into<Value>,
) -> Statement {
    let text =
        format!("UPDATE audit_leaf SET {column} = ? WHERE organization_id = ? AND position = ?");
    let values = [value.into()].into_iter().chain(place(organization, position));
    Statement::new(text, values)
}

/// Makes a leaf this one.
pub(super) fn rewrite_leaf(organization: OrganizationId, leaf: &Leaf) -> Statement {
    let text = "UPDATE audit_leaf SET event_id = ?, commitment = ?, hash = ?, out_of_order = ? \
        WHERE organization_id = ? AND position = ?";
    let values = [
        leaf.event.uuid().into(),
        leaf.commitment.into(),
        leaf.hash.into(),
        leaf.place.out_of_order.into(),
    ];
    Statement::new(text, values.into_iter().chain(place(organization, leaf.place.position)))
}

/// Adds a leaf.
pub(super) fn add_leaf(organization: OrganizationId, leaf: &Leaf) -> Statement {
    let text = "INSERT INTO audit_leaf \
        (organization_id, position, event_id, commitment, hash, out_of_order) \
        VALUES (?, ?, ?, ?, ?, ?)";
    let values = [
        leaf.event.uuid().into(),
        leaf.commitment.into(),
        leaf.hash.into(),
        leaf.place.out_of_order.into(),
    ];
    Statement::new(text, place(organization, leaf.place.position).into_iter().chain(values))
}

/// Takes a leaf away.
pub(super) fn delete_leaf(organization: OrganizationId, position: u64) -> Statement {
    let text = "DELETE FROM audit_leaf WHERE organization_id = ? AND position = ?";
    Statement::new(text, place(organization, position))
}

/// Takes all leaves from this position on away.
pub(super) fn delete_leaves(organization: OrganizationId, from: u64) -> Statement {
    let text = "DELETE FROM audit_leaf WHERE organization_id = ? AND position >= ?";
    Statement::new(text, place(organization, from))
}

/// Moves all leaves from this position on by so many.
pub(super) fn shift(organization: OrganizationId, from: u64, by: i64) -> Statement {
    let text = "UPDATE audit_leaf SET position = position + ? \
        WHERE organization_id = ? AND position >= ?";
    Statement::new(text, [by.into()].into_iter().chain(place(organization, from)))
}

/// Sets a stored hash.
pub(super) fn set_stored(
    organization: OrganizationId,
    (level, index): (u8, u64),
    hash: Hash,
) -> Statement {
    let text = "UPDATE audit_stored_hash SET hash = ? \
        WHERE organization_id = ? AND level = ? AND \"index\" = ?";
    let place = [organization.uuid().into(), u64::from(level).into(), index.into()];
    Statement::new(text, [hash.into()].into_iter().chain(place))
}

/// Takes a stored hash away.
pub(super) fn delete_stored(organization: OrganizationId, stored: &StoredHash) -> Statement {
    let text = "DELETE FROM audit_stored_hash \
        WHERE organization_id = ? AND level = ? AND \"index\" = ?";
    let place = [organization.uuid().into(), u64::from(stored.level).into(), stored.index.into()];
    Statement::new(text, place)
}

/// Makes the stored hashes above the leaves these.
pub(super) fn rewrite_stored(organization: OrganizationId, forged: &Forged) -> Vec<Statement> {
    let mut statements = vec![Statement::new(
        "DELETE FROM audit_stored_hash WHERE organization_id = ?",
        [organization.uuid().into()],
    )];
    statements.extend(forged.above.iter().map(|stored| {
        let text = "INSERT INTO audit_stored_hash (organization_id, level, \"index\", hash) \
            VALUES (?, ?, ?, ?)";
        let place =
            [organization.uuid().into(), u64::from(stored.level).into(), stored.index.into()];
        Statement::new(text, place.into_iter().chain([stored.hash.into()]))
    }));
    statements
}

/// Makes the log's row say that it has this size and this checkpoint.
pub(super) fn set_signed(
    organization: OrganizationId,
    size: u64,
    note: Option<String>,
) -> Statement {
    let text = "UPDATE audit_log SET size = ?, signed_size = ?, signed_note = ?, delivered = 0, \
        exported = 0 WHERE organization_id = ?";
    Statement::new(text, [size.into(), size.into(), note.into(), organization.uuid().into()])
}

/// Sets a column of the log's row.
pub(super) fn set_log(
    organization: OrganizationId,
    column: &str,
    value: impl Into<Value>,
) -> Statement {
    let text = format!("UPDATE audit_log SET {column} = ? WHERE organization_id = ?");
    Statement::new(text, [value.into(), organization.uuid().into()])
}
