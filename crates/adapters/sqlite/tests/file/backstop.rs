//! The last wall: what the database itself refuses, by statements that go past the store.

mod client_keys;
mod events;
mod logs;

use std::collections::BTreeSet;

use contracts::sample::{self, Sequencer};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

use crate::database::Database;

/// One of everything, with its place in a log that is signed, and a token that is revoked for long and
/// waits for its place.
async fn filled() -> Database {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let agent = running.agent(&scope, "one").await.unwrap();
    let machine = &database.machine;
    let credential = sample::passing_credential(machine, &agent);
    let credential = running.change(&scope, credential).await.unwrap();
    running.change(&scope, sample::client_key(machine, &agent)).await.unwrap();
    running.change(&scope, sample::key(machine)).await.unwrap();
    let (organization, id) = (scope.organization(), credential.id());
    let token = sample::verified_token(machine, organization, agent.id(), id).await;
    running.change(&scope, sample::revoked(&token, machine.now())).await.unwrap();
    running.change(&scope, sample::checkpoint_key(machine)).await.unwrap();
    Sequencer::default().run(&running.store, organization).await;
    running.close().await;
    let mut stranger = database.stranger().await;
    in_transaction(&mut stranger, EVENT, REVOCATION).await.unwrap();
    stranger.execute("COMMIT").await.unwrap();
    database
}

const EVENT: &str = "
    INSERT INTO audit_event (
        id, organization_id, action, outcome, resource_kind, resource_id, request_id, metadata,
        occurred_at, salt
    )
    SELECT x'00000000000000000000000000000001', id, 'token.revoked', 'success', 'token',
        '00000000-0000-0000-0000-000000000009', 'r', '{}', 1, zeroblob(32)
    FROM organization";

/// Of a token that lives until the year 9999.
const REVOCATION: &str = "
    INSERT INTO revoked_token (organization_id, token_id, revoked_at, expires_at, last_event)
    SELECT id, x'00000000000000000000000000000009', 1, 253402300799000000,
        x'00000000000000000000000000000001'
    FROM organization";

/// A use that is remembered until the year 9999.
macro_rules! single_use {
    () => {
        "INSERT INTO single_use SELECT id, zeroblob(32), 253402300799000000 FROM organization"
    };
}

/// An event that permits one more update of the table's only row.
macro_rules! event {
    ("organization") => {
        event!("organization", ".suspended", "id", "hex(id)")
    };
    ("agent") => {
        event!("agent", ".updated", "organization_id", "hex(id)")
    };
    ("credential") => {
        event!("credential", ".revoked", "organization_id", "hex(id)")
    };
    ("signing_key") => {
        event!("signing_key", ".activated", "(SELECT id FROM organization)", "id")
    };
    ($table:literal, $verb:literal, $organization:literal, $resource:literal) => {
        concat!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at, salt)
            SELECT randomblob(16), ",
            $organization,
            ", '",
            $table,
            $verb,
            "', 'success', '",
            $table,
            "', ",
            $resource,
            ", 'r', '{}', 1, zeroblob(32) FROM ",
            $table
        )
    };
}

const NEW_EVENTS: [&str; 5] = [
    event!("organization"),
    event!("agent"),
    event!("credential"),
    client_keys::EVENT,
    event!("signing_key"),
];

const DEFER: &str = "PRAGMA defer_foreign_keys = ON";

/// Runs both inside a transaction that stays open. References are put off to its end, so that
/// nothing but a trigger can refuse a statement.
async fn in_transaction(
    connection: &mut SqliteConnection,
    first: &'static str,
    second: &'static str,
) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN").await?;
    connection.execute(DEFER).await?;
    connection.execute(first).await?;
    connection.execute(second).await.map(|_| ())
}

/// A proper update of a table, under its newest event, with what makes it improper.
macro_rules! update {
    ($table:literal, $set:literal) => {
        concat!("UPDATE ", $table, " SET ", $set, ", revision = revision + 1, ", newest!($table))
    };
}

