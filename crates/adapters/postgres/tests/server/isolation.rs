//! Row-level security as the second wall: what the server's role sees, whatever statement it runs.

mod catalogue;
mod findings;

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row, types::Uuid};
use tenancy::{Kind, Scope};

use crate::{running::Running, support::Database};

/// Three organizations with rows in every table, the platform first.
async fn three() -> (Database, [Uuid; 3]) {
    let running = Running::fresh().await;
    let scopes = [
        running.fill("first", Kind::Platform).await,
        running.fill("second", Kind::Tenant).await,
        running.fill("third", Kind::Tenant).await,
    ];
    let database = running.close().await;
    database.execute(KEYS).await;
    (database, scopes.map(|scope: Scope| scope.organization().uuid()))
}

const KEYS: &str = "
    INSERT INTO idempotency_key
    SELECT organization_id, id, 'key', sha256('x'), id, 1 FROM agent;
    INSERT INTO audit_stored_hash SELECT id, 1, 0, sha256('x') FROM organization;
    INSERT INTO last_use SELECT organization_id, id, agent_id, 1 FROM credential;
    INSERT INTO single_use SELECT id, sha256('x'), 1 FROM organization";

const RELATIONS: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'I', 'c')
        AND relname <> '_sqlx_migrations'
    ORDER BY relname";

const TABLES: [&str; 19] = [
    "agent",
    "agent_capability",
    "agent_tally",
    "audit_event",
    "audit_leaf",
    "audit_log",
    "audit_pending",
    "audit_stored_hash",
    "change_feed",
    "checkpoint_key",
    "client",
    "client_key",
    "credential",
    "idempotency_key",
    "last_use",
    "organization",
    "revoked_token",
    "signing_key",
    "single_use",
];

async fn relations(database: &Database) -> Vec<String> {
    sqlx::query_scalar(RELATIONS).fetch_all(&mut database.connection().await).await.unwrap()
}

/// How many rows a statement reads or writes; none where it is refused. Nothing of it stays.
async fn touched(
    connection: &mut PgConnection,
    organization: Option<Uuid>,
    sql: &str,
) -> Result<u64, sqlx::Error> {
    connection.execute("BEGIN").await.unwrap();
    if let Some(organization) = organization {
        name(connection, organization).await;
    }
    let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
    connection.execute("ROLLBACK").await.unwrap();
    done.map(|done| done.rows_affected())
}

async fn name(connection: &mut PgConnection, organization: Uuid) {
    let name = format!("SELECT set_config('app.organization', '{organization}', true)");
    connection.execute(AssertSqlSafe(name)).await.unwrap();
}

/// An update that changes nothing and a copy of each row, over all columns that may be written.
async fn writes(database: &Database, table: &str) -> [String; 2] {
    let columns = "SELECT string_agg(attname, ', ') FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' AND attname <> 'transaction'
            AND attname <> 'changed_at'";
    let mut administrator = database.connection().await;
    let columns: String =
        sqlx::query_scalar(columns).bind(table).fetch_one(&mut administrator).await.unwrap();
    let first = columns.split(", ").next().unwrap();
    [
        format!("UPDATE {table} SET {first} = {first}"),
        format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM {table}"),
    ]
}

#[tokio::test]
async fn every_table_is_known_and_has_rows_of_three_organizations() {
    let (database, _) = three().await;
    let relations = relations(&database).await;
    let tables: Vec<_> = relations.iter().filter(|name| !name.ends_with("_seq")).collect();
    assert_eq!(tables, TABLES.iter().collect::<Vec<_>>());
    for table in TABLES {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let rows: i64 =
            sqlx::query_scalar(count).fetch_one(&mut database.connection().await).await.unwrap();
        assert!(rows >= 3, "{table}: {rows}");
    }
}

#[tokio::test]
async fn tn_09_with_no_organization_named_nothing_is_there_and_nothing_can_be_written() {
    let (database, _) = three().await;
    let mut server = database.as_server().await;
    for relation in relations(&database).await {
        // A right to read is not given on everything: either way no row comes.
        let read = touched(&mut server, None, &format!("SELECT * FROM {relation}")).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{relation}: {read:?}");
        let read = touched(&mut server, None, &format!("TABLE {relation}")).await;
        assert!(matches!(read, Ok(0) | Err(_)), "{relation}: {read:?}");
    }
    for table in TABLES {
        for sql in
            writes(&database, table).await.into_iter().chain([format!("DELETE FROM {table}")])
        {
            let written = touched(&mut server, None, &sql).await;
            assert!(matches!(written, Ok(0) | Err(_)), "{sql}: {written:?}");
        }
    }
    for value in ["", " ", "*", "%", "null", "' OR true --", "{}"] {
        let named = "SELECT set_config('app.organization', $1, true)";
        server.execute("BEGIN").await.unwrap();
        sqlx::query(named).bind(value).execute(&mut server).await.unwrap();
        let read = server.execute("SELECT * FROM agent").await;
        assert!(matches!(read.map(|done| done.rows_affected()), Ok(0) | Err(_)), "{value}");
        server.execute("ROLLBACK").await.unwrap();
    }
}

