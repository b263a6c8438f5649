//! What the database refuses of a log: whatever takes away from it, and whatever is erased before an
//! event says that it may be.

use sqlx::Executor;

use super::{
    attempt,
    events::{EVENT, Told},
    filled, refused_by,
};

/// The triggers that are tried here, with the events that they ask for.
pub(super) const TRIGGERS: [&str; 2] =
    ["audit_log_is_trimmed_with_an_event", "audit_log_goes_on_with_an_event"];

/// An event that permits a change of the log, with an id of one digit.
macro_rules! said {
    ($id:literal, $action:literal) => {
        concat!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at, salt)
            SELECT x'0000000000000000000000000000000",
            $id,
            "', id, '",
            $action,
            "', 'success', 'log', hex(id), 'r', '{}', 1, zeroblob(32) FROM organization;;"
        )
    };
}

/// A change of the log's marks under such an event.
macro_rules! trimmed {
    ($id:literal, $set:literal) => {
        concat!(
            said!($id, "log.trimmed"),
            "UPDATE audit_log SET ",
            $set,
            ", last_event = x'0000000000000000000000000000000",
            $id,
            "'"
        )
    };
}

/// What follows is done where the content of the first leaf may be erased, and the personal data of
/// the first two.
macro_rules! where_trimmed {
    ($sql:expr) => {
        concat!(trimmed!("a", "content_before = 1, personal_data_before = 2"), ";;", $sql)
    };
}

/// An update of the event at this position.
macro_rules! event_at {
    ($position:literal, $set:expr) => {
        concat!(
            "UPDATE audit_event SET ",
            $set,
            " WHERE id = (SELECT event_id FROM audit_leaf WHERE position = ",
            $position,
            ")"
        )
    };
}

macro_rules! no_personal_data {
    () => {
        "salt = NULL, address = NULL, user_agent = NULL"
    };
}

macro_rules! no_content {
    () => {
        concat!(
            no_personal_data!(),
            ", agent_id = NULL, action = '', outcome = 'success', resource_kind = NULL,
            resource_id = NULL, request_id = '', used_credential_id = NULL, metadata = '{}',
            occurred_at = 0, erased_at = 1"
        )
    };
}

macro_rules! where_stored {
    ($sql:literal) => {
        concat!(
            "INSERT INTO audit_stored_hash SELECT id, 1, 0, zeroblob(32) FROM organization;;",
            $sql
        )
    };
}

