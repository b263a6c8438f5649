//! The plans of the statements, as the server's role sees them: each filter of a list and each hot
//! read is served by its index, in the order of the page, with row-level security in force.
//!
//! A condition that the database may not trust with foreign rows is tried after the policy, and then
//! no index serves it.

use audit::{Action, EventFilter, Outcome, Tile};
use kernel::{
    AgentId, CredentialId, EventId, Limit, OrganizationId, PageRequest, Start, Timestamp,
};
use registry::{AgentFilter, StatusName};
use sqlx::{AssertSqlSafe, ConnectOptions, Execute, Executor, PgConnection, Row, types::Uuid};

use crate::{
    agents, audit_log, client_keys, credentials_port, erase, feed, log_changes, log_reader, logs,
    organizations, revocations, session::Statement, statement::assembled, support::Database, turn,
};

/// A little of everything in a few organizations: what a plan depends on is which indexes there are.
/// Nothing refers to anything, and no trigger asks for an event.
const FILL: &str = "
    SET session_replication_role = replica;
    CREATE FUNCTION id_of(kind text, number int) RETURNS uuid LANGUAGE sql IMMUTABLE
        RETURN md5(kind || number)::uuid;
    INSERT INTO organization
    SELECT id_of('o', n), 'x', 'x' || n, 'tenant', 'pro', 'active', NULL, NULL, 1, 1, 1, id_of('e', n)
    FROM generate_series(1, 20) AS n;
    INSERT INTO agent
    SELECT id_of('a', n), id_of('o', n % 20), n || '@x', n || '@x', (ARRAY['custom', 'router'])[1 + n % 2],
        '1', ARRAY['a:b', 'c:d'], 'owner' || n % 50,
        (ARRAY['staging', 'production', 'development'])[1 + n % 3], 'active', NULL, NULL, ARRAY['reader'],
        true, '{}', 1, 1, NULL, 1, id_of('e', n)
    FROM generate_series(1, 4000) AS n;
    INSERT INTO agent_capability
    SELECT organization_id, held, id FROM agent, unnest(capabilities) AS held;
    INSERT INTO client SELECT id, organization_id FROM agent;
    INSERT INTO idempotency_key
    SELECT organization_id, id, 'k' || n, sha256('x'), id, n FROM agent, generate_series(1, 3) AS n;
    INSERT INTO credential
    SELECT id_of('c', n), id_of('o', n % 20), id_of('a', n % 4000), NULL, sha256('x'), 1, 'live', NULL,
        NULL, 1, NULL, 1, id_of('e', n)
    FROM generate_series(1, 8000) AS n;
    INSERT INTO client_key
    SELECT id_of('k', n), id_of('o', n % 20), id_of('a', n % 4000), 'k' || n, 'certificate', NULL, NULL, NULL, NULL, 't' || n,
        NULL, 1, NULL, (ARRAY['live', 'removed'])[1 + n % 2], CASE n % 2 WHEN 1 THEN 2 END, 1, id_of('e', n)
    FROM generate_series(1, 8000) AS n;
    INSERT INTO revoked_token
    SELECT id_of('o', n % 20), id_of('t', n), 1, 2, id_of('e', n) FROM generate_series(1, 4000) AS n;
    INSERT INTO audit_event (
        id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id,
        used_credential_id, metadata, occurred_at
    )
    SELECT id_of('e', n), id_of('o', n % 20), id_of('a', n % 4000),
        (ARRAY['token.issued', 'agent.created', 'token.revoked'])[1 + n % 3],
        CASE n % 50 WHEN 0 THEN 'failure' ELSE 'success' END, 'agent', n::text, 'r',
        CASE n % 3 WHEN 0 THEN id_of('c', n % 8000) END, '{}', n
    FROM generate_series(1, 20000) AS n;
    INSERT INTO change_feed (organization_id, resource_kind, resource_id)
    SELECT id_of('o', n % 20), 'agent', n::text FROM generate_series(1, 4000) AS n;
    INSERT INTO audit_leaf
    SELECT id_of('o', n % 20), n / 20, id_of('e', n), sha256('x'), sha256('x'), false
    FROM generate_series(1, 20000) AS n;
    INSERT INTO audit_stored_hash
    SELECT id_of('o', n % 20), 1, n / 20, sha256('x') FROM generate_series(1, 4000) AS n;
    INSERT INTO audit_log (organization_id, origin, size, signed_size, signed_note)
    SELECT id_of('o', n), 'x', 1000, 1000, 'x' FROM generate_series(1, 4000) AS n;
    INSERT INTO audit_pending (organization_id, events)
    SELECT id_of('o', n % 20), ARRAY[id_of('e', n)] FROM generate_series(1, 4000) AS n;
    INSERT INTO last_use
    SELECT organization_id, id, agent_id, 1 FROM credential;
    ANALYZE";

