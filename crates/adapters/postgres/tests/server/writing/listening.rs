//! Whoever keeps copies is told where nobody knows whether a change was committed.

use audit::{Changed, Journal, Transactor, record};
use contracts::sample;
use kernel::StoreError;
use tenancy::Kind;

use super::{KILL_ALL, WAITING, Waiting};
use crate::running::{Running, until};

/// Makes a commit wait: what is checked at its end waits for somebody.
const SLOW_COMMIT: &str = "
    CREATE FUNCTION wait_at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON agent DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait_at_commit()";

#[tokio::test]
async fn a_change_is_told_of_where_its_commit_has_no_known_end() {
    let running = Running::fresh().await;
    let scope = running.organization("first", Kind::Platform).await;
    running.database.execute(SLOW_COMMIT).await;
    let mut holder = running.database.connection().await;
    sqlx::Executor::execute(&mut holder, "SELECT pg_advisory_lock(77)").await.unwrap();
    let change = sample::agent_named(&running.machine, scope.organization(), "one");
    let id = change.after().id();
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (tx, _) = record(tx, change).await.unwrap();
    let _ = running.machine.heard.take();
    let mut commit: Waiting<'_, _> = Box::pin(tx.commit());
    until("the commit waits", async || {
        let early = futures_util::FutureExt::now_or_never(&mut commit);
        assert!(early.is_none(), "{early:?}");
        running.database.number(WAITING).await == 1
    })
    .await;
    assert_eq!(running.machine.heard.take(), []);
    running.database.execute(KILL_ALL).await;
    let unknown = commit.await;
    assert!(matches!(unknown, Err(StoreError::Unavailable(_))), "{unknown:?}");
    let told = Changed { organization: scope.organization(), resource: id.into() };
    assert_eq!(running.machine.heard.take(), [told]);
}

#[tokio::test]
async fn a_change_is_told_of_where_nobody_waits_for_its_commit() {
    let running = Running::fresh().await;
    let scope = running.organization("first", Kind::Platform).await;
    let change = sample::agent_named(&running.machine, scope.organization(), "one");
    let id = change.after().id();
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (tx, _) = record(tx, change).await.unwrap();
    let _ = running.machine.heard.take();
    let mut commit: Waiting<'_, _> = Box::pin(tx.commit());
    super::polled(&mut commit).await;
    drop(commit);
    let told = Changed { organization: scope.organization(), resource: id.into() };
    assert_eq!(running.machine.heard.take(), [told]);
}
