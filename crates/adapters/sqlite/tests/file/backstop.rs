//! The last wall: what the database itself refuses, by statements that go past the store.

use std::collections::BTreeSet;

use contracts::sample;
use sqlx::{Connection, Executor, SqliteConnection};
use tokens::TokenRevoked;

use crate::database::Database;

/// One of everything, and a token that is revoked for long.
async fn filled() -> Database {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let agent = running.agent(&scope, "one").await.unwrap();
    let machine = &database.machine;
    let credential = sample::credential(machine, &agent, None);
    let credential = running.change(&scope, credential).await.unwrap();
    running.change(&scope, sample::key(machine)).await.unwrap();
    let (organization, id) = (scope.organization(), credential.id());
    let token = sample::verified_token(machine, organization, agent.id(), id).await;
    running.change(&scope, TokenRevoked::of(&token, machine.now())).await.unwrap();
    running.close().await;
    let mut stranger = database.stranger().await;
    in_transaction(&mut stranger, EVENT, REVOCATION).await.unwrap();
    stranger.execute("COMMIT").await.unwrap();
    database
}

const EVENT: &str = "
    INSERT INTO audit_event (
        id, organization_id, action, outcome, request_id, metadata, occurred_at
    )
    SELECT x'00000000000000000000000000000001', id, 'agent.updated', 'success', 'r', '{}', 1
    FROM organization";

/// Of a token that lives until the year 9999.
const REVOCATION: &str = "
    INSERT INTO revoked_token (organization_id, token_id, revoked_at, expires_at, last_event)
    SELECT id, x'00000000000000000000000000000009', 1, 253402300799000000,
        x'00000000000000000000000000000001'
    FROM organization";

const SECOND_EVENT: &str = "
    INSERT INTO audit_event (
        id, organization_id, action, outcome, request_id, metadata, occurred_at
    )
    SELECT x'00000000000000000000000000000002', id, 'agent.updated', 'success', 'r', '{}', 1
    FROM organization";

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

/// A proper update of a table, with what makes it improper.
macro_rules! update {
    ($table:literal, $set:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET ",
            $set,
            ", revision = revision + 1, last_event = x'00000000000000000000000000000002'"
        )
    };
}