/// A connection of the server's role, in an organization.
async fn connection() -> (Database, PgConnection) {
    let database = Database::migrated().await;
    let mut administrator = database.connection().await;
    administrator.execute(FILL).await.unwrap();
    let settings = [
        ("role", "idp_app"),
        ("app.feed", "on"),
        // What a prepared statement comes to after a few uses, whatever is bound to it.
        ("plan_cache_mode", "force_generic_plan"),
        // Tables this small are read and sorted as fast: the question is what an index can serve.
        ("enable_seqscan", "off"),
        ("enable_bitmapscan", "off"),
        ("enable_sort", "off"),
    ];
    let mut server = database.options().options(settings).connect().await.unwrap();
    server
        .execute("SELECT set_config('app.organization', md5('o1')::uuid::text, false)")
        .await
        .unwrap();
    (database, server)
}

/// The plan of a statement, as it is prepared and used again and again.
async fn plan(connection: &mut PgConnection, statement: Statement) -> String {
    let sql = Execute::sql(statement).as_str().to_owned();
    let places = (1..).take_while(|number| sql.contains(&format!("${number}"))).count();
    connection.execute(AssertSqlSafe(format!("PREPARE tried AS {sql}"))).await.unwrap();
    let values =
        if places == 0 { String::new() } else { format!("({})", vec!["NULL"; places].join(", ")) };
    let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) EXECUTE tried{values}"));
    let rows = sqlx::query(explain).fetch_all(&mut *connection).await.unwrap();
    connection.execute("DEALLOCATE tried").await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
}

/// The plan finds its rows by this condition on this index, reads no whole table and sorts nothing.
async fn served_by(connection: &mut PgConnection, index: &str, condition: &str, sql: Statement) {
    let plan = found_by(connection, index, condition, sql).await;
    assert!(!plan.contains("Sort"), "sorted:\n{plan}");
}

/// The plan finds its rows by this condition on this index, and reads no whole table.
async fn found_by(
    connection: &mut PgConnection,
    index: &str,
    condition: &str,
    sql: Statement,
) -> String {
    let plan = plan(connection, sql).await;
    assert!(plan.contains(index), "not by {index}:\n{plan}");
    let found = plan.lines().any(|line| {
        let line = line.trim();
        (line.starts_with("Index Cond:") || line.starts_with("Recheck Cond:"))
            && line.contains(condition)
    });
    assert!(found, "no index is asked for {condition}:\n{plan}");
    assert!(!plan.contains("Seq Scan"), "scanned:\n{plan}");
    plan
}

fn after<Id>(id: fn(Uuid) -> Id) -> PageRequest<Id> {
    PageRequest { start: Start::After(id(Uuid::max())), limit: Limit::default() }
}

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::max())
}

