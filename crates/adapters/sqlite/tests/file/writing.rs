//! The one writer: its groups, its bounds, and what it does when things go wrong.

use std::{future::Future, pin::Pin, time::Duration};

use audit::{Action, Event, Journal, Transactor, note, record};
use contracts::sample;
use futures_util::future::{join, join_all};
use kernel::StoreError;
use registry::Agents;
use sqlite_store::Options;
use tokio::select;

use crate::database::{Database, spawned};

const EVENTS: &str = "SELECT count(*) FROM audit_event WHERE action = 'access.denied'";
const AGENTS: &str = "SELECT count(*) FROM agent";

fn denied() -> Event {
    Event::failure(Action::AccessDenied)
}

/// Polls a future once.
async fn polled<F: Future + Unpin>(future: &mut F) {
    select! {
        biased;
        _ = future => panic!("it is ready already"),
        () = std::future::ready(()) => {}
    }
}

type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + 'a>>;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_acknowledged_is_there_after_the_file_is_opened_anew() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let event = denied();
    let notes = (0..64).map(|_| running.note(&scope, &event));
    let names: Vec<_> = (0..64).map(|number| format!("agent{number}")).collect();
    let agents = names.iter().map(|name| running.agent(&scope, name));
    let (notes, agents) = join(join_all(notes), join_all(agents)).await;
    assert!(notes.iter().all(Result::is_ok));
    assert!(agents.iter().all(Result::is_ok));
    running.close().await;
    database.open().await.close().await;
    assert_eq!((database.number(EVENTS).await, database.number(AGENTS).await), (64, 64));
}

#[tokio::test]
async fn what_is_queued_when_the_store_closes_is_still_written() {
    let database = Database::new();
    let (store, writer) = database.try_open(Options::default()).await.unwrap();
    let scope = sample::scope(database.machine.organization_id(), database.machine.agent_id());
    let (other, event) = (store.clone(), denied());
    let mut waiting: Waiting<'_, _> = Box::pin(note(&other, &scope, &event));
    polled(&mut waiting).await;
    drop(store);
    let writing = spawned(writer);
    waiting.await.unwrap();
    drop(other);
    writing.await.unwrap();
    assert!(!database.path().with_extension("db-wal").exists(), "all is in the one file");
    assert_eq!(database.number(EVENTS).await, 1);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let database = Database::new();
    let options = Options { queue: 2, ..Options::default() };
    let (store, writer) = database.try_open(options).await.unwrap();
    let scope = sample::scope(database.machine.organization_id(), database.machine.agent_id());
    let event = denied();
    let mut first: Waiting<'_, _> = Box::pin(note(&store, &scope, &event));
    let mut second: Waiting<'_, _> = Box::pin(note(&store, &scope, &event));
    polled(&mut first).await;
    polled(&mut second).await;
    let mut third: Waiting<'_, _> = Box::pin(note(&store, &scope, &event));
    let refused = select! {
        biased;
        refused = &mut third => refused,
        () = std::future::ready(()) => panic!("it waits"),
    };
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.begin(scope.clone()).await, Err(StoreError::Unavailable(_))));
    // Nobody who was taken in is forgotten for it.
    let _writing = spawned(writer);
    first.await.unwrap();
    second.await.unwrap();
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_transaction_is_told_so() {
    let database = Database::new();
    let options = Options { acquire_timeout: Duration::from_millis(20), ..Options::default() };
    let (store, writer) = database.try_open(options).await.unwrap();
    let scope = sample::scope(database.machine.organization_id(), database.machine.agent_id());
    let late = store.begin(scope.clone()).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))));
    // The writer passes over whoever has stopped waiting.
    let _writing = spawned(writer);
    note(&store, &scope, &denied()).await.unwrap();
}

#[tokio::test]
async fn a_note_whose_caller_is_gone_is_not_written() {
    let database = Database::new();
    let (store, writer) = database.try_open(Options::default()).await.unwrap();
    let scope = sample::scope(database.machine.organization_id(), database.machine.agent_id());
    let event = denied();
    let mut gone: Waiting<'_, _> = Box::pin(note(&store, &scope, &event));
    polled(&mut gone).await;
    drop(gone);
    let _writing = spawned(writer);
    note(&store, &scope, &event).await.unwrap();
    assert_eq!(database.number(EVENTS).await, 1);
}

#[tokio::test]
async fn a_holder_that_is_stuck_loses_its_transaction_and_nobody_elses() {
    let database = Database::new();
    let options = Options { patience: Duration::from_millis(50), ..Options::default() };
    let running = database.open_with(options).await;
    let scope = running.organization().await;
    let change = sample::agent_named(&database.machine, scope.organization(), "stuck");
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (mut tx, stuck) = record(tx, change).await.unwrap();
    // This waits behind the transaction, and is served once the writer has lost patience.
    let note = running.note(&scope, &denied()).await;
    assert!(note.is_ok());
    assert!(matches!(tx.agent(stuck.id()).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(tx.commit().await, Err(StoreError::Unavailable(_))));
    assert_eq!((database.number(EVENTS).await, database.number(AGENTS).await), (1, 0));
    running.agent(&scope, "next").await.unwrap();
}

#[tokio::test]
async fn a_holder_that_never_rests_is_cut_off_too() {
    let database = Database::new();
    let options = Options { patience: Duration::from_millis(50), ..Options::default() };
    let running = database.open_with(options).await;
    let scope = running.organization().await;
    let mut tx = running.store.begin(scope.clone()).await.unwrap();
    while tx.agent_count().await.is_ok() {}
    running.agent(&scope, "next").await.unwrap();
}

#[tokio::test]
async fn a_transaction_with_a_statement_given_up_midway_is_never_committed() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let change = sample::agent_named(&database.machine, scope.organization(), "one");
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (mut tx, agent) = record(tx, change).await.unwrap();
    let mut read: Waiting<'_, _> = Box::pin(tx.agent(agent.id()));
    polled(&mut read).await;
    drop(read);
    assert!(matches!(tx.commit().await, Err(StoreError::Unavailable(_))));
    assert_eq!(database.number(AGENTS).await, 0);
}

