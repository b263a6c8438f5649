//! The last wall: what the database itself refuses, by statements that go past the store.

mod client_keys;
mod events;
mod logs;
mod refused;
mod rights;
mod sql;

use std::collections::BTreeSet;

use refused::REFUSED;
use sql::{attempt, event, filled, newest, refused_by, update};
use sqlx::Executor;

/// Triggers that refuse nothing.
const FOLLOWERS: [&str; 3] = ["agent_is_indexed", "agent_is_counted", "agent_is_counted_anew"];

#[tokio::test]
async fn each_trigger_refuses_what_nothing_else_would() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    for (table, trigger, statements) in
        REFUSED.iter().chain(client_keys::REFUSED).chain(logs::REFUSED)
    {
        for sql in *statements {
            refused_by((table, trigger), &mut stranger, sql).await;
        }
    }
}

#[tokio::test]
async fn every_trigger_of_the_schema_is_tried() {
    let database = filled().await;
    let names = "SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal";
    let names: Vec<String> =
        sqlx::query_scalar(names).fetch_all(&mut database.connection().await).await.unwrap();
    let tried = REFUSED
        .iter()
        .chain(client_keys::REFUSED)
        .chain(logs::REFUSED)
        .map(|(_, name, _)| *name)
        .chain(FOLLOWERS)
        .chain(events::TRIGGERS);
    let tried: BTreeSet<_> = tried.map(str::to_owned).collect();
    assert_eq!(names.into_iter().collect::<BTreeSet<_>>(), tried);
}

/// What a table of record has that lacks one of the triggers that each must have.
const UNGUARDED: &str = "
    SELECT relname || ' ' || wanted
    FROM pg_class
    CROSS JOIN unnest(ARRAY['written_under_an_event', 'never_emptied']) AS wanted
    WHERE relnamespace = 'public'::regnamespace
        AND EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'last_event')
        AND relkind = 'r'
        -- How far a log has come changes without an event: which changes need one, its own trigger says.
        AND relname <> 'audit_log'
        AND NOT EXISTS (
            SELECT 1 FROM pg_trigger
            WHERE tgrelid = pg_class.oid AND tgname = relname || '_is_' || wanted AND tgenabled = 'O'
        )";

#[tokio::test]
async fn every_table_of_record_asks_for_an_event_and_cannot_be_emptied() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    let unguarded: Vec<String> =
        sqlx::query_scalar(UNGUARDED).fetch_all(&mut stranger).await.unwrap();
    assert_eq!(unguarded, [""; 0]);
    // The check looks where it should.
    stranger.execute("CREATE TABLE novelty (last_event uuid)").await.unwrap();
    let unguarded: Vec<String> =
        sqlx::query_scalar(UNGUARDED).fetch_all(&mut stranger).await.unwrap();
    assert_eq!(unguarded.len(), 2);
}

const UPDATE: &str = update!("agent", "owner = 'somebody'");

#[tokio::test]
async fn a_change_commits_under_an_event_that_came_before_it_and_not_after() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    stranger.execute("BEGIN").await.unwrap();
    stranger.execute(UPDATE).await.unwrap_err();
    stranger.execute("ROLLBACK; BEGIN").await.unwrap();
    stranger.execute(event!("agent")).await.unwrap();
    stranger.execute(UPDATE).await.unwrap();
    stranger.execute("COMMIT").await.unwrap();
    assert_eq!(database.number("SELECT revision FROM agent").await, 2);
}

/// What the foreign keys hold by themselves.
#[tokio::test]
async fn a_change_whose_event_is_not_there_does_not_commit() {
    let database = filled().await;
    for (table, trigger, change) in [
        ("agent", "agent_is_written_under_an_event", DANGLING),
        ("agent", "agent_is_written_under_an_event", OF_ANOTHER_LOG),
        ("credential", "credential_is_written_under_an_event", CREDENTIAL_WITHOUT),
        ("organization", "organization_is_written_under_an_event", ORGANIZATION_WITHOUT),
        ("revoked_token", "revoked_token_is_written_under_an_event", REVOCATION_WITHOUT),
        ("signing_key", "signing_key_is_written_under_an_event", KEY_WITHOUT),
        ("audit_event", "audit_event_is_never_deleted", "DELETE FROM audit_event"),
    ] {
        let mut stranger = database.connection().await;
        let drop = sqlx::AssertSqlSafe(format!("BEGIN; DROP TRIGGER {trigger} ON {table}"));
        stranger.execute(drop).await.unwrap();
        // A key that is not deferred refuses the statement, any other the commit.
        let done = stranger.execute(change).await.map(|_| ());
        let error = match done {
            Ok(()) => stranger.execute("COMMIT").await.expect_err(change),
            Err(error) => error,
        };
        assert!(error.as_database_error().unwrap().is_foreign_key_violation(), "{error}");
        stranger.execute("ROLLBACK").await.unwrap();
        assert_eq!(database.number("SELECT max(revision) FROM agent").await, 1);
    }
}

const DANGLING: &str = "
    UPDATE agent SET owner = 'somebody', revision = revision + 1, last_event = gen_random_uuid()";
/// The event is there, but in the log of an organization that is none.
const OF_ANOTHER_LOG: &str = "
    WITH written AS (
        INSERT INTO audit_event (
            id, organization_id, action, outcome, request_id, metadata, occurred_at
        ) VALUES (gen_random_uuid(), gen_random_uuid(), 'agent.updated', 'success', 'r', '{}', 1)
        RETURNING id
    )
    UPDATE agent SET revision = revision + 1, last_event = written.id FROM written";
const CREDENTIAL_WITHOUT: &str = "
    UPDATE credential SET revision = revision + 1, last_event = gen_random_uuid()";
const ORGANIZATION_WITHOUT: &str = "
    UPDATE organization SET revision = revision + 1, last_event = gen_random_uuid()";
const REVOCATION_WITHOUT: &str = "
    INSERT INTO revoked_token (organization_id, token_id, revoked_at, expires_at, last_event)
    SELECT id, gen_random_uuid(), 1, 2, gen_random_uuid() FROM organization";
const KEY_WITHOUT: &str = "
    UPDATE signing_key SET state = 'active', revision = 2, last_event = gen_random_uuid()";

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
    update!("agent", "capabilities = '{}'"),
    update!("agent", "metadata = '[]'"),
    update!("agent", "deployment_env = 'moon'"),
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
    let mut stranger = database.connection().await;
    for sql in IMPOSSIBLE.iter().chain(client_keys::IMPOSSIBLE) {
        let error = attempt(&mut stranger, None, sql).await.expect_err(sql);
        let error = error.as_database_error().unwrap();
        // A step that no life cycle has is refused before a state that cannot be.
        assert!(error.is_check_violation() || error.code().unwrap() == "23000", "{sql}: {error}");
    }
}

#[tokio::test]
async fn the_capabilities_of_the_list_follow_the_record() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    stranger.execute(event!("agent")).await.unwrap();
    let update = update!("agent", "capabilities = '{vault:open, tool-1_x:*}'");
    stranger.execute(update).await.unwrap();
    let held = "SELECT capability FROM agent_capability ORDER BY capability";
    let held: Vec<String> = sqlx::query_scalar(held).fetch_all(&mut stranger).await.unwrap();
    assert_eq!(held, ["tool-1_x:*", "vault:open"]);
}
