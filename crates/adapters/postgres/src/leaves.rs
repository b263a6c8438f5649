//! Leaves and stored hashes on their way in: one constant statement for any number of them.

use audit::{merkle::StoredHash, sequence::Leaf};
use kernel::OrganizationId;

use crate::{log_reader::whole, session::Statement};

const LEAVES: &str = "
    INSERT INTO audit_leaf (organization_id, position, event_id, commitment, hash, out_of_order)
    SELECT $1, * FROM unnest($2::bigint[], $3::uuid[], $4::bytea[], $5::bytea[], $6::boolean[])";

const STORED_HASHES: &str = "
    INSERT INTO audit_stored_hash (organization_id, level, index, hash)
    SELECT $1, * FROM unnest($2::bigint[], $3::bigint[], $4::bytea[])";

macro_rules! column {
    ($rows:expr, $row:ident => $value:expr) => {
        $rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}

/// The statement that inserts these leaves.
pub(crate) fn insert(organization: OrganizationId, leaves: &[Leaf]) -> Statement {
    sqlx::query(LEAVES)
        .bind(organization.uuid())
        .bind(column!(leaves, leaf => whole(leaf.place.position)))
        .bind(column!(leaves, leaf => leaf.event.uuid()))
        .bind(column!(leaves, leaf => &leaf.commitment.as_bytes()[..]))
        .bind(column!(leaves, leaf => &leaf.hash.as_bytes()[..]))
        .bind(column!(leaves, leaf => leaf.place.out_of_order))
}

/// The statement that inserts these stored hashes of levels above the leaves.
pub(crate) fn insert_above(organization: OrganizationId, above: &[StoredHash]) -> Statement {
    sqlx::query(STORED_HASHES)
        .bind(organization.uuid())
        .bind(column!(above, stored => i64::from(stored.level)))
        .bind(column!(above, stored => whole(stored.index)))
        .bind(column!(above, stored => &stored.hash.as_bytes()[..]))
}