/// Makes every commit of an agent fail, as a full disk would.
const SABOTAGE: &str = "
    CREATE TABLE nowhere (id BLOB REFERENCES organization (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TRIGGER sabotage AFTER INSERT ON agent
    BEGIN INSERT INTO nowhere VALUES (zeroblob(16)); END;";

#[tokio::test]
async fn a_commit_that_fails_is_told_to_all_and_leaves_nothing() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let before = database.number("SELECT count(*) FROM audit_event").await;
    database.execute(SABOTAGE).await;
    let change = sample::agent_named(&database.machine, scope.organization(), "one");
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (tx, agent) = record(tx, change).await.unwrap();
    // Both of these come into the queue before the commit: the note joins the group, and the next
    // transaction must not see what is not durable.
    let event = denied();
    let mut joined: Waiting<'_, _> = Box::pin(running.note(&scope, &event));
    polled(&mut joined).await;
    let mut next: Waiting<'_, _> = Box::pin(running.store.begin(scope.clone()));
    polled(&mut next).await;
    let (committed, next) = join(tx.commit(), next).await;
    assert!(matches!(committed, Err(StoreError::Unavailable(_))));
    assert!(matches!(joined.await, Err(StoreError::Unavailable(_))));
    assert_eq!(next.unwrap().agent(agent.id()).await.unwrap(), None);
    assert_eq!(database.number("SELECT count(*) FROM audit_event").await, before);

    database.execute("DROP TRIGGER sabotage").await;
    running.agent(&scope, "one").await.unwrap();
    running.note(&scope, &denied()).await.unwrap();
}

#[tokio::test]
async fn a_note_that_is_refused_takes_neither_the_transaction_before_it_nor_other_notes() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let change = sample::agent_named(&database.machine, scope.organization(), "one");
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (tx, _) = record(tx, change).await.unwrap();
    let event = denied();
    let mut first: Waiting<'_, _> = Box::pin(running.note(&scope, &event));
    polled(&mut first).await;
    database.machine.repeat_itself_once();
    let mut doubled: Waiting<'_, _> = Box::pin(running.note(&scope, &event));
    polled(&mut doubled).await;
    let mut last: Waiting<'_, _> = Box::pin(running.note(&scope, &event));
    polled(&mut last).await;
    tx.commit().await.unwrap();
    assert!(matches!(doubled.await, Err(StoreError::Conflict)));
    first.await.unwrap();
    last.await.unwrap();
    assert_eq!((database.number(EVENTS).await, database.number(AGENTS).await), (2, 1));
}

/// What the database holds to be impossible is a bug, and no reason to try again.
#[tokio::test]
async fn a_change_that_a_check_or_a_trigger_refuses_is_told_apart_from_an_outage() {
    for refuse in [
        "CREATE TRIGGER picky BEFORE INSERT ON agent BEGIN SELECT RAISE(ABORT, 'no'); END",
        "CREATE TABLE picky (name TEXT CHECK (name <> 'one@example.com'));
        CREATE TRIGGER picky_follows AFTER INSERT ON agent
        BEGIN INSERT INTO picky VALUES (new.email); END",
        "CREATE TABLE picky (number INTEGER) STRICT;
        CREATE TRIGGER picky_follows AFTER INSERT ON agent
        BEGIN INSERT INTO picky VALUES (new.email); END",
    ] {
        let database = Database::new();
        let running = database.open().await;
        let scope = running.organization().await;
        let before = database.number("SELECT count(*) FROM audit_event").await;
        database.execute(refuse).await;
        let refused = running.agent(&scope, "one").await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refuse}: {refused:?}");
        assert_eq!(database.number("SELECT count(*) FROM audit_event").await, before);
    }
}

/// One among many that a trigger refuses: it alone fails.
#[tokio::test]
async fn a_note_that_the_database_refuses_fails_alone() {
    let database = Database::new();
    let (store, writer) = database.try_open(Options::default()).await.unwrap();
    let scope = sample::scope(database.machine.organization_id(), database.machine.agent_id());
    database
        .execute(
            "CREATE TRIGGER picky BEFORE INSERT ON audit_event WHEN new.action = 'auth.failed'
            BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        .await;
    let (good, bad) = (denied(), Event::failure(Action::AuthFailed));
    let events = (0..99).map(|at| if at == 40 { &bad } else { &good });
    let mut notes: Vec<Waiting<'_, _>> = Vec::new();
    for event in events {
        let mut waiting: Waiting<'_, _> = Box::pin(note(&store, &scope, event));
        polled(&mut waiting).await;
        notes.push(waiting);
    }
    // All of them wait by now: they are one group.
    let _writing = spawned(writer);
    let told = join_all(notes).await;
    let failed: Vec<(i32, _)> = (0..).zip(&told).filter(|(_, told)| told.is_err()).collect();
    assert!(matches!(failed[..], [(40, Err(StoreError::Refused(_)))]), "{failed:?}");
    assert_eq!(database.number(EVENTS).await, 98);
}