/// Each trigger, with statements that it alone refuses. What stands before `;;` only prepares.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "audit_event_is_never_replaced",
        &["INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event"],
    ),
    (
        "audit_event_is_never_updated",
        &["UPDATE audit_event SET metadata = '{}'", "UPDATE audit_event SET outcome = 'failure'"],
    ),
    ("audit_event_is_never_deleted", &["DELETE FROM audit_event"]),
    (
        "organization_is_never_replaced",
        &["INSERT OR REPLACE INTO organization SELECT * FROM organization"],
    ),
    (
        "organization_changes_with_an_event",
        &["UPDATE organization SET plan = 'enterprise', revision = revision + 1"],
    ),
    (
        "organization_revision_rises_by_one",
        &[
            "UPDATE organization SET last_event = x'00000000000000000000000000000002'",
            "UPDATE organization SET last_event = x'00000000000000000000000000000002',
                revision = revision + 2",
        ],
    ),
    (
        "organization_keeps_its_identity",
        &[
            update!("organization", "id = x'000000000000000000000000000000aa'"),
            update!("organization", "kind = 'tenant'"),
            update!("organization", "created_at = 1"),
        ],
    ),
    ("organization_is_never_deleted", &["DELETE FROM organization"]),
    ("agent_is_never_replaced", &["INSERT OR REPLACE INTO agent SELECT * FROM agent"]),
    ("agent_changes_with_an_event", &["UPDATE agent SET roles = '[\"admin\"]', revision = 2"]),
    (
        "agent_revision_rises_by_one",
        &[
            "UPDATE agent SET last_event = x'00000000000000000000000000000002'",
            "UPDATE agent SET last_event = x'00000000000000000000000000000002', revision = 3",
        ],
    ),
    (
        "agent_keeps_its_identity",
        &[
            update!("agent", "id = x'000000000000000000000000000000aa'"),
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
                ";; UPDATE agent SET status = 'active', status_since = NULL, revision = 3,
                    last_event = x'00000000000000000000000000000001'"
            ),
            concat!(
                update!("agent", "status = 'decommissioned', status_since = 1"),
                ";; UPDATE agent SET status = 'suspended', revision = 3,
                    last_event = x'00000000000000000000000000000001'"
            ),
        ],
    ),
    ("agent_is_never_deleted", &["DELETE FROM agent"]),
    (
        "credential_is_never_replaced",
        &["INSERT OR REPLACE INTO credential SELECT * FROM credential"],
    ),
    ("credential_changes_with_an_event", &["UPDATE credential SET name = 'x', revision = 2"]),
    (
        "credential_revision_rises_by_one",
        &["UPDATE credential SET last_event = x'00000000000000000000000000000002'"],
    ),
    (
        "credential_keeps_its_identity",
        &[
            update!("credential", "id = x'000000000000000000000000000000aa'"),
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
                ";; UPDATE credential SET state = 'live', revoked_at = NULL, revision = 3,
                    last_event = x'00000000000000000000000000000001'"
            ),
            concat!(
                update!("credential", "expires_at = 10"),
                ";; UPDATE credential SET expires_at = NULL, revision = 3,
                    last_event = x'00000000000000000000000000000001'"
            ),
        ],
    ),
    ("credential_is_never_deleted", &["DELETE FROM credential"]),
    (
        "signing_key_is_never_replaced",
        &["INSERT OR REPLACE INTO signing_key SELECT * FROM signing_key"],
    ),
    (
        "signing_key_changes_with_an_event",
        &["UPDATE signing_key SET state = 'active', revision = 2"],
    ),
    (
        "signing_key_revision_rises_by_one",
        &["UPDATE signing_key SET last_event = x'00000000000000000000000000000002'"],
    ),
    (
        "signing_key_keeps_its_identity",
        &[
            update!("signing_key", "id = 'x'"),
            update!("signing_key", "public_key = zeroblob(64)"),
            update!("signing_key", "created_at = 1"),
        ],
    ),
    (
        "signing_key_keeps_its_life_cycle",
        &[
            update!("signing_key", "state = 'retiring'"),
            update!("signing_key", "state = 'retired'"),
        ],
    ),
    ("signing_key_is_never_deleted", &["DELETE FROM signing_key"]),
    (
        "revoked_token_is_never_replaced",
        &["INSERT OR REPLACE INTO revoked_token SELECT * FROM revoked_token"],
    ),
    ("revoked_token_is_never_updated", &["UPDATE revoked_token SET expires_at = 1"]),
    ("revoked_token_is_kept_until_expiry", &["DELETE FROM revoked_token"]),
];

/// Triggers that refuse nothing.
const FOLLOWERS: [&str; 2] =
    ["agent_capability_follows_a_registration", "agent_capability_follows_an_update"];

/// What the last statement leads to, the trigger there or not. Nothing of it stays.
async fn attempt(
    connection: &mut SqliteConnection,
    without: Option<&str>,
    sql: &'static str,
) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN").await.unwrap();
    connection.execute(DEFER).await.unwrap();
    connection.execute(SECOND_EVENT).await.unwrap();
    if let Some(trigger) = without {
        let drop = sqlx::AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
        connection.execute(drop).await.unwrap();
    }
    let statements: Vec<_> = sql.split(";;").collect();
    let (last, before) = statements.split_last().unwrap();
    for statement in before {
        connection.execute(*statement).await.unwrap();
    }
    let done = connection.execute(*last).await.map(|_| ());
    connection.execute("ROLLBACK").await.unwrap();
    done
}

#[tokio::test]
async fn each_trigger_refuses_what_nothing_else_would() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for (trigger, statements) in REFUSED {
        for sql in *statements {
            let refused = attempt(&mut stranger, None, sql).await;
            let error = refused.expect_err(&format!("{trigger} let through: {sql}"));
            let code = error.as_database_error().and_then(|error| error.code()).unwrap();
            assert_eq!(code, "1811", "{trigger}: not by a trigger: {error}");
            let passed = attempt(&mut stranger, Some(trigger), sql).await;
            passed.unwrap_or_else(|error| panic!("not {trigger} refuses {sql}: {error}"));
        }
    }
}

#[tokio::test]
async fn every_trigger_of_the_schema_is_tried() {
    let database = filled().await;
    let names = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let names: Vec<String> =
        sqlx::query_scalar(names).fetch_all(&mut database.stranger().await).await.unwrap();
    let tried = REFUSED.iter().map(|(name, _)| *name).chain(FOLLOWERS);
    let tried: BTreeSet<_> = tried.map(str::to_owned).collect();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), tried);
}

