//! Leaves and stored hashes on their way in: one constant statement for any number of them.

use audit::{merkle::StoredHash, sequence::Leaf};
use data_encoding::HEXLOWER;
use kernel::OrganizationId;
use serde_json::{Value, json};

use crate::session::Statement;

const LEAVES: &str = "
    INSERT INTO audit_leaf (organization_id, position, event_id, commitment, hash, out_of_order)
    SELECT
        ?, value ->> 0, unhex(value ->> 1), unhex(value ->> 2), unhex(value ->> 3), value ->> 4
    FROM json_each(?)";

const STORED_HASHES: &str = "
    INSERT INTO audit_stored_hash (organization_id, level, \"index\", hash)
    SELECT ?, value ->> 0, value ->> 1, unhex(value ->> 2)
    FROM json_each(?)";

/// The statement that inserts these leaves.
pub(crate) fn insert(organization: OrganizationId, leaves: &[Leaf]) -> Statement {
    let rows: Value = leaves.iter().map(row).collect();
    sqlx::query(LEAVES).bind(organization.uuid()).bind(rows.to_string())
}

fn row(leaf: &Leaf) -> Value {
    json!([
        leaf.place.position,
        leaf.event.uuid().simple().to_string(),
        HEXLOWER.encode(leaf.commitment.as_bytes()),
        HEXLOWER.encode(leaf.hash.as_bytes()),
        leaf.place.out_of_order,
    ])
}

/// The statement that inserts these stored hashes of levels above the leaves.
pub(crate) fn insert_above(organization: OrganizationId, above: &[StoredHash]) -> Statement {
    let row = |stored: &StoredHash| {
        json!([stored.level, stored.index, HEXLOWER.encode(stored.hash.as_bytes())])
    };
    let rows: Value = above.iter().map(row).collect();
    sqlx::query(STORED_HASHES).bind(organization.uuid()).bind(rows.to_string())
}

/// Positions as a JSON array, for a statement that takes any number of them.
pub(crate) fn array(positions: impl IntoIterator<Item = i64>) -> String {
    positions.into_iter().map(Value::from).collect::<Value>().to_string()
}