/// Each trigger, with statements that it alone refuses. What stands before `;;` only prepares.
pub(super) const REFUSED: &[(&str, &[&str])] = &[
    (
        "audit_event_has_a_salt",
        &["INSERT INTO audit_event (
                id, organization_id, action, outcome, request_id, metadata, occurred_at
            )
            SELECT zeroblob(16), id, 'agent.created', 'success', 'r', '{}', 1 FROM organization"],
    ),
    (
        "audit_event_is_only_erased",
        &[
            "UPDATE audit_event SET metadata = '{}'",
            "UPDATE audit_event SET outcome = 'failure'",
            // Before an event says so, or past where it says.
            event_at!("0", no_personal_data!()),
            event_at!("0", no_content!()),
            where_trimmed!(event_at!("1", no_content!())),
            where_trimmed!(event_at!("2", no_personal_data!())),
            // What has no place yet.
            where_trimmed!(concat!(
                "UPDATE audit_event SET ",
                no_personal_data!(),
                " WHERE id = x'00000000000000000000000000000001'"
            )),
            // More than is erased, or less.
            where_trimmed!(event_at!("0", "address = NULL, user_agent = NULL")),
            where_trimmed!(event_at!("0", "salt = NULL, user_agent = NULL, address = '::1'")),
            where_trimmed!(event_at!("0", "salt = NULL, address = NULL, user_agent = 'x'")),
            where_trimmed!(event_at!("0", concat!(no_personal_data!(), ", action = 'x'"))),
            where_trimmed!(event_at!("0", concat!(no_personal_data!(), ", agent_id = id"))),
            where_trimmed!(event_at!("0", concat!(no_personal_data!(), ", erased_at = 1"))),
            where_trimmed!(event_at!("0", concat!(no_content!(), ", metadata = '{\"a\":1}'"))),
            where_trimmed!(event_at!("0", concat!(no_content!(), ", action = 'agent.created'"))),
            where_trimmed!(event_at!("0", concat!(no_content!(), ", id = zeroblob(16)"))),
            where_trimmed!(event_at!("0", concat!(no_content!(), ", position = 99"))),
            where_trimmed!(event_at!(
                "0",
                concat!(no_content!(), ", organization_id = zeroblob(16)")
            )),
            // What is erased stays so.
            where_trimmed!(concat!(
                event_at!("0", no_content!()),
                ";;",
                event_at!("0", "erased_at = NULL")
            )),
            where_trimmed!(concat!(
                event_at!("0", no_content!()),
                ";;",
                event_at!("0", "erased_at = 2")
            )),
        ],
    ),
    (
        "audit_pending_is_never_replaced",
        &["INSERT OR REPLACE INTO audit_pending SELECT position, zeroblob(16) FROM audit_pending"],
    ),
    (
        "audit_pending_is_never_updated",
        &[
            "UPDATE audit_pending SET organization_id = zeroblob(16)",
            "UPDATE audit_pending SET position = position + 100",
        ],
    ),
    (
        "audit_pending_ends_with_a_place",
        &[
            "DELETE FROM audit_pending",
            // In the log of another organization.
            "INSERT INTO audit_leaf SELECT zeroblob(16), 0, id, zeroblob(32), zeroblob(32), 0
            FROM audit_event WHERE id = x'00000000000000000000000000000001';;
            DELETE FROM audit_pending
            WHERE position = (
                SELECT position FROM audit_event WHERE id = x'00000000000000000000000000000001'
            )",
        ],
    ),
    (
        "audit_log_is_never_replaced",
        &[
            "INSERT OR REPLACE INTO audit_log (organization_id)
            SELECT organization_id FROM audit_log",
            "INSERT OR REPLACE INTO audit_log (rowid, organization_id)
            SELECT rowid, zeroblob(16) FROM audit_log",
        ],
    ),
    (
        "audit_log_begins_empty",
        &["INSERT INTO audit_log (organization_id, origin, size) VALUES (zeroblob(16), 'x', 1)"],
    ),
    (
        "audit_log_only_grows",
        &[
            "UPDATE audit_log SET organization_id = zeroblob(16)",
            "UPDATE audit_log SET rowid = rowid + 1",
            "UPDATE audit_log SET origin = 'x'",
            "UPDATE audit_log SET size = 9;;UPDATE audit_log SET size = 8",
            "UPDATE audit_log SET signed_size = 5, signed_note = 'x'",
            "UPDATE audit_log SET signed_note = 'x'",
            "UPDATE audit_log SET delivered = 2;;UPDATE audit_log SET delivered = 1",
            "UPDATE audit_log SET exported = 2;;UPDATE audit_log SET exported = 1",
            where_trimmed!(trimmed!("b", "content_before = 0")),
            where_trimmed!(trimmed!("b", "personal_data_before = 1")),
            where_trimmed!(
                "UPDATE audit_log SET content_erased = 1;;UPDATE audit_log SET content_erased = 0"
            ),
            where_trimmed!(
                "UPDATE audit_log SET personal_data_erased = 2;;
                UPDATE audit_log SET personal_data_erased = 1"
            ),
            "UPDATE audit_log SET fence = fence - 1",
        ],
    ),
    (
        "audit_log_does_not_grow_while_halted",
        &[
            "UPDATE audit_log SET halted = 'x';;UPDATE audit_log SET size = 9",
            "UPDATE audit_log SET halted = 'x', size = 9;;
            UPDATE audit_log SET signed_size = 9, signed_note = 'x'",
        ],
    ),
    ("audit_log_is_never_deleted", &["DELETE FROM audit_log"]),
    (
        "audit_leaf_is_never_replaced",
        &[
            "INSERT OR REPLACE INTO audit_leaf SELECT * FROM audit_leaf",
            "INSERT OR REPLACE INTO audit_leaf
            SELECT organization_id, position, randomblob(16), commitment, hash, 0 FROM audit_leaf",
            "INSERT OR REPLACE INTO audit_leaf
            SELECT organization_id, position + 99, event_id, commitment, hash, 0 FROM audit_leaf",
        ],
    ),
    (
        "audit_leaf_is_never_updated",
        &[
            "UPDATE audit_leaf SET hash = zeroblob(32)",
            "UPDATE audit_leaf SET position = position + 99",
        ],
    ),
    ("audit_leaf_is_never_deleted", &["DELETE FROM audit_leaf WHERE position = 5"]),
    (
        "audit_stored_hash_is_never_replaced",
        &[where_stored!(
            "INSERT OR REPLACE INTO audit_stored_hash SELECT id, 1, 0, randomblob(32)
            FROM organization"
        )],
    ),
    (
        "audit_stored_hash_is_never_updated",
        &[where_stored!("UPDATE audit_stored_hash SET hash = randomblob(32)")],
    ),
    ("audit_stored_hash_is_never_deleted", &[where_stored!("DELETE FROM audit_stored_hash")]),
    (
        "checkpoint_key_is_never_replaced",
        &["INSERT OR REPLACE INTO checkpoint_key SELECT * FROM checkpoint_key"],
    ),
    ("checkpoint_key_is_never_updated", &["UPDATE checkpoint_key SET private_key = zeroblob(1)"]),
    ("checkpoint_key_is_never_deleted", &["DELETE FROM checkpoint_key"]),
];

