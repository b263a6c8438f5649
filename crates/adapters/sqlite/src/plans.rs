//! The plans of the lists: each filter is served by its index, in the order of the page.

use audit::{Action, EventFilter, Outcome};
use kernel::{
    AgentId, CredentialId, EventId, Limit, OrganizationId, PageRequest, Start, Timestamp,
};
use registry::{AgentFilter, StatusName};
use sqlx::{AssertSqlSafe, Execute, Row, SqliteConnection, types::Uuid};

use crate::{
    agents, audit_log, client_keys, credentials_port, erase, log_reader, logs,
    open::{Options, migrated},
    session::Statement,
    statement::assembled,
    turn,
};

async fn plan(connection: &mut SqliteConnection, statement: Statement) -> String {
    let sql = format!("EXPLAIN QUERY PLAN {}", Execute::sql(statement).as_str());
    let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("; ")
}

/// The plan names this index, reads no whole table and sorts nothing.
async fn served_by(connection: &mut SqliteConnection, index: &str, statement: Statement) {
    let plan = plan(connection, statement).await;
    assert!(plan.contains(index), "not by {index}: {plan}");
    assert!(!plan.contains("TEMP B-TREE"), "sorted: {plan}");
    assert!(!plan.contains("SCAN agent") && !plan.contains("SCAN audit"), "scanned: {plan}");
}

fn after<Id>(id: fn(Uuid) -> Id) -> PageRequest<Id> {
    PageRequest { start: Start::After(id(Uuid::max())), limit: Limit::default() }
}

fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::max())
}

#[tokio::test]
async fn each_filter_of_agents_is_served_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idp.db");
    let mut connection = migrated(&path, &Options::default()).await.unwrap();
    let none = AgentFilter::default;
    let filters = [
        (none(), "agent_listed"),
        (AgentFilter { owner: Some("x".parse().unwrap()), ..none() }, "agent_by_owner"),
        (AgentFilter { agent_type: Some("custom".parse().unwrap()), ..none() }, "agent_by_type"),
        (AgentFilter { status: Some(StatusName::Revoked), ..none() }, "agent_by_status"),
        (
            AgentFilter { deployment_env: Some("staging".parse().unwrap()), ..none() },
            "agent_by_deployment_env",
        ),
        (AgentFilter { capability: Some("a:b".parse().unwrap()), ..none() }, "SEARCH held"),
    ];
    for (filter, index) in filters {
        let page = assembled(agents::LIST.page(organization(), &filter, after(AgentId::from_uuid)));
        served_by(&mut connection, index, page).await;
        let count = assembled(agents::LIST.count(organization(), &filter));
        let index = if filter == none() { "SEARCH agent_tally" } else { "SEARCH" };
        served_by(&mut connection, index, count).await;
    }
    for (sql, index) in [
        (agents::COUNT, "SEARCH agent_tally USING PRIMARY KEY (organization_id=?)"),
        (agents::FIND_BY_EMAIL, "agent_email"),
        (agents::OTHER_ADMINS, "agent_active_admin"),
        (agents::REGISTERED_RESOURCES, "agent_resource_server"),
        (
            agents::LAST_AUTHENTICATIONS,
            "last_use USING PRIMARY KEY (organization_id=? AND agent_id=?)",
        ),
        (
            credentials_port::LAST_USES,
            "last_use USING PRIMARY KEY (organization_id=? AND agent_id=? AND credential_id=?)",
        ),
        (credentials_port::LAST_USES, "SEARCH credential USING"),
        (credentials_port::LAST_USES, "SEARCH client_key USING"),
        (credentials_port::COUNT_LIVE, "credential_unrevoked"),
        (credentials_port::LIVE, "credential_by_agent"),
        (client_keys::FIND, "client_key_"),
        (client_keys::LIVE, "client_key_by_agent"),
    ] {
        served_by(&mut connection, index, sqlx::query(sql)).await;
    }
    let page = after(CredentialId::from_uuid);
    let list = credentials_port::LIST.page(organization(), AgentId::from_uuid(Uuid::max()), page);
    served_by(&mut connection, "credential_by_agent", assembled(list)).await;
    // Of the few that an agent ever called so, the newest.
    let called = plan(&mut connection, sqlx::query(client_keys::CALLED)).await;
    assert!(called.contains("client_key_by_kid"), "{called}");
    let page = after(CredentialId::from_uuid);
    let list = client_keys::LIST.page(organization(), AgentId::from_uuid(Uuid::max()), page);
    served_by(&mut connection, "client_key_by_agent", assembled(list)).await;
}

