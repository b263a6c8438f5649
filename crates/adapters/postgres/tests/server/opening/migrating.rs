//! `idp migrate`: again, at once, cut off, and by whom.

use std::future::Future;

use futures_util::future::join_all;
use postgres_store::{Isolation, Login, MigrateError, migrate};
use sqlx::{ConnectOptions, Executor};
use tokio::{select, task::yield_now};

use super::silent;
use crate::{
    running::{few, open, spawned, until},
    support::Database,
};

const RUN: &str = "SELECT count(*) FROM _sqlx_migrations WHERE success";
const SESSIONS: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'";
const WAITING: &str = "
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
const KILL: &str = "
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'";

async fn works(database: &Database) {
    let (store, _background) = open(database, &contracts::sample::Machine::default(), &few()).await;
    store.probe().await.unwrap();
}

#[tokio::test]
async fn migrating_again_does_nothing() {
    let database = Database::empty().await;
    migrate(&database.login()).await.unwrap();
    let catalogue = "SELECT count(*) FROM pg_class";
    let before = database.number(catalogue).await;
    migrate(&database.login()).await.unwrap();
    assert_eq!(database.number(catalogue).await, before);
    works(&database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sm_07_those_that_migrate_at_once_all_succeed_and_make_one_schema() {
    for _ in 0..3 {
        let database = Database::empty().await;
        let login = database.login();
        for done in join_all((0..4).map(|_| migrate(&login))).await {
            done.unwrap();
        }
        assert_eq!(database.number(RUN).await, 4);
        works(&database).await;
    }
}

/// Lets a future run for so many turns, then drops it.
async fn cut_after<T>(turns: u32, future: impl Future<Output = T>) -> Option<T> {
    let mut future = std::pin::pin!(future);
    for _ in 0..turns {
        let done = select! {
            biased;
            done = &mut future => Some(done),
            () = yield_now() => None,
        };
        if done.is_some() {
            return done;
        }
    }
    None
}

#[tokio::test]
async fn mu_02_a_migration_that_is_cut_off_anywhere_is_completed_by_the_next() {
    for round in 0_u32..12 {
        let database = Database::empty().await;
        let login = database.login();
        let _ = cut_after(1 << round, migrate(&login)).await;
        migrate(&login).await.unwrap();
        assert_eq!(database.number(RUN).await, 4);
        works(&database).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mu_02_a_migration_whose_session_is_killed_is_completed_by_the_next() {
    let mut killed = 0;
    for round in 0..12 {
        let database = Database::empty().await;
        let login = database.login();
        let mut administrator = database.connection().await;
        let killer = async {
            for look in 0..200 {
                let sql = if look < round * 2 { SESSIONS } else { KILL };
                let sessions: i64 =
                    sqlx::query_scalar(sql).fetch_one(&mut administrator).await.unwrap();
                if look >= round * 2 && sessions > 0 {
                    break;
                }
            }
        };
        let (cut, ()) = futures_util::future::join(migrate(&login), killer).await;
        killed += u32::from(cut.is_err());
        migrate(&login).await.unwrap();
        assert_eq!(database.number(RUN).await, 4);
        works(&database).await;
    }
    assert!(killed > 0, "none was killed in time");
}

/// Whoever runs later migrations needs no more than the owner's rights.
#[tokio::test]
async fn a_migrator_that_may_grant_nothing_migrates_once_the_roles_are_there() {
    let database = Database::migrated().await;
    database
        .execute(
            "DROP OWNED BY idp_owner CASCADE; GRANT CREATE, USAGE ON SCHEMA public TO idp_owner",
        )
        .await;
    let name = format!("idp_test_migrator_{}", std::process::id());
    database.execute(&format!("CREATE ROLE {name} LOGIN IN ROLE idp_migrator")).await;
    let url = database.options().username(&name).to_url_lossy();
    migrate(&Login::parse(url.as_str()).unwrap()).await.unwrap();
    assert_eq!(database.number(RUN).await, 4);
    works(&database).await;
    // But it is nobody to serve requests.
    let refused = super::try_open(url.as_str(), Isolation::Demanded).await;
    assert!(refused.to_string().contains("GRANT idp_app TO"), "{refused}");
    database.execute(&format!("DROP ROLE {name}")).await;
}

#[tokio::test]
async fn somebody_who_may_make_no_roles_is_told_who_may() {
    let (_roles, database) = (Database::migrated().await, Database::empty().await);
    let name = format!("idp_test_nobody_{}", std::process::id());
    database.execute(&format!("CREATE ROLE {name} LOGIN")).await;
    let url = database.options().username(&name).password(super::CANARY).to_url_lossy();
    let refused = migrate(&Login::parse(url.as_str()).unwrap()).await.unwrap_err();
    silent(&refused);
    assert!(matches!(refused, MigrateError::Roles(_)), "{refused}");
    database.execute(&format!("DROP ROLE {name}")).await;
}

/// As in version 14, where everybody may.
#[tokio::test]
async fn au_08_what_everybody_may_define_nobody_may_after_a_migration() {
    let database = Database::empty().await;
    database.execute("GRANT CREATE ON SCHEMA public TO PUBLIC").await;
    migrate(&database.login()).await.unwrap();
    let mut server = database.as_server().await;
    server.execute("CREATE TABLE mine (id int)").await.unwrap_err();
    server.execute("CREATE TEMPORARY TABLE agent (id int)").await.unwrap_err();
}

#[tokio::test]
async fn a_database_of_a_later_build_is_not_migrated() {
    let database = Database::migrated().await;
    database
        .execute(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9999, 'from the future', true, '', 1)",
        )
        .await;
    let refused = migrate(&database.login()).await.unwrap_err();
    assert!(matches!(refused, MigrateError::Newer { found: 9999, known: 4 }), "{refused}");
}

/// However long the other one takes: that is no lock which a server waits behind.
#[tokio::test]
async fn sm_07_whoever_finds_another_migrating_waits_for_its_end() {
    let database = Database::empty().await;
    let mut other = database.connection().await;
    other.execute("SELECT pg_advisory_lock(hashtext('idp migrate'))").await.unwrap();
    let login = database.login();
    let waiting = spawned(async move { migrate(&login).await });
    until("it waits", async || database.number(WAITING).await == 1).await;
    other.execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    waiting.await.unwrap().unwrap();
    works(&database).await;
}

/// Whoever serves requests is not made to wait behind a migration that waits itself.
#[tokio::test]
async fn mu_03_a_migration_that_waits_for_a_lock_gives_up() {
    let database = Database::migrated().await;
    let mut holder = database.connection().await;
    holder.execute("BEGIN; LOCK TABLE _sqlx_migrations IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let refused = migrate(&database.login()).await.unwrap_err();
    let told = format!("{refused:?}");
    assert!(matches!(refused, MigrateError::Migration(_)) && told.contains("55P03"), "{told}");
    holder.execute("ROLLBACK").await.unwrap();
    until("it works again", async || migrate(&database.login()).await.is_ok()).await;
}
