//! Futures that are dropped wherever they happen to be: nothing acknowledged is lost, and nothing
//! is left open.

use std::future::Future;

use audit::{Action, AuditLog, Event, Transactor};
use contracts::sample;
use kernel::StoreError;
use registry::{AgentFilter, Agents};
use sqlite_store::Options;
use sqlx::Executor;
use tokio::{select, task::yield_now};

use crate::database::Database;

/// Lets a future run for so many turns, then drops it. The outcome, if it came so far.
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

/// Lets the other threads of the database come to different points from round to round.
fn turns(round: u32) -> u32 {
    (round * round) % 97 * (1 + round % 13)
}

#[tokio::test]
async fn no_acknowledged_write_is_lost_and_none_is_left_open() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let mut acknowledged = Vec::new();
    let mut finished = [0; 2];
    for round in 0..400 {
        let name = format!("agent{round}");
        // Some are never cut, however slow the machine.
        let turns_left = if round % 8 == 0 { u32::MAX } else { turns(round) };
        let done = cut_after(turns_left, running.agent(&scope, &name)).await;
        let done: Option<Result<_, StoreError>> = done;
        finished[usize::from(done.is_some())] += 1;
        if let Some(agent) = done {
            acknowledged.push(agent.unwrap());
        }
        let event = Event::failure(Action::AccessDenied).with("round", round);
        if let Some(id) = cut_after(turns(round + 7), running.note(&scope, &event)).await {
            let mut view = running.store.view(scope.organization()).await.unwrap();
            assert!(view.event(id.unwrap()).await.unwrap().is_some());
        }
    }
    assert!(finished.iter().all(|times| *times > 20), "cut and finished: {finished:?}");
    let mut view = running.store.view(scope.organization()).await.unwrap();
    for agent in acknowledged {
        assert_eq!(view.agent(agent.id()).await.unwrap(), Some(agent));
    }
    drop(view);
    running.agent(&scope, "last").await.unwrap();
    let without = "SELECT count(*) FROM agent WHERE last_event NOT IN (SELECT id FROM audit_event)";
    assert_eq!(database.number(without).await, 0);
    let created = "SELECT count(*) FROM audit_event WHERE action = 'agent.created'";
    let agents = database.number("SELECT count(*) FROM agent").await;
    assert_eq!(database.number(created).await, agents);
    // Nobody holds the file: a stranger may write.
    database.stranger().await.execute("BEGIN IMMEDIATE").await.unwrap();
}

#[tokio::test]
async fn a_view_that_is_dropped_anywhere_leaves_no_transaction_in_the_pool() {
    let database = Database::new();
    let running = database.open_with(Options { readers: 1, ..Options::default() }).await;
    let scope = running.organization().await;
    let mut finished = [0; 2];
    for round in 0..300 {
        let read = async {
            let mut view = running.store.view(scope.organization()).await?;
            view.agents(&AgentFilter::default(), sample::numbered(1, 5)).await
        };
        let done = cut_after(turns(round), read).await;
        finished[usize::from(done.is_some())] += 1;
        done.transpose().unwrap();
        if round % 10 == 0 {
            // The one connection must be good, and see what is new.
            let agent = running.agent(&scope, &format!("agent{round}")).await.unwrap();
            let mut view = running.store.view(scope.organization()).await.unwrap();
            assert_eq!(view.agent(agent.id()).await.unwrap(), Some(agent));
        }
    }
    assert!(finished.iter().all(|times| *times > 20), "cut and finished: {finished:?}");
}
