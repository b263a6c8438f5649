//! A server that could pass the wall is not let in, and is told how it could.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use contracts::sample::Machine;
use kernel::{Clock, Entropy};
use postgres_store::{Isolation, Login, OpenError};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use crate::{running::few, support::Database};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Somebody who may log in, in a database of their own. Roles belong to the whole server: this one
/// is given up with [`Somebody::leave`].
struct Somebody {
    database: Database,
    name: String,
}

impl Somebody {
    /// A plain login that may act as the server, and do nothing else.
    async fn plain() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("idp_test_login_{}_{number}", std::process::id());
        let database = Database::migrated().await;
        database.execute(&format!("CREATE ROLE {name} LOGIN IN ROLE idp_app")).await;
        Self { database, name }
    }

    async fn try_open(&self, isolation: Isolation) -> Result<(), OpenError> {
        let options: PgConnectOptions = self.database.options().username(&self.name);
        let login = Login::parse(options.to_url_lossy().as_str()).unwrap();
        let machine = Machine::default();
        let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) = (machine.clock, machine.entropy);
        postgres_store::PostgresStore::open(&login, parts, isolation, &few()).await.map(|_| ())
    }

    async fn leave(self) {
        let name = &self.name;
        self.database.execute(&format!("DROP OWNED BY {name}; DROP ROLE {name}")).await;
    }
}

#[tokio::test]
async fn tn_08_a_plain_login_is_let_in() {
    let somebody = Somebody::plain().await;
    somebody.try_open(Isolation::Demanded).await.unwrap();
    somebody.leave().await;
}

/// What is done to the login `{who}` or to its database, what is told of it, and what undoes it where
/// dropping the database does not. Nothing here weakens a role that other tests use.
const WAYS: &[(&str, &str)] = &[
    ("ALTER ROLE {who} SUPERUSER", "`{who}`, which is a superuser"),
    ("ALTER ROLE {who} BYPASSRLS", "`{who}`, which passes row-level security"),
    ("ALTER ROLE {who} CREATEROLE", "`{who}`, which may create roles"),
    ("ALTER ROLE {who} REPLICATION", "`{who}`, which may copy the whole server"),
    ("GRANT idp_owner TO {who}", "`idp_owner`, which owns things in schema `public`"),
    ("GRANT idp_migrator TO {who}", "`idp_owner`, which owns things in schema `public`"),
    ("GRANT idp_owner TO {who}; ALTER ROLE {who} NOINHERIT", "`idp_owner`, which owns things"),
    ("GRANT pg_read_all_data TO {who}", "`pg_read_all_data`, which reaches past"),
    ("GRANT pg_write_all_data TO {who}", "`pg_write_all_data`, which reaches past"),
    ("GRANT pg_execute_server_program TO {who}", "`pg_execute_server_program`, which reaches past"),
    ("GRANT pg_read_server_files TO {who}", "`pg_read_server_files`, which reaches past"),
    ("ALTER TABLE change_feed OWNER TO {who}", "`{who}`, which owns things in schema `public`"),
    ("ALTER FUNCTION current_organization() OWNER TO {who}", "`{who}`, which owns things"),
    ("ALTER SCHEMA public OWNER TO {who}", "`{who}`, which owns schema `public`"),
    ("ALTER DATABASE {database} OWNER TO {who}", "`{who}`, which owns the database"),
    ("GRANT CREATE ON SCHEMA public TO PUBLIC", "`idp_app` may define things in schema `public`"),
    ("GRANT CREATE ON SCHEMA public TO {who}", "`{who}` may define things in schema `public`"),
    ("GRANT CREATE ON DATABASE {database} TO {who}", "`{who}` may define schemas in the database"),
    ("GRANT TEMPORARY ON DATABASE {database} TO PUBLIC", "`idp_app` may make temporary tables"),
    ("ALTER TABLE agent NO FORCE ROW LEVEL SECURITY", "table `agent` has no forced"),
    ("ALTER TABLE agent DISABLE ROW LEVEL SECURITY", "table `agent` has no forced"),
    (
        "CREATE TABLE novelty (organization_id uuid); GRANT SELECT ON novelty TO idp_app",
        "table `novelty` has no forced row-level security",
    ),
    (
        "CREATE TABLE novelty (organization_id uuid); GRANT SELECT (organization_id) ON novelty TO PUBLIC",
        "table `novelty` has no forced row-level security",
    ),
    ("CREATE POLICY wide ON agent USING (true)", "policy `wide` of table `agent`"),
    ("CREATE POLICY wide ON agent TO {who} USING (true)", "policy `wide` of table `agent`"),
    (
        "CREATE POLICY wide ON agent FOR INSERT WITH CHECK (revision > 0)",
        "policy `wide` of table `agent`",
    ),
    (
        "GRANT UPDATE ON audit_event TO idp_app",
        "`idp_app` has the right to UPDATE on table `audit_event`",
    ),
    ("GRANT UPDATE (metadata) ON audit_event TO PUBLIC", "to UPDATE on table `audit_event`"),
    (
        "GRANT DELETE ON audit_event TO {who}",
        "`{who}` has the right to DELETE on table `audit_event`",
    ),
    ("GRANT DELETE ON agent TO idp_app", "to DELETE on table `agent`"),
    (
        "GRANT UPDATE ON audit_leaf TO idp_app",
        "`idp_app` has the right to UPDATE on table `audit_leaf`",
    ),
    ("GRANT DELETE ON audit_leaf TO idp_app", "to DELETE on table `audit_leaf`"),
    (
        "GRANT UPDATE (hash) ON audit_stored_hash TO PUBLIC",
        "to UPDATE on table `audit_stored_hash`",
    ),
    ("GRANT UPDATE ON checkpoint_key TO idp_app", "to UPDATE on table `checkpoint_key`"),
    ("GRANT UPDATE ON audit_pending TO idp_app", "to UPDATE on table `audit_pending`"),
    ("GRANT DELETE ON audit_log TO idp_app", "to DELETE on table `audit_log`"),
    // Who erases may change events, as their trigger lets it: nobody else, and nothing else.
    ("GRANT idp_eraser TO {who}", "`{who}` has the right to UPDATE on table `audit_event`"),
    (
        "GRANT DELETE ON audit_event TO idp_eraser",
        "`idp_eraser` has the right to DELETE on table `audit_event`",
    ),
    ("GRANT UPDATE ON audit_leaf TO idp_eraser", "`idp_eraser` has the right to UPDATE on table"),
    ("GRANT TRUNCATE ON audit_event TO idp_eraser", "to TRUNCATE on table `audit_event`"),
    ("ALTER TABLE audit_leaf DISABLE TRIGGER ALL", "of table `audit_leaf` is switched off"),
    ("GRANT TRUNCATE ON revoked_token TO idp_app", "to TRUNCATE on table `revoked_token`"),
    ("GRANT TRIGGER ON agent TO PUBLIC", "to TRIGGER on table `agent`"),
    ("GRANT INSERT ON _sqlx_migrations TO idp_app", "to INSERT on table `_sqlx_migrations`"),
    (
        "CREATE VIEW wide AS TABLE agent; GRANT SELECT ON wide TO idp_app",
        "view `wide` does not act",
    ),
    (
        "CREATE SCHEMA elsewhere; CREATE VIEW elsewhere.inner_one AS TABLE agent;
        CREATE VIEW elsewhere.wide AS TABLE elsewhere.inner_one;
        GRANT SELECT ON elsewhere.wide TO PUBLIC",
        "view `wide` does not act",
    ),
    (
        "CREATE MATERIALIZED VIEW wide AS TABLE agent; GRANT SELECT ON wide TO idp_app",
        "view `wide` does not act",
    ),
    (
        "CREATE FUNCTION wide() RETURNS bigint LANGUAGE sql SECURITY DEFINER
        AS 'SELECT count(*) FROM agent'",
        "function `wide` acts as its owner",
    ),
    ("ALTER TABLE audit_event DISABLE TRIGGER audit_event_is_only_erased", "is switched off"),
    ("ALTER TABLE agent DISABLE TRIGGER ALL", "of table `agent` is switched off"),
    ("GRANT SET ON PARAMETER session_replication_role TO {who}", "`{who}` may switch triggers off"),
];