#[tokio::test]
async fn each_filter_of_agents_is_served_by_an_index() {
    let (_database, mut connection) = connection().await;
    let none = AgentFilter::default;
    let filters = [
        (none(), "agent_", "id <"),
        (AgentFilter { owner: Some("x".parse().unwrap()), ..none() }, "agent_by_owner", "owner ="),
        (
            AgentFilter { agent_type: Some("custom".parse().unwrap()), ..none() },
            "agent_by_type",
            "agent_type =",
        ),
        (
            AgentFilter { status: Some(StatusName::Revoked), ..none() },
            "agent_by_status",
            "status =",
        ),
        (
            AgentFilter { deployment_env: Some("staging".parse().unwrap()), ..none() },
            "agent_by_deployment_env",
            "deployment_env =",
        ),
        (
            AgentFilter { capability: Some("a:b".parse().unwrap()), ..none() },
            "agent_capability_pkey",
            "capability =",
        ),
    ];
    for (filter, index, condition) in filters {
        let page = assembled(agents::LIST.page(organization(), &filter, after(AgentId::from_uuid)));
        served_by(&mut connection, index, condition, page).await;
        let count = assembled(agents::LIST.count(organization(), &filter));
        let index = if filter == none() { "agent_tally_pkey" } else { "Index" };
        served_by(&mut connection, index, "organization_id", count).await;
    }
}

#[tokio::test]
async fn each_read_of_one_thing_is_served_by_an_index() {
    let (_database, mut connection) = connection().await;
    for (sql, index, condition) in [
        (agents::FIND, "agent_pkey", "id = $2"),
        (agents::COUNT, "agent_tally_pkey", "organization_id = $1"),
        (agents::FIND_BY_EMAIL, "agent_email", "email_folded = $2"),
        (agents::OTHER_ADMINS, "agent_active_admin", "organization_id"),
        (agents::REGISTERED_RESOURCES, "agent_resource_server", "organization_id = $1"),
        (agents::REGISTRATION, "idempotency_key_pkey", "key = $3"),
        (agents::LAST_AUTHENTICATIONS, "audit_event_by_use", "used_credential_id = credential.id"),
        (credentials_port::FIND, "credential_pkey", "id = $2"),
        (credentials_port::LIVE, "credential_by_agent", "agent_id = $2"),
        (client_keys::FIND, "client_key_pkey", "id = $2"),
        (client_keys::LIVE, "client_key_", "agent_id = $2"),
        (agents::LAST_AUTHENTICATIONS, "client_key_", "agent_id = ANY ($2)"),
        (agents::LAST_AUTHENTICATIONS, "credential_by_agent", "agent_id = ANY ($2)"),
        (agents::LAST_AUTHENTICATION, "audit_event_by_use", "used_credential_id = credential.id"),
        (agents::LAST_AUTHENTICATION, "client_key_", "agent_id = $2"),
        (agents::LAST_AUTHENTICATION, "credential_by_agent", "agent_id = $2"),
        (credentials_port::COUNT_LIVE, "credential_", "agent_id = $2"),
        (
            credentials_port::LAST_USES,
            "audit_event_by_use",
            "used_credential_id = one.credential_id",
        ),
        (organizations::FIND, "organization_pkey", "id = $1"),
        (revocations::FIND, "revoked_token_pkey", "token_id = $2"),
        (audit_log::FIND, "audit_event_pkey", "id = $2"),
        (feed::LOOK, "change_feed_by_transaction", "transaction >="),
        (agents::LAST_AUTHENTICATIONS, "last_use_pkey", "credential_id = credential.id"),
        (credentials_port::LAST_USES, "last_use_pkey", "credential_id = one.credential_id"),
    ] {
        served_by(&mut connection, index, condition, sqlx::query(sql)).await;
    }
    let page = after(CredentialId::from_uuid);
    let list = credentials_port::LIST.page(organization(), AgentId::from_uuid(Uuid::max()), page);
    served_by(&mut connection, "credential_by_agent", "agent_id =", assembled(list)).await;
    let page = after(CredentialId::from_uuid);
    let list = client_keys::LIST.page(organization(), AgentId::from_uuid(Uuid::max()), page);
    served_by(&mut connection, "client_key_by_agent", "agent_id =", assembled(list)).await;
    // Of the few that an agent ever called so, the newest.
    let called = plan(&mut connection, sqlx::query(client_keys::CALLED)).await;
    assert!(called.contains("client_key_by_kid") && !called.contains("Seq Scan"), "{called}");
    let client = "SELECT organization_id FROM client WHERE agent_id = $1";
    served_by(&mut connection, "client_pkey", "agent_id = $1", sqlx::query(client)).await;
}

