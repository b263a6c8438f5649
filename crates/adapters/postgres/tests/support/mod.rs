//! A database for each test, on the server that `DATABASE_URL` names.

use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use postgres_store::Login;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions,
};
use tokio::sync::OnceCell;

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A migrated database that nobody else uses. It goes when the server does, or by the next run's
/// tidying up: a test that dies must be able to leave it.
pub(crate) struct Database {
    admin: PgConnectOptions,
    name: String,
}

#[expect(clippy::disallowed_methods, reason = "where the server is, is the environment's to say")]
fn admin() -> PgConnectOptions {
    let url = std::env::var("DATABASE_URL");
    let url = url.expect("DATABASE_URL is not set: run the tests by `cargo xtask test`");
    url.parse().expect("DATABASE_URL names no PostgreSQL database")
}

fn new_name() -> String {
    format!("idp_test_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What can be run in a database that is there.
async fn administer(statement: String) {
    let mut connection = admin().connect().await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
    connection.close().await.unwrap();
}

/// The database that all others of this process are copied from: migrating is slower than copying.
async fn template() -> &'static str {
    let made = TEMPLATE.get_or_init(async || {
        let database = Database::empty().await;
        postgres_store::migrate(&database.login()).await.unwrap();
        database.name
    });
    made.await
}

impl Database {
    /// One that nobody has migrated.
    pub(crate) async fn empty() -> Self {
        let name = new_name();
        administer(format!("CREATE DATABASE {name}")).await;
        Self { admin: admin(), name }
    }

    /// One that is migrated.
    pub(crate) async fn migrated() -> Self {
        let (template, name) = (template().await, new_name());
        administer(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        // What was granted on the template itself is not copied.
        administer(format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")).await;
        Self { admin: admin(), name }
    }

    /// The administrator's way into it.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.admin.clone().database(&self.name)
    }

    /// The administrator as a login of the store.
    pub(crate) fn login(&self) -> Login {
        Login::parse(self.options().to_url_lossy().as_str()).unwrap()
    }

    /// A connection of the administrator.
    pub(crate) async fn connection(&self) -> PgConnection {
        self.options().connect().await.unwrap()
    }
}
