//! Leaves and stored hashes on their way in: one constant statement for any number of them.

use audit::{
    merkle::{Hash, StoredHash},
    sequence::Leaf,
};
use data_encoding::HEXLOWER;
use kernel::OrganizationId;
use serde_json::{Value, json};
use sqlx::types::Uuid;

use crate::session::Statement;

/// `?2` is a JSON array of numbers, each twice a position, and one more where the event is out of order;
/// `?3` the event's id, the commitment and the hash of each leaf, one after the other.
const LEAVES: &str = "
    INSERT INTO audit_leaf (organization_id, position, event_id, commitment, hash, out_of_order)
    SELECT
        ?1, value >> 1, substr(?3, key * 80 + 1, 16), substr(?3, key * 80 + 17, 32),
        substr(?3, key * 80 + 49, 32), value & 1
    FROM json_each(?2)";

/// What is fixed in length of a leaf.
const FIXED: usize = size_of::<Uuid>() + 2 * Hash::LENGTH;

const _: () = assert!(FIXED == 80, "the statement knows where each part lies");

const STORED_HASHES: &str = "
    INSERT INTO audit_stored_hash (organization_id, level, \"index\", hash)
    SELECT ?, value ->> 0, value ->> 1, unhex(value ->> 2)
    FROM json_each(?)";

/// The statement that inserts these leaves.
pub(crate) fn insert(organization: OrganizationId, leaves: &[Leaf]) -> Statement {
    let mut fixed = Vec::with_capacity(leaves.len().saturating_mul(FIXED));
    for leaf in leaves {
        fixed.extend_from_slice(leaf.event.uuid().as_bytes());
        fixed.extend_from_slice(leaf.commitment.as_bytes());
        fixed.extend_from_slice(leaf.hash.as_bytes());
    }
    let places: Vec<u64> = leaves.iter().map(place).collect();
    // Numbers always have their JSON. Were there none, the database would refuse it.
    let places = serde_json::to_string(&places).unwrap_or_default();
    sqlx::query(LEAVES).bind(organization.uuid()).bind(places).bind(fixed)
}

/// No log that can be is so long that a place would not fit.
fn place(leaf: &Leaf) -> u64 {
    leaf.place.position.saturating_mul(2) | u64::from(leaf.place.out_of_order)
}

/// The statement that inserts these stored hashes of levels above the leaves.
pub(crate) fn insert_above(organization: OrganizationId, above: &[StoredHash]) -> Statement {
    let row = |stored: &StoredHash| {
        json!([stored.level, stored.index, HEXLOWER.encode(stored.hash.as_bytes())])
    };
    let rows: Value = above.iter().map(row).collect();
    sqlx::query(STORED_HASHES).bind(organization.uuid()).bind(rows.to_string())
}