/// Whatever a turn reads or changes, and whatever is read of a log elsewhere.
#[tokio::test]
async fn each_statement_of_a_turn_is_served_by_an_index() {
    let (_database, mut connection) = connection().await;
    for (sql, index, condition) in [
        (log_reader::STATE, "audit_log_pkey", "organization_id = $1"),
        (log_reader::LEAF_HASHES, "audit_leaf_pkey", "\"position\" >= $2"),
        (log_reader::STORED_HASHES, "audit_stored_hash_pkey", "index >= $3"),
        (log_reader::LEAF_OF, "audit_leaf_organization_id_event_id_key", "event_id = $2"),
        (log_reader::LEAVES, "audit_leaf_pkey", "\"position\" >= $2"),
        (log_reader::LEAVES, "audit_event_pkey", "id = audit_leaf.event_id"),
        (turn::TAKE, "audit_log_pkey", "organization_id = $1"),
        (turn::PENDING, "audit_pending_pkey", "organization_id = $1"),
        (turn::FORGET_PENDING, "audit_pending_pkey", "number = ANY ($2)"),
        (turn::EXTEND, "audit_log_pkey", "organization_id = $1"),
        (log_changes::TRIM, "audit_log_pkey", "organization_id = $4"),
        (log_changes::GO_ON, "audit_log_halted", "organization_id = $2"),
        (logs::SOME, "audit_log_pkey", "organization_id > $1"),
    ] {
        served_by(&mut connection, index, condition, sqlx::query(sql)).await;
    }
    // The few that are named are put into the order in which they are.
    let events = sqlx::query(turn::EVENTS);
    found_by(&mut connection, "audit_event_pkey", "id = one.event_id", events).await;
}

/// A plan that is kept from the time of a table with few rows walks over the whole log for each step.
#[test]
fn what_takes_a_step_for_each_of_many_events_is_planned_for_the_log_as_it_is() {
    let named = turn::named(organization(), &[EventId::from_uuid(Uuid::max())]);
    let placed = log_reader::placed(organization(), 0, 500);
    let [(_, leaves), (_, above)] = [0, 1].map(|level| {
        let tile = Tile::of_tree(70_000, level, 1).unwrap();
        log_reader::hashes(organization(), tile)
    });
    for statement in [placed, named, leaves, above] {
        assert!(!Execute::persistent(&statement), "{}", Execute::sql(statement).as_str());
    }
}

/// A hundred more events that have their places, and wait.
const PLACED: &str = "
    SET LOCAL session_replication_role = replica;
    WITH placed AS (
        INSERT INTO audit_leaf
        SELECT current_organization(), (SELECT count(*) FROM audit_leaf) + n, gen_random_uuid(),
            sha256('x'), sha256('x'), false
        FROM generate_series(1, 100) AS n
        RETURNING organization_id, event_id
    )
    INSERT INTO audit_pending (organization_id, events) SELECT organization_id, ARRAY[event_id] FROM placed;
    SET LOCAL session_replication_role = origin";

/// What a trigger does is in no plan: the database counts it. The plan of a log that has just begun is
/// kept, and must not be one that reads all of it.
#[tokio::test]
async fn events_stop_waiting_without_a_look_at_every_leaf() {
    const READ: &str = "
        SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
        WHERE relname = 'audit_leaf'";
    let database = Database::migrated().await;
    let mut administrator = database.connection().await;
    let begin = "BEGIN; SELECT set_config('app.organization', md5('o')::uuid::text, true)";
    administrator.execute(begin).await.unwrap();
    for round in 1..10 {
        administrator.execute(PLACED).await.unwrap();
        let before: i64 = sqlx::query_scalar(READ).fetch_one(&mut administrator).await.unwrap();
        let forget = "SET LOCAL ROLE idp_app; DELETE FROM audit_pending; RESET ROLE";
        administrator.execute(forget).await.unwrap();
        let after: i64 = sqlx::query_scalar(READ).fetch_one(&mut administrator).await.unwrap();
        assert_eq!(after - before, 100, "round {round}");
    }
}