/// Names the newest event that there is of the table.
macro_rules! newest {
    ($table:literal) => {
        concat!(
            "last_event = (
                SELECT id FROM audit_event WHERE resource_kind = '",
            $table,
            "' ORDER BY position DESC LIMIT 1
            )"
        )
    };
}

/// Each trigger, with statements that it alone refuses. What stands before `;;` only prepares.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "audit_event_is_never_replaced",
        &["INSERT OR REPLACE INTO audit_event (
                id, organization_id, action, outcome, request_id, metadata, occurred_at, salt
            )
            SELECT id, organization_id, action, outcome, request_id, '{}', 1, zeroblob(32)
            FROM audit_event"],
    ),
    (
        "audit_event_takes_the_next_position",
        &[
            "INSERT OR REPLACE INTO audit_event (
                position, id, organization_id, action, outcome, request_id, metadata, occurred_at,
                salt
            )
            SELECT position, randomblob(16), organization_id, action, outcome, 'r', '{}', 1,
                zeroblob(32)
            FROM audit_event WHERE id IN (SELECT event_id FROM audit_leaf)",
            "INSERT INTO audit_event (
                position, id, organization_id, action, outcome, request_id, metadata, occurred_at,
                salt
            )
            SELECT 9223372036854775807, randomblob(16), id, 'agent.created', 'success', 'r', '{}', 1,
                zeroblob(32)
            FROM organization",
        ],
    ),
    ("audit_event_is_never_deleted", &["DELETE FROM audit_event"]),
    (
        "organization_is_never_replaced",
        &["INSERT OR REPLACE INTO organization SELECT * FROM organization"],
    ),
    (
        "organization_revision_rises_by_one",
        &[
            concat!("UPDATE organization SET ", newest!("organization")),
            concat!("UPDATE organization SET revision = revision + 2, ", newest!("organization")),
        ],
    ),
    (
        "organization_keeps_its_identity",
        &[
            update!("organization", "id = x'000000000000000000000000000000aa'"),
            update!("organization", "rowid = rowid + 1"),
            update!("organization", "kind = 'tenant'"),
            update!("organization", "created_at = 1"),
        ],
    ),
    ("organization_is_never_deleted", &["DELETE FROM organization"]),
    ("agent_is_never_replaced", &["INSERT OR REPLACE INTO agent SELECT * FROM agent"]),
    (
        "agent_revision_rises_by_one",
        &[
            concat!("UPDATE agent SET ", newest!("agent")),
            concat!("UPDATE agent SET revision = 3, ", newest!("agent")),
        ],
    ),
    (
        "agent_keeps_its_identity",
        &[
            update!("agent", "id = x'000000000000000000000000000000aa'"),
            update!("agent", "rowid = rowid + 1"),
            update!("agent", "organization_id = x'000000000000000000000000000000aa'"),
            update!("agent", "email = 'a@b.c', email_folded = 'a@b.c'"),
            update!("agent", "created_at = 1"),
        ],
    ),
    (
        "agent_keeps_its_life_cycle",
        &[
            update!("agent", "status = 'archived', status_since = 1, decommissioned_at = 1"),
            concat!(
                update!("agent", "status = 'revoked', status_since = 1"),
                ";;",
                event!("agent"),
                ";;",
                update!("agent", "status = 'active', status_since = NULL")
            ),
            concat!(
                update!("agent", "status = 'decommissioned', status_since = 1"),
                ";;",
                event!("agent"),
                ";;",
                update!("agent", "status = 'suspended'")
            ),
        ],
    ),
    ("agent_is_never_deleted", &["DELETE FROM agent"]),
    (
        "agent_capability_is_held",
        &[
            "INSERT INTO agent_capability SELECT organization_id, 'vault:open', id FROM agent",
            "INSERT INTO agent_capability
            SELECT organization_id, capability, zeroblob(16) FROM agent_capability",
            "INSERT INTO agent_capability
            SELECT zeroblob(16), capability, agent_id FROM agent_capability",
        ],
    ),
    ("agent_capability_is_kept_while_held", &["DELETE FROM agent_capability"]),
    (
        "agent_capability_is_never_updated",
        &["UPDATE agent_capability SET capability = 'vault:' || capability"],
    ),
    (
        "agent_tally_begins_with_nothing",
        &[
            "INSERT INTO agent_tally VALUES (zeroblob(16), 1, 0)",
            "INSERT INTO agent_tally VALUES (zeroblob(16), 1, 1)",
            "REPLACE INTO agent_tally SELECT organization_id, 0, 0 FROM agent_tally",
        ],
    ),
    (
        "agent_tally_goes_by_one",
        &[
            "UPDATE agent_tally SET listed = listed + 2",
            concat!(
                "UPDATE agent_tally SET listed = listed + 1",
                ";;",
                "UPDATE agent_tally SET listed = listed + 1, in_use = in_use + 2"
            ),
            "UPDATE agent_tally SET organization_id = zeroblob(16)",
        ],
    ),
    ("agent_tally_is_never_deleted", &["DELETE FROM agent_tally"]),
    (
        "credential_is_never_replaced",
        &[concat!(
            client_keys::removed!(),
            ";;INSERT OR REPLACE INTO credential SELECT * FROM credential"
        )],
    ),
    (
        "credential_revision_rises_by_one",
        &[concat!("UPDATE credential SET ", newest!("credential"))],
    ),
    (
        "credential_keeps_its_identity",
        &[
            update!("credential", "id = x'000000000000000000000000000000aa'"),
            update!("credential", "rowid = rowid + 1"),
            update!("credential", "organization_id = x'000000000000000000000000000000aa'"),
            update!("credential", "agent_id = x'000000000000000000000000000000aa'"),
            update!("credential", "hash = zeroblob(32)"),
            update!("credential", "pepper_version = 9"),
            update!("credential", "created_at = 1"),
        ],
    ),
    (
        "credential_keeps_its_life_cycle",
        &[
            concat!(
                update!("credential", "state = 'revoked', revoked_at = 1"),
                ";;",
                event!("credential"),
                ";;",
                update!("credential", "state = 'live', revoked_at = NULL")
            ),
            concat!(
                update!("credential", "expires_at = 10"),
                ";;",
                event!("credential"),
                ";;",
                update!("credential", "expires_at = NULL")
            ),
        ],
    ),
    ("credential_is_never_deleted", &["DELETE FROM credential"]),
    (
        "signing_key_is_never_replaced",
        &["INSERT OR REPLACE INTO signing_key SELECT * FROM signing_key"],
    ),
    (
        "signing_key_revision_rises_by_one",
        &[concat!("UPDATE signing_key SET ", newest!("signing_key"))],
    ),
    (
        "signing_key_keeps_its_identity",
        &[
            update!("signing_key", "id = 'x'"),
            update!("signing_key", "rowid = rowid + 1"),
            update!("signing_key", "public_key = zeroblob(64)"),
            update!("signing_key", "created_at = 1"),
        ],
    ),
    (
        "signing_key_keeps_its_life_cycle",
        &[
            update!("signing_key", "state = 'retiring'"),
            concat!(
                update!("signing_key", "state = 'active'"),
                ";;",
                event!("signing_key"),
                ";;",
                update!("signing_key", "state = 'retired'")
            ),
            concat!(
                update!("signing_key", "state = 'compromised'"),
                ";;",
                event!("signing_key"),
                ";;",
                update!("signing_key", "state = 'active'")
            ),
        ],
    ),
    ("signing_key_is_never_deleted", &["DELETE FROM signing_key"]),
    (
        "revoked_token_is_never_replaced",
        &["INSERT OR REPLACE INTO revoked_token SELECT * FROM revoked_token"],
    ),
    ("revoked_token_is_never_updated", &["UPDATE revoked_token SET expires_at = 1"]),
    ("revoked_token_is_kept_until_expiry", &["DELETE FROM revoked_token"]),
    (
        "single_use_is_never_replaced",
        &[concat!(single_use!(), ";;INSERT OR REPLACE INTO single_use SELECT * FROM single_use")],
    ),
    (
        "single_use_is_never_updated",
        &[concat!(single_use!(), ";;UPDATE single_use SET expires_at = 1")],
    ),
    ("single_use_is_kept_until_expiry", &[concat!(single_use!(), ";;DELETE FROM single_use")]),
];

