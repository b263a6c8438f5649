//! Opening the store: whatever is wrong has its own error, and none holds the password.

mod migrating;
mod private;

use std::{error::Error, io::Write, net::TcpListener, sync::Arc, thread};

use contracts::sample::Machine;
use kernel::{Clock, Entropy};
use postgres_store::{Isolation, Login, LoginError, OpenError, PostgresStore};
use sqlx::ConnectOptions;

use crate::{running::few, support::Database};

/// The password of every login here.
const CANARY: &str = "canary-7Qz";

async fn try_open(url: &str, isolation: Isolation) -> OpenError {
    let machine = Machine::default();
    let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) = (machine.clock, machine.entropy);
    let login = Login::parse(url).unwrap();
    let opened = PostgresStore::open(&login, parts, isolation, &few()).await;
    let error = opened.map(|_| ()).expect_err(url);
    silent(&error);
    error
}

/// No text that anybody could see of an error holds the password.
fn silent(error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
            assert!(!text.contains(CANARY), "{text}");
        }
        next = error.source();
    }
}

fn at(port: u16) -> String {
    format!("postgres://somebody:{CANARY}@127.0.0.1:{port}/idp")
}

/// The way to a database, by somebody with a password that nobody asks for.
fn into(database: &Database) -> String {
    database.options().password(CANARY).to_url_lossy().to_string()
}

#[tokio::test]
async fn where_nothing_listens_the_error_says_where() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = try_open(&at(port), Isolation::Preferred).await;
    assert!(matches!(error, OpenError::Login(LoginError::Unreachable { .. })), "{error}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}/idp")), "{error}");
}

#[tokio::test(start_paused = true)]
async fn something_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = try_open(&at(port), Isolation::Preferred).await;
    assert!(matches!(error, OpenError::Login(LoginError::Silent { .. })), "{error}");
}

#[tokio::test]
async fn something_else_than_the_database_is_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let _answering = thread::spawn(move || {
        for connection in listener.incoming() {
            let _ = connection.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = try_open(&at(port), Isolation::Preferred).await;
    assert!(matches!(error, OpenError::Login(LoginError::NoPostgres { .. })), "{error}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named() {
    let database = Database::migrated().await;
    let url = into(&database).replace("/idp_test_", "/idp_absent_");
    let error = try_open(&url, Isolation::Preferred).await;
    assert!(matches!(error, OpenError::Login(LoginError::NoDatabase { .. })), "{error}");
    assert!(error.to_string().contains("`idp_absent_"), "{error}");
}

#[tokio::test]
async fn a_login_that_may_not_act_as_the_server_is_told_how_it_may() {
    let database = Database::migrated().await;
    let name = format!("idp_test_stranger_{}", std::process::id());
    database.execute(&format!("CREATE ROLE {name} LOGIN")).await;
    let options = database.options().username(&name).password(CANARY);
    let error = try_open(options.to_url_lossy().as_str(), Isolation::Preferred).await;
    assert!(matches!(error, OpenError::Login(LoginError::NotMember { .. })), "{error}");
    assert!(error.to_string().contains(&format!("GRANT idp_app TO {name}")), "{error}");
    database.execute(&format!("DROP ROLE {name}")).await;
}

#[tokio::test]
async fn tls_that_is_asked_for_and_not_offered_is_no_way_in() {
    let database = Database::migrated().await;
    for mode in ["require", "verify-ca", "verify-full"] {
        let url = into(&database);
        let url = url.split('?').next().unwrap();
        let error = try_open(&format!("{url}?sslmode={mode}"), Isolation::Preferred).await;
        assert!(matches!(error, OpenError::Login(LoginError::Tls { .. })), "{mode}: {error:?}");
    }
}

/// The host does not exist: whoever tried to connect would say so.
#[tokio::test]
async fn sm_02_production_makes_no_connection_that_could_be_listened_to() {
    for mode in ["", "?sslmode=disable", "?sslmode=prefer", "?sslmode=allow"] {
        let url = format!("postgres://somebody:{CANARY}@db.invalid/idp{mode}");
        let error = try_open(&url, Isolation::Demanded).await;
        assert!(matches!(error, OpenError::NotPrivate { .. }), "{error}");
        assert!(error.to_string().contains("sslmode=verify-full"), "{error}");
    }
}

#[tokio::test]
async fn a_database_without_migrations_is_not_opened() {
    let (_roles, empty) = (Database::migrated().await, Database::empty().await);
    let error = try_open(&into(&empty), Isolation::Preferred).await;
    assert!(matches!(error, OpenError::Pending { .. }), "{error}");
    assert!(error.to_string().contains("`idp migrate`"), "{error}");
}

#[tokio::test]
async fn a_database_with_other_migrations_is_not_opened() {
    let added = "
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'from the future', true, '', 1)";
    for (deed, told) in [
        ("DELETE FROM _sqlx_migrations", "pending"),
        ("UPDATE _sqlx_migrations SET success = false", "pending"),
        (added, "version 9999, and this build knows only 4"),
        ("UPDATE _sqlx_migrations SET checksum = ''", "migration 1 at "),
        ("UPDATE _sqlx_migrations SET version = version - 1", "migration 0 at "),
        ("REVOKE SELECT ON _sqlx_migrations FROM idp_app", "cannot be read"),
    ] {
        let database = Database::migrated().await;
        database.execute(deed).await;
        let error = try_open(&into(&database), Isolation::Preferred).await;
        let expected = match told {
            "pending" => matches!(error, OpenError::Pending { .. }),
            told if told.starts_with("version") => {
                matches!(error, OpenError::Newer { found: 9999, .. })
            }
            told if told.starts_with("migration") => matches!(error, OpenError::Foreign { .. }),
            _ => matches!(error, OpenError::Schema { .. }),
        };
        assert!(expected && error.to_string().contains(told), "{deed}: {error}");
    }
}