/// The values by which a row of each table belongs to somebody. Keys are the installation's.
fn owner(table: &str) -> Option<&'static str> {
    match table {
        "signing_key" | "checkpoint_key" | "client" | "change_feed" => None,
        "organization" => Some("id"),
        _ => Some("organization_id"),
    }
}

#[tokio::test]
async fn tn_09_a_statement_without_a_condition_sees_one_organization() {
    let (database, organizations) = three().await;
    let mut server = database.as_server().await;
    for organization in organizations {
        for table in TABLES {
            let Some(owner) = owner(table) else { continue };
            server.execute("BEGIN").await.unwrap();
            name(&mut server, organization).await;
            let owners = AssertSqlSafe(format!("SELECT {owner} AS owner FROM {table}"));
            let rows = server.fetch_all(owners).await.unwrap();
            let owners: BTreeSet<Uuid> = rows.iter().map(|row| row.get("owner")).collect();
            assert_eq!(owners, BTreeSet::from([organization]), "{table}");
            server.execute("ROLLBACK").await.unwrap();
        }
        for table in ["client", "change_feed"] {
            let read = touched(&mut server, Some(organization), &format!("TABLE {table}")).await;
            assert_eq!(read.unwrap(), 0, "{table} belongs to whoever names what it looks for");
        }
    }
}

/// Only where the condition is the wall's: updates touch the one row of this organization.
#[tokio::test]
async fn tn_09_a_write_without_a_condition_reaches_one_organization() {
    let (database, [first, ..]) = three().await;
    let mut server = database.as_server().await;
    let keys = touched(&mut server, Some(first), "UPDATE idempotency_key SET expires_at = 2").await;
    assert_eq!(keys.unwrap(), 1);
    let keys = touched(&mut server, Some(first), "DELETE FROM idempotency_key").await;
    assert_eq!(keys.unwrap(), 1);
    for table in ["organization", "agent", "credential", "client_key"] {
        // The triggers refuse it, of the first row that they are shown.
        let update = format!("UPDATE {table} SET revision = 2");
        touched(&mut server, Some(first), &update).await.unwrap_err();
    }
}

/// Each writes a row that says another organization than the one that is named.
const FOREIGN: &[&str] = &[
    "INSERT INTO audit_event (
        id, organization_id, action, outcome, request_id, metadata, occurred_at
    ) VALUES (gen_random_uuid(), '{other}', 'agent.created', 'success', 'r', '{}', 1)",
    "INSERT INTO idempotency_key VALUES ('{other}', gen_random_uuid(), 'k', sha256('x'), gen_random_uuid(), 1)",
    "INSERT INTO client VALUES (gen_random_uuid(), '{other}')",
    "INSERT INTO change_feed (organization_id, resource_kind, resource_id) VALUES ('{other}', 'agent', 'x')",
    "UPDATE idempotency_key SET organization_id = '{other}'",
    "INSERT INTO audit_pending (organization_id, events) VALUES ('{other}', '{}')",
    "INSERT INTO audit_log (organization_id) VALUES ('{other}')",
    "INSERT INTO audit_leaf VALUES ('{other}', 99, gen_random_uuid(), sha256('x'), sha256('x'), false)",
    "INSERT INTO audit_stored_hash VALUES ('{other}', 1, 99, sha256('x'))",
];

#[tokio::test]
async fn tn_09_a_row_that_says_another_organization_is_refused() {
    let (database, [first, second, _]) = three().await;
    let mut server = database.as_server().await;
    for sql in FOREIGN {
        let sql = sql.replace("{other}", &second.to_string());
        let error = touched(&mut server, Some(first), &sql).await.expect_err(&sql);
        let error = error.as_database_error().unwrap();
        assert!(error.message().contains("row-level security"), "{sql}: {error}");
    }
}

const APPEND: &str = "
    SELECT append_events(
        ARRAY[gen_random_uuid()], ARRAY['{one}'::uuid], ARRAY[NULL]::uuid[], ARRAY['access.denied'],
        ARRAY['failure'], ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY['r'], ARRAY[NULL]::text[],
        ARRAY[NULL]::text[], ARRAY[NULL]::uuid[], ARRAY['{}']::json[], ARRAY[1::bigint]
    )";