const UPDATE: &str = update!("agent", "owner = 'somebody'");
const DANGLING: &str = "
    UPDATE agent
    SET owner = 'somebody', revision = revision + 1,
        last_event = x'000000000000000000000000000000ff'";
const NOTHING: &str = "SELECT 1";

#[tokio::test]
async fn a_change_and_its_event_commit_in_either_order() {
    for (first, second) in [(SECOND_EVENT, UPDATE), (UPDATE, SECOND_EVENT)] {
        let database = filled().await;
        let mut stranger = database.stranger().await;
        in_transaction(&mut stranger, first, second).await.unwrap();
        stranger.execute("COMMIT").await.unwrap();
        assert_eq!(database.number("SELECT revision FROM agent").await, 2);
    }
}

#[tokio::test]
async fn a_change_whose_event_is_not_there_does_not_commit() {
    for change in [DANGLING, UPDATE, REVOCATION_WITHOUT, KEY_WITHOUT, FOREIGN_EVENT] {
        let database = filled().await;
        let mut stranger = database.stranger().await;
        in_transaction(&mut stranger, NOTHING, change).await.unwrap();
        let error = stranger.execute("COMMIT").await.expect_err(change);
        assert!(error.as_database_error().unwrap().is_foreign_key_violation(), "{error}");
        stranger.close().await.unwrap();
        assert_eq!(database.number("SELECT max(revision) FROM agent").await, 1);
    }
}

const REVOCATION_WITHOUT: &str = "
    INSERT INTO revoked_token (organization_id, token_id, revoked_at, expires_at, last_event)
    SELECT id, zeroblob(16), 1, 2, x'000000000000000000000000000000ff' FROM organization";
const KEY_WITHOUT: &str = "
    UPDATE signing_key
    SET state = 'active', revision = 2, last_event = x'000000000000000000000000000000ff'";
/// The event is there, but in another organization's log.
const FOREIGN_EVENT: &str = "
    INSERT INTO agent
    SELECT x'000000000000000000000000000000bb', organization.id, 'b@b.c', 'b@b.c', agent_type,
        version, capabilities, owner, deployment_env, agent.status, agent.status_since,
        decommissioned_at, roles, is_public, metadata, agent.created_at, agent.updated_at,
        agent.tokens_not_before, 1, agent.organization_id
    FROM agent, organization";

#[tokio::test]
async fn a_record_without_any_event_is_refused() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    let insert = "
        INSERT INTO signing_key
        SELECT 'x', algorithm, public_key, private_key, state, state_at, created_at, 1, NULL
        FROM signing_key";
    let error = stranger.execute(insert).await.unwrap_err();
    assert!(error.to_string().contains("NOT NULL"), "{error}");
}

const SAME_EMAIL: &str = "
    INSERT INTO agent
    SELECT x'000000000000000000000000000000bb', organization_id, upper(email), email_folded,
        agent_type, version, capabilities, owner, deployment_env, status, status_since,
        decommissioned_at, roles, is_public, metadata, created_at, updated_at, tokens_not_before, 1,
        x'00000000000000000000000000000002'
    FROM agent";
const SECOND_PLATFORM: &str = "
    INSERT INTO organization
    SELECT x'000000000000000000000000000000bb', name, slug, kind, plan, status, status_since,
        tokens_not_before, created_at, updated_at, 1, x'00000000000000000000000000000002'
    FROM organization";

/// The triggers against `REPLACE` look for the same; the indexes must hold without them.
#[tokio::test]
async fn addresses_and_the_platform_are_unique_by_their_indexes_too() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for (trigger, sql) in [
        ("agent_is_never_replaced", SAME_EMAIL),
        ("organization_is_never_replaced", SECOND_PLATFORM),
    ] {
        let error = attempt(&mut stranger, Some(trigger), sql).await.expect_err(sql);
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{sql}: {error}");
    }
}

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
    for sql in IMPOSSIBLE {
        let error = attempt(&mut stranger, None, sql).await.expect_err(sql);
        assert!(error.as_database_error().unwrap().is_check_violation(), "{sql}: {error}");
    }
}
