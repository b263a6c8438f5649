//! The last wall around the keys of clients.

/// An event that permits one more update of the only row.
pub(super) const EVENT: &str = "
    INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind, resource_id,
        request_id, metadata, occurred_at, salt)
    SELECT randomblob(16), organization_id, 'key.removed', 'success', 'key', hex(id), 'r', '{}', 1,
        zeroblob(32)
    FROM client_key";

/// The only row is removed, under the newest event.
macro_rules! removed {
    () => {
        "UPDATE client_key SET state = 'removed', removed_at = 1, revision = revision + 1,
            last_event = (
                SELECT id FROM audit_event WHERE resource_kind = 'key'
                ORDER BY position DESC LIMIT 1
            )"
    };
}
pub(super) use removed;

macro_rules! newest {
    () => {
        "last_event = (
            SELECT id FROM audit_event WHERE resource_kind = 'key' ORDER BY position DESC LIMIT 1
        )"
    };
}

/// A proper update, under the newest event, with what makes it improper.
macro_rules! update {
    ($set:literal) => {
        concat!("UPDATE client_key SET ", $set, ", revision = revision + 1, ", newest!())
    };
}

/// One more row like the only one, under an event of its own. A secret never ends.
macro_rules! another {
    ("credential") => {
        concat!(
            another!("event", "credential.generated", "credential", "c"),
            ";;INSERT INTO credential (id, organization_id, agent_id, hash, pepper_version, state,
                created_at, revision, last_event)
            SELECT x'0000000000000000000000000000000c', organization_id, agent_id, hash,
                pepper_version, 'live', created_at, 1, x'000000000000000000000000000000ec'
            FROM credential"
        )
    };
    ("client_key") => {
        concat!(
            another!("event", "key.added", "key", "d"),
            ";;INSERT INTO client_key (id, organization_id, agent_id, kid, kind, algorithm,
                public_key, thumbprint, created_at, state, revision, last_event)
            SELECT x'0000000000000000000000000000000d', organization_id, agent_id, 'new', kind,
                algorithm, public_key, 'new', created_at, 'live', 1,
                x'000000000000000000000000000000ed'
            FROM client_key"
        )
    };
    ("event", $action:literal, $kind:literal, $digit:literal) => {
        concat!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at, salt)
            SELECT x'000000000000000000000000000000e",
            $digit,
            "', id, '",
            $action,
            "', 'success', '",
            $kind,
            "', '00000000-0000-0000-0000-00000000000",
            $digit,
            "', 'r', '{}', 1, zeroblob(32) FROM organization"
        )
    };
}

/// Each trigger, with statements that it alone refuses. What stands before `;;` only prepares.
pub(super) const REFUSED: &[(&str, &[&str])] = &[
    (
        "client_key_is_never_replaced",
        &["INSERT OR REPLACE INTO client_key SELECT * FROM client_key"],
    ),
    ("credential_is_the_only_way", &[another!("credential")]),
    (
        "client_key_is_the_only_way",
        &[concat!(removed!(), ";;", another!("credential"), ";;", another!("client_key"))],
    ),
    (
        "client_key_revision_rises_by_one",
        &[
            concat!("UPDATE client_key SET ", newest!()),
            concat!("UPDATE client_key SET revision = revision + 2, ", newest!()),
        ],
    ),
    (
        "client_key_keeps_its_identity",
        &[
            update!("id = x'000000000000000000000000000000aa'"),
            update!("rowid = rowid + 1"),
            update!("organization_id = x'000000000000000000000000000000aa'"),
            update!("agent_id = x'000000000000000000000000000000aa'"),
            update!("kid = 'another'"),
            update!("kind = 'certificate', algorithm = NULL, public_key = NULL"),
            update!("algorithm = 'EdDSA'"),
            update!("public_key = zeroblob(64)"),
            update!("thumbprint = 'another'"),
            update!("name = 'another'"),
            update!("created_at = 1"),
            update!("expires_at = 1"),
        ],
    ),
    (
        "client_key_keeps_its_life_cycle",
        &[
            concat!(
                update!("state = 'removed', removed_at = 1"),
                ";;INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                    resource_id, request_id, metadata, occurred_at, salt)
                SELECT randomblob(16), organization_id, 'key.added', 'success', 'key', hex(id), 'r',
                    '{}', 1, zeroblob(32)
                FROM client_key;;",
                update!("state = 'live', removed_at = NULL")
            ),
            concat!(
                update!("state = 'removed', removed_at = 1"),
                ";;INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                    resource_id, request_id, metadata, occurred_at, salt)
                SELECT randomblob(16), organization_id, 'key.added', 'success', 'key', hex(id), 'r',
                    '{}', 1, zeroblob(32)
                FROM client_key;;",
                update!("removed_at = 2")
            ),
        ],
    ),
    ("client_key_is_never_deleted", &["DELETE FROM client_key"]),
];

/// Each is of a state that the types do not have.
pub(super) const IMPOSSIBLE: &[&str] =
    &[update!("state = 'asleep'"), update!("state = 'removed'"), update!("removed_at = 1")];