/// It may sort what it found: that is bounded.
#[tokio::test]
async fn what_waits_for_a_turn_is_found_without_a_look_at_everything() {
    let (_database, mut connection) = connection().await;
    connection.execute("SELECT set_config('app.sequencer', 'on', false)").await.unwrap();
    let plan = plan(&mut connection, sqlx::query(logs::WAITING)).await;
    for index in [
        "audit_pending_pkey",
        "audit_log_unsigned",
        "audit_log_undelivered",
        "audit_log_unexported",
    ] {
        assert!(plan.contains(index), "not by {index}:\n{plan}");
    }
    let scanned = plan.contains("Seq Scan on audit") || plan.contains("Seq Scan on public");
    assert!(!scanned, "scanned:\n{plan}");
}

#[tokio::test]
async fn the_logs_that_are_halted_are_found_without_a_look_at_every_log() {
    let (_database, mut connection) = connection().await;
    connection.execute("SELECT set_config('app.sequencer', 'on', false)").await.unwrap();
    let plan = plan(&mut connection, sqlx::query(logs::HALTED)).await;
    assert!(plan.contains("audit_log_halted"), "{plan}");
    assert!(!plan.contains("Seq Scan") && !plan.contains("Sort"), "{plan}");
}

/// As the role that erases.
#[tokio::test]
async fn each_statement_that_erases_is_served_by_an_index() {
    let (_database, mut connection) = connection().await;
    connection.execute("SET ROLE idp_eraser").await.unwrap();
    for (sql, index, condition) in [
        (erase::MARKS, "audit_log_pkey", "organization_id = $1"),
        (erase::ERASE_CONTENT, "audit_leaf_pkey", "\"position\" >= $2"),
        (erase::ERASE_CONTENT, "audit_event_pkey", "id = leaf.event_id"),
        (erase::ERASE_PERSONAL_DATA, "audit_event_pkey", "id = leaf.event_id"),
    ] {
        served_by(&mut connection, index, condition, sqlx::query(sql)).await;
    }
    // Its uses are put in groups, which are sorted.
    let plan = plan(&mut connection, sqlx::query(erase::KEEP_LAST_USES)).await;
    for index in ["audit_leaf_pkey", "credential_pkey", "client_key_pkey", "audit_event_"] {
        assert!(plan.contains(index), "not by {index}:\n{plan}");
    }
    assert!(!plan.contains("Seq Scan"), "scanned:\n{plan}");
}

#[tokio::test]
async fn each_filter_of_the_log_is_served_by_an_index() {
    let (_database, mut connection) = connection().await;
    let none = EventFilter::default;
    let at = Timestamp::from_unix_micros(1).ok();
    let agent = Some(AgentId::from_uuid(Uuid::max()));
    let filters = [
        (none(), "audit_event_pkey", "id <"),
        (EventFilter { from: at, until: at, ..none() }, "audit_event_pkey", "id >="),
        (EventFilter { agent, from: at, ..none() }, "audit_event_by_agent", "agent_id ="),
        (
            EventFilter { action: Some(Action::TokenIssued), ..none() },
            "audit_event_by_action",
            "action =",
        ),
        (
            EventFilter { outcome: Some(Outcome::Failure), ..none() },
            "audit_event_by_failure",
            "id <",
        ),
        (EventFilter { outcome: Some(Outcome::Success), ..none() }, "audit_event_pkey", "id <"),
        (
            EventFilter { resource: Some("x".to_owned()), ..none() },
            "audit_event_by_resource",
            "resource_id =",
        ),
    ];
    for (filter, index, condition) in filters {
        let page =
            assembled(audit_log::LIST.page(organization(), &filter, after(EventId::from_uuid)));
        served_by(&mut connection, index, condition, page).await;
        let count = assembled(audit_log::LIST.count(organization(), &filter));
        served_by(&mut connection, "Index", "organization_id", count).await;
    }
}