#[tokio::test]
async fn each_filter_of_the_log_is_served_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idp.db");
    let mut connection = migrated(&path, &Options::default()).await.unwrap();
    let none = EventFilter::default;
    let at = Timestamp::from_unix_micros(1).ok();
    let agent = Some(AgentId::from_uuid(Uuid::max()));
    let filters = [
        (none(), "audit_event_listed (organization_id=? AND id<?)"),
        (
            EventFilter { from: at, until: at, ..none() },
            "audit_event_listed (organization_id=? AND id>? AND id<?)",
        ),
        (EventFilter { agent, from: at, ..none() }, "audit_event_by_agent"),
        (EventFilter { action: Some(Action::TokenIssued), ..none() }, "audit_event_by_action"),
        (EventFilter { outcome: Some(Outcome::Failure), ..none() }, "audit_event_by_outcome"),
        (EventFilter { resource: Some("x".to_owned()), ..none() }, "audit_event_by_resource"),
    ];
    for (filter, index) in filters {
        let page =
            assembled(audit_log::LIST.page(organization(), &filter, after(EventId::from_uuid)));
        served_by(&mut connection, index, page).await;
    }
}

#[tokio::test]
async fn each_read_of_a_turn_is_served_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idp.db");
    let mut connection = migrated(&path, &Options::default()).await.unwrap();
    for (sql, index) in [
        (turn::LEASE, "audit_log_1 (organization_id=?)"),
        (turn::UNSEQUENCED.packed, "audit_pending_by_organization (organization_id=?)"),
        (turn::UNSEQUENCED.packed, "event USING INTEGER PRIMARY KEY"),
        (turn::FORGET_PENDING, "(organization_id=? AND position>? AND position<?)"),
        (turn::EXTEND, "audit_log_1 (organization_id=?)"),
        (
            log_reader::LEAF_HASHES.packed,
            "PRIMARY KEY (organization_id=? AND position>? AND position<?)",
        ),
        (
            log_reader::STORED_HASHES.packed,
            "PRIMARY KEY (organization_id=? AND level=? AND index>? AND index<?)",
        ),
        (log_reader::LEAF_OF, "audit_leaf_1 (event_id=?)"),
        (log_reader::LEAVES.packed, "PRIMARY KEY (organization_id=? AND position>?)"),
        (log_reader::LEAVES.packed, "(organization_id=? AND id=?)"),
        (log_reader::LEAVES.plain, "PRIMARY KEY (organization_id=? AND position>?)"),
        (turn::UNSEQUENCED.plain, "event USING INTEGER PRIMARY KEY"),
        (logs::SOME, "audit_log_1 (organization_id>?)"),
        (erase::ERASE_CONTENT, "PRIMARY KEY (organization_id=? AND position>? AND position<?)"),
        (erase::ERASE_CONTENT, "(organization_id=? AND id=?)"),
        (erase::ERASE_PERSONAL_DATA, "(organization_id=? AND id=?)"),
    ] {
        served_by(&mut connection, index, sqlx::query(sql)).await;
    }
}

#[tokio::test]
async fn the_logs_that_are_halted_are_found_without_a_look_at_every_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idp.db");
    let mut connection = migrated(&path, &Options::default()).await.unwrap();
    let plan = plan(&mut connection, sqlx::query(logs::HALTED)).await;
    assert_eq!(plan, "SCAN audit_log USING INDEX audit_log_halted");
}

/// Neither by all logs nor by all that waits.
#[tokio::test]
async fn the_logs_that_wait_are_found_by_what_they_wait_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("idp.db");
    let mut connection = migrated(&path, &Options::default()).await.unwrap();
    let plan = plan(&mut connection, sqlx::query(logs::WAITING)).await;
    for index in ["audit_log_unsigned", "audit_log_undelivered", "audit_log_unexported"] {
        assert!(plan.contains(&format!("SCAN audit_log USING INDEX {index}")), "{plan}");
    }
    assert_eq!(plan.matches("SCAN audit_").count(), 3, "{plan}");
    assert_eq!(plan.matches("SEARCH audit_pending USING COVERING INDEX").count(), 3, "{plan}");
}
