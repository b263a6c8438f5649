//! What the triggers of the log refuse: a log only grows, and an event is only erased.

use sqlx::Executor;

use super::{
    refused::Refused,
    sql::{attempt, filled, refused_by},
};

/// An event about the log of the only organization, under which its row may say more.
macro_rules! decided {
    ($verb:literal) => {
        concat!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at)
            SELECT '00000000-0000-0000-0000-0000000000ee', organization_id, 'log.",
            $verb,
            "', 'success', 'log', organization_id::text, 'r', '{}', 1 FROM audit_log"
        )
    };
}

macro_rules! trim {
    ($content:literal, $personal_data:literal) => {
        concat!(
            "UPDATE audit_log SET content_before = ",
            $content,
            ", personal_data_before = ",
            $personal_data,
            ", last_event = '00000000-0000-0000-0000-0000000000ee'"
        )
    };
}

const ACKNOWLEDGE: &str = "
    UPDATE audit_log SET halted = NULL, last_event = '00000000-0000-0000-0000-0000000000ee'";

/// What blanks an event, whichever it is.
macro_rules! blank {
    ($set:literal, $position:literal) => {
        concat!(
            "UPDATE audit_event SET salt = NULL, address = NULL, user_agent = NULL",
            $set,
            " WHERE id = (SELECT event_id FROM audit_leaf WHERE position = ",
            $position,
            ")"
        )
    };
}

macro_rules! blank_content {
    ($position:literal) => {
        blank!(
            ", agent_id = NULL, action = '', outcome = 'success', resource_kind = NULL,
            resource_id = NULL, request_id = '', used_credential_id = NULL, metadata = '{}',
            occurred_at = 0, erased_at = 1",
            $position
        )
    };
}

