//! What needs a server of its own: its roles and who may log in are not one database's.

use std::{fs, path::Path};

use postgres_store::{Isolation, Login, LoginError, MigrateError, OpenError, migrate};
use servers::Postgres;
use sqlx::{ConnectOptions, Connection, Executor, postgres::PgConnectOptions};
use tempfile::TempDir;

use super::{CANARY, silent, try_open};

/// A server that has no role of ours.
fn server() -> (Postgres, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Postgres::start(&folder.path().join("postgres")).unwrap(), folder)
}

async fn execute(server: &Postgres, sql: &'static str) {
    let options: PgConnectOptions = server.url().parse().unwrap();
    let mut connection = options.connect().await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

/// Whoever this is needs a password from now on.
async fn asks_for_password(server: &Postgres, name: &str) {
    let rules = Path::new(server.folder()).join("data").join("pg_hba.conf");
    let rest = fs::read_to_string(&rules).unwrap();
    fs::write(&rules, format!("host all {name} 127.0.0.1/32 scram-sha-256\n{rest}")).unwrap();
    execute(server, "SELECT pg_reload_conf()").await;
}

#[tokio::test]
async fn a_server_without_our_roles_is_migrated_first_and_a_wrong_password_is_refused() {
    let (server, _folder) = server();
    let error = try_open(&server.url(), Isolation::Preferred).await;
    assert!(matches!(error, OpenError::Login(LoginError::NoRole { .. })), "{error}");
    migrate(&Login::parse(&server.url()).unwrap()).await.unwrap();
    execute(&server, "CREATE ROLE walter LOGIN PASSWORD 'the right one' IN ROLE idp_app").await;
    asks_for_password(&server, "walter").await;
    let url = |login: &str| server.url().replace("postgres@", &format!("{login}@"));
    // The server reads its rules again in its own time.
    for wrong in [format!("walter:{CANARY}"), "walter".to_owned()] {
        let mut refused = None;
        for _ in 0..200 {
            let login = Login::parse(&url(&wrong)).unwrap();
            if let Err(error) = migrate(&login).await
                && matches!(error, MigrateError::Login(LoginError::Refused { .. }))
            {
                silent(&error);
                refused = Some(try_open(&url(&wrong), Isolation::Demanded).await);
                break;
            }
        }
        let refused = refused.expect("it is never refused");
        let told = refused.to_string();
        assert!(matches!(refused, OpenError::Login(LoginError::Refused { .. })), "{told}");
        assert!(told.contains("`walter`") && told.contains("DATABASE_URL"), "{told}");
    }
}

#[tokio::test]
async fn tn_08_roles_that_may_do_too_much_end_the_migration() {
    let (server, _folder) = server();
    let login = Login::parse(&server.url()).unwrap();
    execute(&server, "CREATE ROLE idp_app BYPASSRLS; CREATE ROLE idp_owner CREATEROLE").await;
    let refused = migrate(&login).await.unwrap_err();
    let MigrateError::Dangerous(roles) = &refused else { panic!("{refused}") };
    assert_eq!(roles, &["idp_app", "idp_owner"]);
    assert!(refused.to_string().contains("ALTER ROLE"), "{refused}");
    execute(&server, "ALTER ROLE idp_app NOBYPASSRLS; ALTER ROLE idp_owner NOCREATEROLE").await;
    migrate(&login).await.unwrap();
}

/// Two databases of one server, whose roles are made by both at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sm_07_two_databases_of_one_server_are_migrated_at_once() {
    let (server, _folder) = server();
    execute(&server, "CREATE DATABASE other").await;
    let logins = [server.url(), server.url_for("other")].map(|url| Login::parse(&url).unwrap());
    let [one, other] = &logins;
    let (one, other) = futures_util::future::join(migrate(one), migrate(other)).await;
    one.unwrap();
    other.unwrap();
}