/// Triggers that refuse nothing.
const FOLLOWERS: [&str; 5] = [
    "agent_capability_follows_a_registration",
    "agent_capability_follows_an_update",
    "agent_tally_follows_a_registration",
    "agent_tally_follows_an_update",
    "audit_event_waits_for_its_place",
];

/// What the last statement leads to, the trigger there or not. Nothing of it stays.
async fn attempt(
    connection: &mut SqliteConnection,
    without: Option<&str>,
    sql: &str,
) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN").await.unwrap();
    connection.execute(DEFER).await.unwrap();
    for event in NEW_EVENTS {
        connection.execute(event).await.unwrap();
    }
    if let Some(trigger) = without {
        let drop = AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
        connection.execute(drop).await.unwrap();
    }
    let statements: Vec<_> = sql.split(";;").collect();
    let (last, before) = statements.split_last().unwrap();
    for statement in before {
        connection.execute(AssertSqlSafe((*statement).to_owned())).await.unwrap();
    }
    let done = connection.execute(AssertSqlSafe((*last).to_owned())).await.map(|_| ());
    connection.execute("ROLLBACK").await.unwrap();
    done
}

#[tokio::test]
async fn each_trigger_refuses_what_nothing_else_would() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for (trigger, statements) in REFUSED.iter().chain(client_keys::REFUSED).chain(logs::REFUSED) {
        for sql in *statements {
            refused_by(trigger, &mut stranger, sql).await;
        }
    }
}