/// Each is of a state that a log does not have.
pub(super) const IMPOSSIBLE: &[&str] = &[
    "UPDATE audit_log SET signed_size = size + 1, signed_note = 'x'",
    "UPDATE audit_log SET signed_size = 0, signed_note = 'x' WHERE false;;
    INSERT INTO audit_log (organization_id, signed_note) VALUES (zeroblob(16), 'x')",
    "UPDATE audit_log SET delivered = signed_size + 1",
    "UPDATE audit_log SET exported = signed_size + 1",
    trimmed!("a", "content_before = 99, personal_data_before = 99"),
    trimmed!("a", "content_before = 2, personal_data_before = 1"),
    where_trimmed!("UPDATE audit_log SET content_erased = 2"),
    where_trimmed!("UPDATE audit_log SET personal_data_erased = 3"),
];

#[tokio::test]
async fn a_log_changes_as_it_should() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for sql in [
        where_trimmed!(event_at!("0", no_content!())),
        where_trimmed!(event_at!("1", no_personal_data!())),
        where_trimmed!(concat!(
            event_at!("0", no_personal_data!()),
            ";;",
            event_at!("0", no_content!())
        )),
        where_trimmed!(trimmed!("b", "content_before = 3, personal_data_before = 3")),
        "UPDATE audit_log SET halted = 'x';;UPDATE audit_log SET delivered = 1",
    ] {
        attempt(&mut stranger, None, sql).await.unwrap();
    }
}

const TRIM: Told = Told::of("log", "log.trimmed", "(SELECT hex(id) FROM organization)");

const ACKNOWLEDGE: Told = Told::of("log", "log.acknowledged", "(SELECT hex(id) FROM organization)");

#[tokio::test]
async fn what_may_be_erased_changes_only_under_a_new_event_about_it() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for set in ["content_before = 1, personal_data_before = 1", "personal_data_before = 1"] {
        let trigger = "audit_log_is_trimmed_with_an_event";
        refused_by(trigger, &mut stranger, &format!("UPDATE audit_log SET {set}")).await;
        let update = format!("UPDATE audit_log SET {set}, last_event = x'{EVENT}'");
        let under = |told: &Told| format!("{};;{update}", told.insert(EVENT));
        attempt(&mut stranger, None, &under(&TRIM)).await.unwrap();
        for bad in TRIM.spoiled().iter().chain([&ACKNOWLEDGE]) {
            refused_by(trigger, &mut stranger, &under(bad)).await;
        }
        refused_by(trigger, &mut stranger, &update).await;
    }
}

#[tokio::test]
async fn a_log_that_is_halted_goes_on_only_under_a_new_event_about_it() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    let trigger = "audit_log_goes_on_with_an_event";
    let halt = "UPDATE audit_log SET halted = 'x'";
    for set in ["halted = NULL", "halted = 'y'"] {
        let update = format!("{halt};;UPDATE audit_log SET {set}");
        refused_by(trigger, &mut stranger, &update).await;
    }
    let go_on = format!("{halt};;UPDATE audit_log SET halted = NULL, last_event = x'{EVENT}'");
    let under = |told: &Told| format!("{};;{go_on}", told.insert(EVENT));
    attempt(&mut stranger, None, &under(&ACKNOWLEDGE)).await.unwrap();
    for bad in ACKNOWLEDGE.spoiled().iter().chain([&TRIM]) {
        refused_by(trigger, &mut stranger, &under(bad)).await;
    }
    refused_by(trigger, &mut stranger, &go_on).await;
    // Not even under one does another finding take the first one's place.
    let other = format!(
        "{};;{halt};;UPDATE audit_log SET halted = 'y', last_event = x'{EVENT}'",
        ACKNOWLEDGE.insert(EVENT)
    );
    refused_by(trigger, &mut stranger, &other).await;
}

#[tokio::test]
async fn an_event_permits_one_change_of_a_log() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    let late = "000000000000000000000000000000ef";
    let trim = |before: u8, event: &str| {
        format!("UPDATE audit_log SET personal_data_before = {before}, last_event = x'{event}'")
    };
    let events = [TRIM.insert(EVENT), TRIM.insert(late)].join(";;");
    let twice = [events.clone(), trim(1, EVENT), trim(2, EVENT)].join(";;");
    let earlier = [events.clone(), trim(1, late), trim(2, EVENT)].join(";;");
    for sql in [twice, earlier] {
        refused_by("audit_log_is_trimmed_with_an_event", &mut stranger, &sql).await;
    }
    let each = [events, trim(1, EVENT), trim(2, late)].join(";;");
    attempt(&mut stranger, None, &each).await.unwrap();
}

#[tokio::test]
async fn a_leaf_of_an_event_that_is_not_there_does_not_commit() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    let insert = "INSERT INTO audit_leaf
        SELECT id, 99, zeroblob(16), zeroblob(32), zeroblob(32), 0 FROM organization";
    let error = stranger.execute(insert).await.unwrap_err();
    assert!(error.as_database_error().unwrap().is_foreign_key_violation(), "{error}");
}
