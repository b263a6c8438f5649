//! Notes: what waits is written together, and everybody is told of their own.

use std::time::Duration;

use audit::{Action, Event, note};
use contracts::sample;
use futures_util::future::{join, join_all};
use kernel::StoreError;
use postgres_store::{Background, Options, PostgresStore};
use tenancy::Scope;

use super::{EVENTS, GROUPS, KILL_ALL, Waiting, denied, locked, polled, unlock, waiting};
use crate::{
    running::{Running, few, open, spawned},
    support::Database,
};
use contracts::sample::Machine;

/// A store whose writer does not run yet, so that all that is queued is one group.
async fn asleep(options: &Options) -> (Database, PostgresStore, Background, Scope) {
    let (database, machine) = (Database::migrated().await, Machine::default());
    let (store, background) = open(&database, &machine, options).await;
    let scope = sample::scope(machine.organization_id(), machine.agent_id());
    (database, store, background, scope)
}

async fn queued<'a>(
    store: &'a PostgresStore,
    scope: &'a Scope,
    events: impl Iterator<Item = &'a Event>,
) -> Vec<Waiting<'a, kernel::EventId>> {
    let mut notes: Vec<Waiting<'a, _>> = Vec::new();
    for event in events {
        let mut waiting: Waiting<'_, _> = Box::pin(note(store, scope, event));
        polled(&mut waiting).await;
        notes.push(waiting);
    }
    notes
}

#[tokio::test]
async fn what_waits_is_written_by_one_statement() {
    let (database, store, background, scope) = asleep(&few()).await;
    let event = denied();
    let notes = queued(&store, &scope, std::iter::repeat_n(&event, 500)).await;
    let _writing = spawned(background.run());
    assert!(join_all(notes).await.iter().all(Result::is_ok));
    assert_eq!((database.number(EVENTS).await, database.number(GROUPS).await), (500, 1));
}