/// The trigger refuses the last statement, and nothing else does.
async fn refused_by(trigger: &str, connection: &mut SqliteConnection, sql: &str) {
    let refused = attempt(connection, None, sql).await;
    assert!(refused.is_err(), "{trigger} let through: {sql}");
    let error = refused.unwrap_err();
    let code = error.as_database_error().and_then(|error| error.code()).unwrap();
    assert_eq!(code, "1811", "{trigger}: not by a trigger: {error}");
    let passed = attempt(connection, Some(trigger), sql).await;
    assert!(passed.is_ok(), "not {trigger} refuses {sql}: {passed:?}");
}

#[tokio::test]
async fn every_trigger_of_the_schema_is_tried() {
    let database = filled().await;
    let names = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let names: Vec<String> =
        sqlx::query_scalar(names).fetch_all(&mut database.stranger().await).await.unwrap();
    let tried = REFUSED.iter().chain(client_keys::REFUSED).chain(logs::REFUSED);
    let tried = tried.map(|(name, _)| *name);
    let tried = tried.chain(FOLLOWERS).chain(events::TRIGGERS).chain(logs::TRIGGERS);
    let tried: BTreeSet<_> = tried.map(str::to_owned).collect();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), tried);
}

const UPDATE: &str = update!("agent", "owner = 'somebody'");

#[tokio::test]
async fn a_change_commits_under_an_event_that_came_before_it_and_not_after() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    in_transaction(&mut stranger, UPDATE, event!("agent")).await.unwrap_err();
    stranger.execute("ROLLBACK").await.unwrap();
    in_transaction(&mut stranger, event!("agent"), UPDATE).await.unwrap();
    stranger.execute("COMMIT").await.unwrap();
    assert_eq!(database.number("SELECT revision FROM agent").await, 2);
}

