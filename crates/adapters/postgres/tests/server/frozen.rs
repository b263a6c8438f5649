//! A server that stands still keeps none of its own limits: then the store's patience is all.

use std::{sync::Arc, time::Duration};

use audit::{Action, ChangeFeed, Event, Transactor, note};
use contracts::sample::{self, Machine};
use futures_util::future::join_all;
use kernel::{Clock, Entropy, StoreError};
use postgres_store::{Isolation, Login, Options, PostgresStore, migrate};
use servers::Postgres;
use tokio::time::timeout;

use crate::running::{few, spawned, until};

/// Far more than the patience, and far less than for ever.
const BOUND: Duration = Duration::from_secs(20);

async fn store(server: &Postgres) -> (PostgresStore, Machine) {
    let login = Login::parse(&server.url()).unwrap();
    migrate(&login).await.unwrap();
    let machine = Machine::default();
    let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) =
        (machine.clock.clone(), machine.entropy.clone());
    let options = Options { patience: Duration::from_millis(300), ..few() };
    let opened = PostgresStore::open(&login, parts, Isolation::Preferred, &options).await;
    let (store, background) = opened.unwrap();
    spawned(background.run());
    (store, machine)
}

fn is_unavailable<T>(told: &Result<T, StoreError>) -> bool {
    matches!(told, Err(StoreError::Unavailable(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_longer_for_a_frozen_server_than_the_store_has_patience() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Postgres::start(&folder.path().join("postgres")).unwrap();
    let (store, machine) = store(&server).await;
    let scope = sample::scope(machine.organization_id(), machine.agent_id());
    let event = Event::failure(Action::AccessDenied);
    let mut feed = store.feed();
    feed.news().await.unwrap();
    let open = store.view(scope.organization()).await.unwrap();

    server.freeze().unwrap();
    // More of them than there are connections, each after the other's failure.
    for _ in 0..2 {
        let begun = join_all((0..5).map(|_| store.begin(scope.clone())));
        for told in timeout(BOUND, begun).await.unwrap() {
            assert!(is_unavailable(&told), "{told:?}");
        }
        let noted = join_all((0..5).map(|_| note(&store, &scope, &event)));
        for told in timeout(BOUND, noted).await.unwrap() {
            assert!(is_unavailable(&told), "{told:?}");
        }
        assert!(is_unavailable(&timeout(BOUND, store.probe()).await.unwrap()));
        assert!(is_unavailable(&timeout(BOUND, feed.news()).await.unwrap()));
    }
    drop(open);

    server.thaw().unwrap();
    heals(&store, &scope, &event).await;
    server.kill().unwrap();
    assert!(is_unavailable(&note(&store, &scope, &event).await));
    server.restart().unwrap();
    heals(&store, &scope, &event).await;
}

/// By itself, and wholly.
async fn heals(store: &PostgresStore, scope: &tenancy::Scope, event: &Event) {
    until("a note is written", async || note(store, scope, event).await.is_ok()).await;
    until("every connection is good", async || {
        let views = join_all((0..3).map(|_| store.view(scope.organization()))).await;
        views.iter().all(Result::is_ok)
    })
    .await;
    until("a change begins", async || store.begin(scope.clone()).await.is_ok()).await;
}
