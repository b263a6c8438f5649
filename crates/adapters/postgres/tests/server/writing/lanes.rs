//! Changes of one organization wait for each other, and for no other organization's.

use std::time::Duration;

use audit::{Journal, Transactor, record};
use contracts::sample;
use futures_util::{FutureExt, future::join_all};
use kernel::StoreError;
use postgres_store::Options;
use registry::Agents;
use tenancy::Kind;

use super::{Waiting, polled};
use crate::running::{Running, few, open, spawned, until};

fn patient() -> Options {
    Options { connections: 2, patience: Duration::from_secs(20), ..few() }
}

const ADVISORY: &str = "
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

#[tokio::test]
async fn transactions_of_different_organizations_commit_in_either_order() {
    let running = Running::with(patient()).await;
    let first = running.organization("first", Kind::Platform).await;
    let second = running.organization("second", Kind::Tenant).await;
    for swapped in [false, true] {
        let name = format!("agent-{swapped}");
        let change = |scope: &tenancy::Scope| {
            sample::agent_named(&running.machine, scope.organization(), &name)
        };
        let one = running.store.begin(first.clone()).await.unwrap();
        let (one, _) = record(one, change(&first)).await.unwrap();
        let other = running.store.begin(second.clone()).await.unwrap();
        let (other, _) = record(other, change(&second)).await.unwrap();
        let order = if swapped { [other, one] } else { [one, other] };
        for tx in order {
            tx.commit().await.unwrap();
        }
    }
    assert_eq!(running.database.number("SELECT count(*) FROM agent").await, 4);
}

#[tokio::test]
async fn transactions_of_one_organization_wait_for_each_other() {
    let running = Running::with(patient()).await;
    let scope = running.organization("first", Kind::Platform).await;
    let change = sample::agent_named(&running.machine, scope.organization(), "one");
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (tx, agent) = record(tx, change).await.unwrap();
    let mut next: Waiting<'_, _> = Box::pin(running.store.begin(scope.clone()));
    polled(&mut next).await;
    tx.commit().await.unwrap();
    // What it waited for, it sees.
    assert_eq!(next.await.unwrap().agent(agent.id()).await.unwrap(), Some(agent));
}

/// Another replica's transaction is waited for by the database.
#[tokio::test]
async fn transactions_of_one_organization_wait_for_each_other_across_replicas() {
    let running = Running::with(patient()).await;
    let scope = running.organization("first", Kind::Platform).await;
    let (replica, _background) = open(&running.database, &running.machine, &patient()).await;
    let change = sample::agent_named(&running.machine, scope.organization(), "one");
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let (tx, agent) = record(tx, change).await.unwrap();
    let mut next: Waiting<'_, _> = Box::pin(replica.begin(scope.clone()));
    until("the other replica waits", async || {
        assert!((&mut next).now_or_never().is_none(), "it does not wait");
        running.database.number(ADVISORY).await == 1
    })
    .await;
    tx.commit().await.unwrap();
    assert_eq!(next.await.unwrap().agent(agent.id()).await.unwrap(), Some(agent));
}

#[tokio::test]
async fn rl_03_an_organization_that_waits_takes_no_connection_from_another() {
    let running = Running::with(patient()).await;
    let busy = running.organization("busy", Kind::Platform).await;
    let other = running.organization("other", Kind::Tenant).await;
    let tx = running.store.begin(busy.clone()).await.unwrap();
    let mut queue: Vec<Waiting<'_, _>> = Vec::new();
    for _ in 0..5 {
        let mut waiting: Waiting<'_, _> = Box::pin(running.store.begin(busy.clone()));
        polled(&mut waiting).await;
        queue.push(waiting);
    }
    running.agent(&other, "one").await.unwrap();
    running.store.view(other.organization()).await.unwrap();
    drop(tx);
    for waiting in queue {
        drop(waiting.await.unwrap());
    }
}

#[tokio::test]
async fn whoever_waits_too_long_for_a_turn_is_told_so() {
    let running = Running::fresh().await;
    let scope = running.organization("first", Kind::Platform).await;
    let options = Options { patience: Duration::from_millis(50), ..few() };
    let (hasty, _background) = open(&running.database, &running.machine, &options).await;
    let held = running.store.begin(scope.clone()).await.unwrap();
    let late = hasty.begin(scope.clone()).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    drop(held);
    until("the turn comes", async || hasty.begin(scope.clone()).await.is_ok()).await;
}

const SESSIONS: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'";

/// However many connections lie idle, one request that is out of time must not try them all.
#[tokio::test]
async fn rl_03_one_that_waits_too_long_costs_its_own_connection_and_no_other() {
    let running = Running::with(patient()).await;
    let busy = running.organization("busy", Kind::Platform).await;
    let options = Options { connections: 6, patience: Duration::from_millis(400), ..few() };
    let (replica, background) = open(&running.database, &running.machine, &options).await;
    spawned(background.run());
    for _ in 0..2 {
        let views = join_all((0..6).map(|_| replica.view(busy.organization()))).await;
        assert!(views.iter().all(Result::is_ok));
        drop(views);
        let returned = async || running.database.number(OPEN).await == 0;
        until("all are given back", returned).await;
    }
    let before = running.database.number(SESSIONS).await;
    let held = running.store.begin(busy.clone()).await.unwrap();
    let late = join_all((0..2).map(|_| replica.begin(busy.clone()))).await;
    assert!(late.iter().all(|late| matches!(late, Err(StoreError::Unavailable(_)))), "{late:?}");
    assert!(running.database.number(ADVISORY).await <= 1);
    assert!(running.database.number(SESSIONS).await >= before - 2);
    drop(held);
    running.agent(&busy, "one").await.unwrap();
}

const OPEN: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'
        AND state IN ('active', 'idle in transaction')";
