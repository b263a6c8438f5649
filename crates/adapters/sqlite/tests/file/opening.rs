//! Opening the file: its mode, its versions, and what stays in it.

use std::{fs, os::unix::fs::PermissionsExt};

use audit::{Directory, Transactor};
use registry::Agents;
use sqlite_store::{OpenError, Options};

use crate::database::Database;

#[tokio::test]
async fn opening_twice_keeps_everything() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let agent = running.agent(&scope, "one").await.unwrap();
    running.close().await;
    let running = database.open().await;
    let platform = running.store.platform().await.unwrap();
    assert_eq!(platform, Some(scope.organization()));
    let mut view = running.store.view(scope.organization()).await.unwrap();
    assert_eq!(view.agent(agent.id()).await.unwrap(), Some(agent));
}

#[tokio::test]
async fn nobody_else_may_read_the_files() {
    let database = Database::new();
    let running = database.open().await;
    running.organization().await;
    let folder = database.path();
    let mut files = 0;
    for file in fs::read_dir(folder.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", file.file_name());
        files += 1;
    }
    assert_eq!(files, 3, "the database, its log and the log's index");
}

#[tokio::test]
async fn a_database_of_a_newer_release_is_refused() {
    let database = Database::new();
    database.open().await.close().await;
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9999, 'from the future', 1, x'00', 1)",
        )
        .await;
    let refused = database.try_open(Options::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Newer { found: 9999, .. }), "{refused}");
    assert!(refused.to_string().contains("9999"));
}

#[tokio::test]
async fn a_migration_that_was_edited_is_refused() {
    let database = Database::new();
    database.open().await.close().await;
    database.execute("UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let refused = database.try_open(Options::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Migration(_)), "{refused}");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let database = Database::new();
    fs::write(database.path(), "not a database, but longer than a header would be".repeat(9))
        .unwrap();
    let refused = database.try_open(Options::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Database(_)), "{refused}");
    let database = Database::new();
    fs::create_dir(database.path()).unwrap();
    let refused = database.try_open(Options::default()).await.unwrap_err();
    assert!(matches!(refused, OpenError::File(_)), "{refused}");
}

#[tokio::test]
async fn the_store_tells_whether_it_answers() {
    let database = Database::new();
    let running = database.open().await;
    running.store.probe().await.unwrap();
    database.execute("ALTER TABLE organization RENAME TO gone").await;
    assert!(running.store.probe().await.is_err());
}