const INSERT: &str = "
    INSERT INTO audit_event (
        id, organization_id, action, outcome, request_id, metadata, occurred_at
    ) VALUES (gen_random_uuid(), '{one}', 'access.denied', 'failure', 'r', '{}', 1)";

#[tokio::test]
async fn events_are_written_of_the_organizations_that_were_given_and_of_no_other() {
    let (database, [first, second, third]) = three().await;
    let mut server = database.as_server().await;
    let append = APPEND.replace("{one}", &second.to_string());
    assert_eq!(touched(&mut server, None, &append).await.unwrap(), 1);
    for (one, allowed) in [(second, true), (third, false), (first, false)] {
        server.execute("BEGIN").await.unwrap();
        server.execute(AssertSqlSafe(append.clone())).await.unwrap();
        let insert = AssertSqlSafe(INSERT.replace("{one}", &one.to_string()));
        assert_eq!(server.execute(insert).await.is_ok(), allowed);
        server.execute("ROLLBACK").await.unwrap();
    }
    // Nor does it open them to be read, then or afterwards.
    server.execute("BEGIN").await.unwrap();
    server.execute(AssertSqlSafe(append.clone())).await.unwrap();
    assert_eq!(server.execute("TABLE audit_event").await.unwrap().rows_affected(), 0);
    server.execute("COMMIT").await.unwrap();
    let insert = INSERT.replace("{one}", &second.to_string());
    touched(&mut server, None, &insert).await.unwrap_err();
}

/// Which logs wait is known before a sequencer is in any: that, and nothing else.
#[tokio::test]
async fn tn_09_the_sequencer_sees_which_logs_wait_and_changes_none() {
    let (database, organizations) = three().await;
    let mut server = database.as_server().await;
    server.execute("SELECT set_config('app.sequencer', 'on', false)").await.unwrap();
    for table in TABLES {
        let seen = touched(&mut server, None, &format!("TABLE {table}")).await.unwrap();
        let expected = if ["audit_log", "audit_pending"].contains(&table) { 3 } else { 0 };
        assert_eq!(seen, expected, "{table}");
    }
    for named in [None, Some(organizations[0])] {
        let own = u64::from(named.is_some());
        for sql in [
            "UPDATE audit_log SET holder = gen_random_uuid()",
            "SELECT 1 FROM audit_log FOR UPDATE",
        ] {
            assert_eq!(touched(&mut server, named, sql).await.unwrap(), own, "{sql}");
        }
        let organization = organizations[1];
        let insert = format!(
            "INSERT INTO audit_pending (organization_id, events) VALUES ('{organization}', '{{}}')"
        );
        touched(&mut server, named, &insert).await.unwrap_err();
    }
    let deleted = touched(&mut server, None, "DELETE FROM audit_pending").await;
    assert_eq!(deleted.unwrap(), 0);
}

#[tokio::test]
async fn a_lookup_shows_one_row_and_nothing_after_it() {
    let (database, organizations) = three().await;
    let agent = "SELECT id FROM agent WHERE organization_id = $1";
    let agent: Uuid = sqlx::query_scalar(agent)
        .bind(organizations[1])
        .fetch_one(&mut database.connection().await)
        .await
        .unwrap();
    let mut server = database.as_server().await;
    for (lookup, table) in [
        (format!("SELECT organization_of('{agent}')"), "client"),
        ("SELECT platform()".to_owned(), "organization"),
    ] {
        server.execute("BEGIN").await.unwrap();
        let found = server.fetch_one(AssertSqlSafe(lookup.clone())).await.unwrap();
        let expected = if table == "client" { organizations[1] } else { organizations[0] };
        assert_eq!(found.get::<Uuid, _>(0), expected);
        let rows = server.execute(AssertSqlSafe(format!("TABLE {table}"))).await.unwrap();
        assert_eq!(rows.rows_affected(), 1, "{table}: only what was named");
        for other in TABLES.iter().filter(|other| **other != table) {
            let rows = server.execute(AssertSqlSafe(format!("TABLE {other}"))).await.unwrap();
            assert_eq!(rows.rows_affected(), 0, "{other}");
        }
        server.execute("COMMIT").await.unwrap();
        // Outside a transaction a statement is one of its own.
        server.execute(AssertSqlSafe(lookup)).await.unwrap();
        let rows = server.execute(AssertSqlSafe(format!("TABLE {table}"))).await.unwrap();
        assert_eq!(rows.rows_affected(), 0);
    }
    let unknown = format!("SELECT organization_of('{}')", Uuid::max());
    let found = server.fetch_one(AssertSqlSafe(unknown)).await.unwrap();
    assert_eq!(found.get::<Option<Uuid>, _>(0), None);
}