pub(super) const REFUSED: &[Refused] = &[
    (
        "audit_event",
        "audit_event_is_only_erased",
        &[
            "UPDATE audit_event SET metadata = '{}'",
            "UPDATE audit_event SET outcome = 'failure'",
            // Not yet.
            blank!("", "0"),
            blank_content!("0"),
            concat!(decided!("trimmed"), ";;", trim!("1", "2"), ";;", blank!("", "2")),
            concat!(decided!("trimmed"), ";;", trim!("1", "2"), ";;", blank_content!("1")),
            // Not only that, or not all of it.
            concat!(decided!("trimmed"), ";;", trim!("1", "2"), ";;", blank!(", action = 'x'", "0")),
            concat!(decided!("trimmed"), ";;", trim!("1", "2"), ";;", blank!(", erased_at = 1", "0")),
            concat!(
                decided!("trimmed"),
                ";;",
                trim!("1", "2"),
                ";;",
                blank!(", id = gen_random_uuid()", "0")
            ),
            concat!(
                decided!("trimmed"),
                ";;",
                trim!("1", "2"),
                ";;",
                "UPDATE audit_event SET salt = NULL, address = '192.0.2.1'
                WHERE id = (SELECT event_id FROM audit_leaf WHERE position = 0)"
            ),
            // What is erased is not written again.
            concat!(
                decided!("trimmed"),
                ";;",
                trim!("1", "2"),
                ";;",
                blank_content!("0"),
                ";;",
                blank!(", erased_at = NULL", "0")
            ),
            concat!(
                decided!("trimmed"),
                ";;",
                trim!("1", "2"),
                ";;",
                blank_content!("0"),
                ";;",
                blank!(", action = 'agent.created'", "0")
            ),
            // One that has no place has none before any other.
            concat!(
                decided!("trimmed"),
                ";;",
                trim!("1", "2"),
                ";;",
                "UPDATE audit_event SET salt = NULL, address = NULL, user_agent = NULL
                WHERE id NOT IN (SELECT event_id FROM audit_leaf)"
            ),
        ],
    ),
    (
        "audit_event",
        "audit_event_waits_for_its_place",
        &["INSERT INTO audit_event (id, organization_id, action, outcome, request_id, metadata, occurred_at, salt)
        SELECT gen_random_uuid(), id, 'access.denied', 'failure', 'r', '{}', 1, NULL FROM organization"],
    ),
    (
        "audit_pending",
        "audit_pending_is_never_updated",
        &["UPDATE audit_pending SET events = '{}'"],
    ),
    ("audit_pending", "audit_pending_ends_with_places", &["DELETE FROM audit_pending"]),
    ("audit_pending", "audit_pending_is_never_emptied", &["TRUNCATE audit_pending"]),
    (
        "audit_log",
        "audit_log_only_grows",
        &[
            "UPDATE audit_log SET organization_id = gen_random_uuid()",
            "UPDATE audit_log SET origin = 'elsewhere.example'",
            "UPDATE audit_log SET size = size - 1, signed_size = signed_size - 1",
            "UPDATE audit_log SET signed_size = signed_size - 1",
            "UPDATE audit_log SET signed_note = 'another'",
            "UPDATE audit_log SET fence = fence - 1",
            "UPDATE audit_log SET delivered = 2;;UPDATE audit_log SET delivered = 1",
            "UPDATE audit_log SET exported = 2;;UPDATE audit_log SET exported = 1",
            // What may be erased: with an event that says so, and never less.
            "UPDATE audit_log SET content_before = 1, personal_data_before = 1",
            "UPDATE audit_log SET personal_data_before = 1",
            trim!("1", "1"),
            concat!(decided!("acknowledged"), ";;", trim!("1", "1")),
            concat!(decided!("trimmed"), ";;", trim!("1", "1"), ";;", trim!("1", "2")),
            concat!(
                decided!("trimmed"),
                ";;",
                trim!("2", "2"),
                ";;",
                "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                    resource_id, request_id, metadata, occurred_at)
                SELECT '00000000-0000-0000-0000-0000000000ff', organization_id, 'log.trimmed',
                    'success', 'log', organization_id::text, 'r', '{}', 1 FROM audit_log",
                ";;",
                "UPDATE audit_log SET content_before = 1,
                    last_event = '00000000-0000-0000-0000-0000000000ff'"
            ),
            concat!(
                decided!("trimmed"),
                ";;",
                trim!("2", "2"),
                ";;UPDATE audit_log SET content_erased = 2, personal_data_erased = 2",
                ";;UPDATE audit_log SET content_erased = 1"
            ),
            // A log that is halted goes on with an event that says so.
            "UPDATE audit_log SET halted = 'why';;UPDATE audit_log SET halted = NULL",
            "UPDATE audit_log SET halted = 'why';;UPDATE audit_log SET halted = 'not that'",
            "UPDATE audit_log SET halted = 'why';;UPDATE audit_log SET size = size + 1",
            concat!(
                "UPDATE audit_log SET halted = 'why', size = size + 1",
                ";;UPDATE audit_log SET signed_size = size, signed_note = 'another'"
            ),
            concat!(
                decided!("trimmed"),
                ";;UPDATE audit_log SET halted = 'why'",
                ";;UPDATE audit_log SET halted = NULL,
                    last_event = '00000000-0000-0000-0000-0000000000ee'"
            ),
        ],
    ),
    ("audit_log", "audit_log_is_never_deleted", &["DELETE FROM audit_log"]),
    ("audit_log", "audit_log_is_never_emptied", &["TRUNCATE audit_log"]),
    (
        "audit_leaf",
        "audit_leaf_is_never_updated",
        &[
            "UPDATE audit_leaf SET hash = sha256('x')",
            "UPDATE audit_leaf SET commitment = sha256('x')",
            "UPDATE audit_leaf SET position = position + 1000",
            "UPDATE audit_leaf SET event_id = gen_random_uuid()",
            "UPDATE audit_leaf SET out_of_order = NOT out_of_order",
        ],
    ),
    ("audit_leaf", "audit_leaf_is_never_deleted", &["DELETE FROM audit_leaf"]),
    ("audit_leaf", "audit_leaf_is_never_emptied", &["TRUNCATE audit_leaf"]),
    (
        "audit_stored_hash",
        "audit_stored_hash_is_never_updated",
        &["UPDATE audit_stored_hash SET hash = sha256('y')"],
    ),
    (
        "audit_stored_hash",
        "audit_stored_hash_is_never_deleted",
        &["DELETE FROM audit_stored_hash"],
    ),
    ("audit_stored_hash", "audit_stored_hash_is_never_emptied", &["TRUNCATE audit_stored_hash"]),
    (
        "checkpoint_key",
        "checkpoint_key_is_never_updated",
        &[
            "UPDATE checkpoint_key SET public_key = sha256('x')",
            "UPDATE checkpoint_key SET private_key = sha256('x')",
        ],
    ),
    ("checkpoint_key", "checkpoint_key_is_never_deleted", &["DELETE FROM checkpoint_key"]),
    ("checkpoint_key", "checkpoint_key_is_never_emptied", &["TRUNCATE checkpoint_key"]),
];

/// Else what is refused above would be refused whatever it says.
#[tokio::test]
async fn what_an_event_says_may_be_erased_and_a_log_that_is_acknowledged_goes_on() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    for sql in [
        concat!(decided!("trimmed"), ";;", trim!("1", "2"), ";;", blank_content!("0")),
        concat!(decided!("trimmed"), ";;", trim!("1", "2"), ";;", blank!("", "1")),
        concat!(
            decided!("trimmed"),
            ";;",
            trim!("1", "2"),
            ";;",
            blank!("", "0"),
            ";;",
            blank_content!("0")
        ),
        "UPDATE audit_log SET size = size + 1;;
        UPDATE audit_log SET signed_size = size, signed_note = 'new', delivered = size",
        "UPDATE audit_log SET halted = 'why', holder = NULL;;
        UPDATE audit_log SET holder = gen_random_uuid(), fence = fence + 1, delivered = signed_size",
    ] {
        attempt(&mut stranger, None, sql).await.unwrap();
    }
    let goes_on = format!(
        "UPDATE audit_log SET halted = 'why';;{};;{ACKNOWLEDGE};;UPDATE audit_log SET size = size + 1",
        decided!("acknowledged")
    );
    attempt(&mut stranger, None, &goes_on).await.unwrap();
    let early = format!("UPDATE audit_log SET halted = 'why';;{ACKNOWLEDGE}");
    refused_by(("audit_log", "audit_log_only_grows"), &mut stranger, &early).await;
}

