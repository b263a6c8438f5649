//! What the role of the server has no right to, whatever statement it finds.

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::sql::{event, filled};

const PERMISSION_DENIED: &str = "42501";

/// Tries a statement in a transaction of the organization that there is; nothing of it stays.
async fn code(connection: &mut PgConnection, organization: &str, sql: &str) -> Option<String> {
    let begin = format!("BEGIN; SELECT set_config('app.organization', '{organization}', true)");
    connection.execute(AssertSqlSafe(begin)).await.unwrap();
    let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
    connection.execute("ROLLBACK").await.unwrap();
    let error = done.err()?;
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

const RECORDS: [&str; 11] = [
    "audit_event",
    "organization",
    "agent",
    "credential",
    "client_key",
    "signing_key",
    "audit_log",
    "audit_leaf",
    "audit_stored_hash",
    "checkpoint_key",
    "last_use",
];

const DENIED: &[&str] = &[
    "UPDATE audit_event SET metadata = '{}'",
    "UPDATE audit_event SET occurred_at = 1",
    "UPDATE audit_event SET salt = NULL, address = NULL, user_agent = NULL",
    "INSERT INTO audit_event (id, organization_id, action, outcome, request_id, metadata, occurred_at, erased_at)
    VALUES (gen_random_uuid(), current_organization(), 'x', 'success', 'r', '{}', 1, 1)",
    "UPDATE audit_leaf SET hash = commitment",
    "SELECT 1 FROM audit_leaf FOR UPDATE",
    "UPDATE audit_stored_hash SET hash = sha256('x')",
    "UPDATE checkpoint_key SET public_key = sha256('x')",
    "UPDATE audit_pending SET events = '{}'",
    "TRUNCATE audit_pending",
    "INSERT INTO audit_pending (number, organization_id, events) OVERRIDING SYSTEM VALUE
    VALUES (1, current_organization(), '{}')",
    "INSERT INTO audit_log (organization_id, size) VALUES (gen_random_uuid(), 5)",
    "UPDATE audit_log SET organization_id = gen_random_uuid()",
    "UPDATE audit_log SET content_erased = 1",
    "UPDATE last_use SET used_at = 1",
    "INSERT INTO last_use VALUES (current_organization(), gen_random_uuid(), gen_random_uuid(), 1)",
    "ALTER TABLE audit_leaf DISABLE TRIGGER ALL",
    "ALTER TABLE audit_log DISABLE TRIGGER audit_log_only_grows",
    "DROP TRIGGER audit_event_is_only_erased ON audit_event",
    "UPDATE client SET organization_id = organization_id",
    "DELETE FROM client",
    "UPDATE change_feed SET resource_id = 'x'",
    "SELECT 1 FROM audit_event FOR UPDATE",
    "UPDATE _sqlx_migrations SET success = false",
    "DELETE FROM _sqlx_migrations",
    "TRUNCATE agent_capability",
    "TRUNCATE agent_tally",
    "DELETE FROM agent_tally",
    "TRUNCATE revoked_token",
    "TRUNCATE single_use",
    "UPDATE single_use SET expires_at = 1",
    "TRUNCATE change_feed",
    // A place in the log of its own choice, which would stop what is written after it.
    "INSERT INTO audit_event (
        position, id, organization_id, action, outcome, request_id, metadata, occurred_at
    ) OVERRIDING SYSTEM VALUE
    VALUES (9223372036854775807, gen_random_uuid(), current_organization(), 'x', 'success', 'r', '{}', 1)",
    "INSERT INTO change_feed (transaction, organization_id, resource_kind, resource_id)
    VALUES ('1', current_organization(), 'agent', 'x')",
    "SELECT setval('audit_event_position_seq', 1)",
    "SELECT nextval('audit_event_position_seq')",
    "CREATE TABLE mine (id int)",
    "CREATE TEMPORARY TABLE agent (id int)",
    "CREATE SCHEMA mine",
    "CREATE VIEW mine AS SELECT * FROM agent",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "ALTER TABLE agent ADD COLUMN mine int",
    "ALTER TABLE agent DISABLE TRIGGER ALL",
    "ALTER TABLE audit_event DISABLE TRIGGER audit_event_is_only_erased",
    "ALTER TABLE agent DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE agent NO FORCE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON agent USING (true)",
    "DROP POLICY one_organization ON agent",
    "DROP TABLE agent",
    "DROP TRIGGER agent_is_never_deleted ON agent",
    "CREATE TRIGGER mine BEFORE INSERT ON agent EXECUTE FUNCTION refuse('no')",
    "CREATE RULE mine AS ON INSERT TO agent DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "CREATE ROLE mine",
    "COPY agent TO PROGRAM 'cat'",
    "COPY agent FROM '/dev/null'",
    "SELECT pg_read_file('PG_VERSION')",
];