/// While one group waits for the database, all that comes is the next one.
#[tokio::test]
async fn what_comes_while_a_group_is_written_is_the_next_group() {
    let running = Running::with(Options { patience: Duration::from_secs(20), ..few() }).await;
    let scope = running.organization("first", tenancy::Kind::Tenant).await;
    let event = denied();
    let lock = locked(&running.database).await;
    let mut first: Waiting<'_, _> = Box::pin(running.note(&scope, &event));
    polled(&mut first).await;
    waiting(&running.database, 1).await;
    let later = queued(&running.store, &scope, std::iter::repeat_n(&event, 300)).await;
    unlock(lock).await;
    let (first, later) = join(first, join_all(later)).await;
    assert!(first.is_ok() && later.iter().all(Result::is_ok));
    let database = &running.database;
    assert_eq!((database.number(EVENTS).await, database.number(GROUPS).await), (301, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notes_at_once_take_far_fewer_transactions_than_there_are() {
    let running = Running::fresh().await;
    let scope = running.organization("first", tenancy::Kind::Tenant).await;
    let event = denied();
    let told = join_all((0..500).map(|_| running.note(&scope, &event))).await;
    assert!(told.iter().all(Result::is_ok));
    let (events, groups) =
        (running.database.number(EVENTS).await, running.database.number(GROUPS).await);
    assert_eq!(events, 500);
    assert!(groups < 100, "{groups} groups");
}

/// Nobody comes after it, and nothing waits for a clock: it is written.
#[tokio::test]
async fn a_single_note_is_written_at_once() {
    let running = Running::fresh().await;
    let scope = running.organization("first", tenancy::Kind::Tenant).await;
    for done in 1..=3 {
        running.note(&scope, &denied()).await.unwrap();
        assert_eq!(running.database.number(EVENTS).await, done);
    }
}

#[tokio::test]
async fn each_bad_event_fails_alone_wherever_it_stands() {
    let bad = Event::failure(Action::AuthFailed);
    let good = denied();
    for wrong in [&[0][..], &[40], &[98], &[0, 98], &[3, 4], &[]] {
        let (database, store, background, scope) = asleep(&few()).await;
        database
            .execute(
                "CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'check_violation'; END $$;
                CREATE TRIGGER picky BEFORE INSERT ON audit_event FOR EACH ROW
                    WHEN (new.action = 'auth.failed') EXECUTE FUNCTION picky()",
            )
            .await;
        let events = (0..99).map(|at| if wrong.contains(&at) { &bad } else { &good });
        let notes = queued(&store, &scope, events).await;
        let _writing = spawned(background.run());
        let told = join_all(notes).await;
        for (at, told) in (0..).zip(&told) {
            let as_it_should = if wrong.contains(&at) {
                matches!(told, Err(StoreError::Refused(_)))
            } else {
                told.is_ok()
            };
            assert!(as_it_should, "{wrong:?}: {at}: {told:?}");
        }
        let kept = 99 - i64::try_from(wrong.len()).unwrap();
        assert_eq!(database.number(EVENTS).await, kept);
        // The others are not written one by one.
        let groups = database.number(GROUPS).await;
        assert!(groups <= 14, "{wrong:?}: {groups} groups");
    }
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (_database, store, background, scope) = asleep(&Options { queue: 2, ..few() }).await;
    let event = denied();
    let taken = queued(&store, &scope, std::iter::repeat_n(&event, 2)).await;
    let refused = futures_util::FutureExt::now_or_never(note(&store, &scope, &event));
    assert!(matches!(refused, Some(Err(StoreError::Unavailable(_)))), "{refused:?}");
    // Nobody who was taken in is forgotten for it.
    let _writing = spawned(background.run());
    assert!(join_all(taken).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn au_02_a_log_that_is_locked_ends_in_a_refusal_and_no_change() {
    let running = Running::with(Options { patience: Duration::from_millis(300), ..few() }).await;
    let scope = running.organization("first", tenancy::Kind::Tenant).await;
    let lock = locked(&running.database).await;
    let event = denied();
    let notes = join_all((0..20).map(|_| running.note(&scope, &event)));
    let (notes, agent) = join(notes, running.agent(&scope, "one")).await;
    for told in notes {
        assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
    }
    assert!(matches!(agent, Err(StoreError::Unavailable(_))), "{agent:?}");
    unlock(lock).await;
    assert_eq!(running.database.number("SELECT count(*) FROM agent").await, 0);
    running.agent(&scope, "one").await.unwrap();
    running.note(&scope, &event).await.unwrap();
}

#[tokio::test]
async fn a_session_that_is_killed_costs_its_group_and_no_other() {
    let running = Running::fresh().await;
    let scope = running.organization("first", tenancy::Kind::Tenant).await;
    let event = denied();
    running.note(&scope, &event).await.unwrap();
    let mut acknowledged = 1;
    for during in [false, true, false, true] {
        let before = running.database.number(EVENTS).await;
        let lock = if during { Some(locked(&running.database).await) } else { None };
        let mut notes = queued(&running.store, &scope, std::iter::repeat_n(&event, 20)).await;
        if during {
            waiting(&running.database, 1).await;
        }
        running.database.execute(KILL_ALL).await;
        if let Some(lock) = lock {
            unlock(lock).await;
        }
        let told = join_all(notes.drain(..)).await;
        let written = told.iter().filter(|told| told.is_ok()).count();
        for told in told.iter().filter(|told| told.is_err()) {
            assert!(matches!(told, Err(StoreError::Unavailable(_))), "{told:?}");
        }
        acknowledged += i64::try_from(written).unwrap();
        assert!(running.database.number(EVENTS).await >= before + i64::try_from(written).unwrap());
        // The next group finds another session.
        running.note(&scope, &event).await.unwrap();
        acknowledged += 1;
    }
    assert!(running.database.number(EVENTS).await >= acknowledged);
}

#[tokio::test]
async fn whoever_hung_up_is_passed_over_and_stops_nobody() {
    let (database, store, background, scope) = asleep(&few()).await;
    let event = denied();
    let mut notes = queued(&store, &scope, std::iter::repeat_n(&event, 9)).await;
    for at in [8, 4, 0] {
        drop(notes.remove(at));
    }
    let _writing = spawned(background.run());
    assert!(join_all(notes).await.iter().all(Result::is_ok));
    assert_eq!(database.number(EVENTS).await, 6);
}

#[tokio::test]
async fn what_is_queued_when_the_store_closes_is_still_written() {
    let (database, store, background, scope) = asleep(&few()).await;
    let (other, event) = (store.clone(), denied());
    let notes = queued(&other, &scope, std::iter::repeat_n(&event, 30)).await;
    drop(store);
    let writing = spawned(background.run());
    assert!(join_all(notes).await.iter().all(Result::is_ok));
    drop(other);
    writing.await.unwrap();
    assert_eq!(database.number(EVENTS).await, 30);
}