/// What the columns themselves hold.
#[tokio::test]
async fn a_log_that_cannot_be_is_refused() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    for sql in [
        "UPDATE audit_log SET signed_size = size + 1",
        "UPDATE audit_log SET delivered = signed_size + 1",
        "UPDATE audit_log SET exported = signed_size + 1",
        "UPDATE audit_log SET content_erased = 1, personal_data_erased = 1",
        concat!(decided!("trimmed"), ";;", trim!("2", "1")),
        concat!(decided!("trimmed"), ";;", trim!("1000", "1000")),
        "INSERT INTO audit_log (organization_id, size) VALUES (gen_random_uuid(), 1)",
        "INSERT INTO audit_leaf VALUES (gen_random_uuid(), 0, gen_random_uuid(), '', sha256('x'), false)",
        "INSERT INTO audit_leaf VALUES (gen_random_uuid(), 0, gen_random_uuid(), sha256('x'), '', false)",
        "INSERT INTO audit_leaf VALUES (gen_random_uuid(), -1, gen_random_uuid(), sha256('x'), sha256('x'), false)",
        "INSERT INTO audit_stored_hash VALUES (gen_random_uuid(), 0, 0, sha256('x'))",
        "INSERT INTO audit_stored_hash VALUES (gen_random_uuid(), 8, 0, sha256('x'))",
    ] {
        let error = attempt(&mut stranger, None, sql).await.expect_err(sql);
        assert!(error.as_database_error().unwrap().is_check_violation(), "{sql}: {error}");
    }
    for sql in [
        "INSERT INTO audit_leaf SELECT organization_id, position, gen_random_uuid(), hash, hash, false
        FROM audit_leaf",
        "INSERT INTO audit_leaf SELECT organization_id, position + 1000, event_id, hash, hash, false
        FROM audit_leaf",
    ] {
        let error = attempt(&mut stranger, None, sql).await.expect_err(sql);
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{sql}: {error}");
    }
    stranger.execute("SELECT 1").await.unwrap();
}