/// What the foreign keys hold by themselves.
#[tokio::test]
async fn a_change_whose_event_is_not_there_does_not_commit() {
    for (trigger, change) in [
        ("DROP TRIGGER agent_changes_with_an_event", DANGLING),
        ("DROP TRIGGER agent_changes_with_an_event", OF_ANOTHER_LOG),
        ("DROP TRIGGER revoked_token_begins_with_an_event", REVOCATION_WITHOUT),
        ("DROP TRIGGER signing_key_changes_with_an_event", KEY_WITHOUT),
        ("DROP TRIGGER audit_event_is_never_deleted", "DELETE FROM audit_event"),
    ] {
        let database = filled().await;
        let mut stranger = database.stranger().await;
        in_transaction(&mut stranger, trigger, change).await.unwrap();
        let error = stranger.execute("COMMIT").await.expect_err(change);
        assert!(error.as_database_error().unwrap().is_foreign_key_violation(), "{error}");
        stranger.close().await.unwrap();
        assert_eq!(database.number("SELECT max(revision) FROM agent").await, 1);
    }
}

const DANGLING: &str = "
    UPDATE agent
    SET owner = 'somebody', revision = revision + 1,
        last_event = x'000000000000000000000000000000ff'";
/// The event is there, but in the log of an organization that is none.
const OF_ANOTHER_LOG: &str = "
    INSERT INTO audit_event (
        id, organization_id, action, outcome, request_id, metadata, occurred_at, salt
    ) VALUES (zeroblob(16), zeroblob(16), 'agent.updated', 'success', 'r', '{}', 1, zeroblob(32));
    UPDATE agent SET revision = revision + 1, last_event = zeroblob(16)";
const REVOCATION_WITHOUT: &str = "
    INSERT INTO revoked_token (organization_id, token_id, revoked_at, expires_at, last_event)
    SELECT id, zeroblob(16), 1, 2, x'000000000000000000000000000000ff' FROM organization";
const KEY_WITHOUT: &str = "
    UPDATE signing_key
    SET state = 'active', revision = 2, last_event = x'000000000000000000000000000000ff'";

/// Each is of a state that the types do not have.
const IMPOSSIBLE: &[&str] = &[
    update!("organization", "status = 'closed'"),
    update!("organization", "status = 'suspended'"),
    update!("organization", "status_since = 1"),
    update!("organization", "plan = 'gold'"),
    update!("agent", "status = 'asleep'"),
    update!("agent", "status = 'suspended'"),
    update!("agent", "status_since = 1"),
    update!("agent", "decommissioned_at = 1"),
    update!("agent", "capabilities = '[]'"),
    update!("agent", "roles = '{}'"),
    update!("agent", "metadata = '[]'"),
    update!("agent", "deployment_env = 'moon'"),
    update!("agent", "is_public = 2"),
    update!("agent", "email_folded = 'Not@Folded'"),
    update!("credential", "state = 'asleep'"),
    update!("credential", "state = 'superseded'"),
    update!("credential", "state = 'revoked'"),
    update!("credential", "revoked_at = 1"),
    update!("credential", "superseded_by = id"),
];

#[tokio::test]
async fn a_state_that_cannot_be_is_refused() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for sql in IMPOSSIBLE.iter().chain(client_keys::IMPOSSIBLE).chain(logs::IMPOSSIBLE) {
        let error = attempt(&mut stranger, None, sql).await.expect_err(sql);
        assert!(error.as_database_error().unwrap().is_check_violation(), "{sql}: {error}");
    }
}

#[tokio::test]
async fn the_capabilities_of_the_list_follow_the_record() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    stranger.execute(event!("agent")).await.unwrap();
    let update = update!("agent", r#"capabilities = '["vault:open","tool-1_x:*"]'"#);
    stranger.execute(update).await.unwrap();
    let held = "SELECT capability FROM agent_capability ORDER BY capability";
    let held: Vec<String> = sqlx::query_scalar(held).fetch_all(&mut stranger).await.unwrap();
    assert_eq!(held, ["tool-1_x:*", "vault:open"]);
}