#[tokio::test]
async fn au_08_the_server_has_no_right_to_change_the_past_or_the_schema() {
    let database = filled().await;
    let organization = "SELECT id::text FROM organization";
    let organization: String =
        sqlx::query_scalar(organization).fetch_one(&mut database.connection().await).await.unwrap();
    let mut server = database.as_server().await;
    let removals = RECORDS
        .iter()
        .flat_map(|table| [format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")]);
    let denied = removals.chain(DENIED.iter().map(|sql| (*sql).to_owned()));
    for sql in denied {
        let code = code(&mut server, &organization, &sql).await;
        assert_eq!(code.as_deref(), Some(PERMISSION_DENIED), "{sql}");
    }
}

/// The role that erases, which the server may take: it changes what is erased of an event, and of a log
/// how far it is. That alone; and no earlier than an event says, which the trigger holds.
#[tokio::test]
async fn au_08_whoever_erases_has_no_right_to_anything_else() {
    let database = filled().await;
    let organization = "SELECT id::text FROM organization";
    let organization: String =
        sqlx::query_scalar(organization).fetch_one(&mut database.connection().await).await.unwrap();
    let mut server = database.as_server().await;
    let removals = RECORDS
        .iter()
        .flat_map(|table| [format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")]);
    let others = [
        "UPDATE audit_event SET id = gen_random_uuid()",
        "UPDATE audit_event SET organization_id = gen_random_uuid()",
        "UPDATE audit_event SET position = DEFAULT",
        event!("agent"),
        "UPDATE agent SET owner = 'x'",
        "TABLE agent",
        "SELECT hash FROM credential",
        "SELECT public_key FROM client_key",
        "TABLE signing_key",
        "TABLE checkpoint_key",
        "UPDATE audit_leaf SET hash = commitment",
        "UPDATE audit_log SET content_before = 1",
        "UPDATE audit_log SET size = 1",
        "UPDATE audit_log SET last_event = NULL",
        "ALTER TABLE audit_event DISABLE TRIGGER ALL",
        "CREATE TABLE mine (id int)",
    ];
    for sql in removals.chain(others.map(str::to_owned)) {
        let sql = format!("SET LOCAL ROLE idp_eraser; {sql}");
        let code = code(&mut server, &organization, &sql).await;
        assert_eq!(code.as_deref(), Some(PERMISSION_DENIED), "{sql}");
    }
    let early = "SET LOCAL ROLE idp_eraser;
        UPDATE audit_event SET salt = NULL, address = NULL, user_agent = NULL";
    assert_eq!(code(&mut server, &organization, early).await.as_deref(), Some("23000"));
}

/// Else nothing above proves anything.
#[tokio::test]
async fn the_server_has_the_rights_that_it_needs() {
    let database = filled().await;
    let organization = "SELECT id::text FROM organization";
    let organization: String =
        sqlx::query_scalar(organization).fetch_one(&mut database.connection().await).await.unwrap();
    let mut server = database.as_server().await;
    for sql in [
        "SELECT * FROM audit_event",
        event!("agent"),
        "UPDATE agent SET owner = 'x' WHERE false",
        "DELETE FROM revoked_token WHERE expires_at < 0",
    ] {
        assert_eq!(code(&mut server, &organization, sql).await, None, "{sql}");
    }
}
