//! The last wall around the keys of clients.

use super::refused::Refused;

/// An event that permits one more update of the only row.
pub(super) const EVENT: &str = "
    INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind, resource_id,
        request_id, metadata, occurred_at)
    SELECT gen_random_uuid(), organization_id, 'key.removed', 'success', 'key', id, 'r', '{}', 1
    FROM client_key";

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
            SELECT '00000000-0000-0000-0000-00000000000c', organization_id, agent_id, hash,
                pepper_version, 'live', created_at, 1, '00000000-0000-0000-0000-0000000000ec'
            FROM credential"
        )
    };
    ("client_key") => {
        concat!(
            another!("event", "key.added", "key", "d"),
            ";;INSERT INTO client_key (id, organization_id, agent_id, kid, kind, algorithm,
                public_key, thumbprint, created_at, state, revision, last_event)
            SELECT '00000000-0000-0000-0000-00000000000d', organization_id, agent_id, 'new', kind,
                algorithm, public_key, 'new', created_at, 'live', 1,
                '00000000-0000-0000-0000-0000000000ed'
            FROM client_key"
        )
    };
    ("event", $action:literal, $kind:literal, $digit:literal) => {
        concat!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at)
            SELECT '00000000-0000-0000-0000-0000000000e",
            $digit,
            "', id, '",
            $action,
            "', 'success', '",
            $kind,
            "', '00000000-0000-0000-0000-00000000000",
            $digit,
            "', 'r', '{}', 1 FROM organization"
        )
    };
}

/// Each trigger, with statements that it alone refuses. What stands before `;;` only prepares.
pub(super) const REFUSED: &[Refused] = &[
    ("credential", "credential_is_the_only_way", &[another!("credential")]),
    (
        "client_key",
        "client_key_is_the_only_way",
        &[concat!(
            update!("state = 'removed', removed_at = 1"),
            ";;",
            another!("credential"),
            ";;",
            another!("client_key")
        )],
    ),
    (
        "client_key",
        "client_key_revision_rises_by_one",
        &[
            concat!("UPDATE client_key SET ", newest!()),
            concat!("UPDATE client_key SET revision = revision + 2, ", newest!()),
        ],
    ),
    (
        "client_key",
        "client_key_keeps_its_identity",
        &[
            update!("id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("organization_id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("agent_id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("kid = 'another'"),
            update!("kind = 'certificate', algorithm = NULL, public_key = NULL"),
            update!("algorithm = 'EdDSA'"),
            update!("public_key = sha256('x')"),
            update!("thumbprint = 'another'"),
            update!("name = 'another'"),
            update!("created_at = 1"),
            update!("expires_at = 1"),
        ],
    ),
    (
        "client_key",
        "client_key_keeps_its_life_cycle",
        &[
            concat!(
                update!("state = 'removed', removed_at = 1"),
                ";;INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                    resource_id, request_id, metadata, occurred_at)
                SELECT gen_random_uuid(), organization_id, 'key.added', 'success', 'key', id, 'r',
                    '{}', 1
                FROM client_key;;",
                update!("state = 'live', removed_at = NULL")
            ),
            concat!(
                update!("state = 'removed', removed_at = 1"),
                ";;INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                    resource_id, request_id, metadata, occurred_at)
                SELECT gen_random_uuid(), organization_id, 'key.added', 'success', 'key', id, 'r',
                    '{}', 1
                FROM client_key;;",
                update!("removed_at = 2")
            ),
        ],
    ),
    ("client_key", "client_key_is_never_deleted", &["DELETE FROM client_key"]),
    ("client_key", "client_key_is_never_emptied", &["TRUNCATE client_key"]),
];

/// Each is of a state that the types do not have.
pub(super) const IMPOSSIBLE: &[&str] =
    &[update!("state = 'asleep'"), update!("state = 'removed'"), update!("removed_at = 1")];