#[tokio::test]
async fn tn_08_every_way_past_the_wall_ends_the_start_and_is_named() {
    for (deed, told) in WAYS {
        let somebody = Somebody::plain().await;
        let database = somebody.database.options();
        let database = database.get_database().unwrap();
        let filled =
            |text: &str| text.replace("{who}", &somebody.name).replace("{database}", database);
        somebody.database.execute(&filled(deed)).await;
        let refused = somebody.try_open(Isolation::Demanded).await.expect_err(deed);
        assert!(matches!(refused, OpenError::NotIsolated { .. }), "{deed}: {refused}");
        assert!(refused.to_string().contains(&filled(told)), "{deed}: {refused}");
        somebody.try_open(Isolation::Preferred).await.unwrap();
        if deed.contains("PARAMETER") {
            let revoke =
                format!("REVOKE ALL ON PARAMETER session_replication_role FROM {}", somebody.name);
            somebody.database.execute(&revoke).await;
        }
        if deed.contains("OWNER TO") {
            somebody
                .database
                .execute(&format!("REASSIGN OWNED BY {} TO idp_owner", somebody.name))
                .await;
        }
        somebody.leave().await;
    }
}

/// A view that acts as whoever asks it is no way past the wall, nor is one of something else.
#[tokio::test]
async fn tn_08_what_is_no_way_past_the_wall_is_no_finding() {
    let somebody = Somebody::plain().await;
    let who = &somebody.name;
    for harmless in [
        "CREATE VIEW narrow WITH (security_invoker) AS TABLE agent; GRANT SELECT ON narrow TO PUBLIC",
        "CREATE VIEW other AS SELECT 1 AS one; GRANT SELECT ON other TO PUBLIC",
        "CREATE VIEW untold AS TABLE agent",
        "CREATE TABLE untold_table (id int)",
        "CREATE POLICY narrow ON agent AS RESTRICTIVE USING (revision > 0)",
    ] {
        somebody.database.execute(harmless).await;
    }
    somebody.database.execute(&format!("GRANT SELECT ON agent TO {who}")).await;
    somebody.try_open(Isolation::Demanded).await.unwrap();
    somebody.leave().await;
}

#[tokio::test]
async fn tn_08_a_superuser_is_told_of_once() {
    let database = Database::migrated().await;
    let machine = Machine::default();
    let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) = (machine.clock, machine.entropy);
    let login = database.login();
    let refused =
        postgres_store::PostgresStore::open(&login, parts, Isolation::Demanded, &few()).await;
    let Err(OpenError::NotIsolated { findings, .. }) = refused else { panic!("it is let in") };
    let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert!(told.iter().all(|told| told.contains("the server may act as")), "{told:?}");
    assert!(told.iter().any(|told| told.contains("is a superuser")), "{told:?}");
}
