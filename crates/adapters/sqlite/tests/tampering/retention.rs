//! What is over is erased once it was announced for an hour under a checkpoint, and nothing that is
//! evidence: as a server's runs do it, by a clock that is moved.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use audit::{
    Action, Journal, LogReader, LogState, Logs, SequencerId, Transactor, Trimmed, Turn,
    delivery::DeliveryFailed, note, record, sequence::Breach,
};
use contracts::{
    sample::{self, Machine},
    tampering::{Post, installation},
};
use kernel::{OrganizationId, StoreError};
use sqlite_store::{Options, SqliteStore};
use tempfile::TempDir;
use tenancy::{Kind, Plan, Plans, Scope};
use tokio::task::JoinHandle;
use usecases::log::{LogObserver, RetentionRules, Sequencer, retain};

use crate::{
    owned::{execute, owner, spawned, without_triggers},
    post::post,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Which logs could not be worked on.
#[derive(Default)]
struct Failed(Mutex<Vec<OrganizationId>>);

impl LogObserver for Failed {
    fn sequenced(&self, _: usize) {}
    fn signed(&self, _: Duration) {}
    fn halted(&self, _: OrganizationId, _: &Breach) {}
    fn failed(&self, organization: OrganizationId, _: &StoreError) {
        self.0.lock().unwrap().push(organization);
    }
    fn left(&self) {}
    fn stayed(&self, _: OrganizationId, _: &DeliveryFailed) {}
    fn cosigned(&self, _: OrganizationId) {}
    fn contested(&self, _: OrganizationId, _: &str) {}
}

/// A server whose logs are of the plan that keeps content for 90 days.
struct Server {
    folder: TempDir,
    machine: Machine,
    store: SqliteStore,
    sequencer: Sequencer<SqliteStore>,
    failed: Arc<Failed>,
    rules: RetentionRules,
    /// Its first log.
    first: Scope,
    _post: Post,
    _writing: JoinHandle<()>,
}

impl Server {
    /// With one log of six events.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::default();
        let parts = (machine.clock.clone(), machine.entropy.clone());
        let path = folder.path().join("idp.db");
        let opened = SqliteStore::open(&path, parts.0, parts.1, Options::default()).await;
        let (store, writer) = opened.unwrap();
        let writing = spawned(writer);
        let post = post(folder.path(), &machine).await;
        let failed = Arc::<Failed>::default();
        let observer = Arc::<Failed>::clone(&failed);
        let sequencer = installation::sequencer(store.clone(), &machine, &post, observer);
        let first = founded(&store, &machine, "first").await;
        let platform = machine.organization_id();
        let rules = RetentionRules { plans: Plans::default(), personal_data_days: 90, platform };
        let (_post, _writing) = (post, writing);
        let server =
            Self { folder, machine, store, sequencer, failed, rules, first, _post, _writing };
        server.events(5).await;
        server.sequence().await;
        server
    }

    async fn events(&self, count: u32) {
        let event = sample::whole_event(Action::AccessDenied);
        for _ in 0..count {
            note(&self.store, &self.first, &event).await.unwrap();
        }
    }

    async fn sequence(&self) {
        installation::until_idle(&self.sequencer).await;
    }

    /// Does what a server does once an hour. Gives back how many logs failed.
    async fn run(&self) -> usize {
        let clock = &*self.machine.clock;
        retain(&self.store, &self.rules, clock, &*self.failed).await.unwrap()
    }

    async fn state_of(&self, log: &Scope) -> LogState {
        self.store.view(log.organization()).await.unwrap().log_state().await.unwrap()
    }

    /// Up to which position what may be erased.
    async fn announced(&self) -> u64 {
        let Trimmed { content, personal_data } = self.state_of(&self.first).await.trimmed;
        assert_eq!(content, personal_data, "this server keeps both for as long");
        content
    }

    /// How many events are erased.
    async fn erased(&self) -> u64 {
        self.erased_of(&self.first).await
    }

    async fn erased_of(&self, log: &Scope) -> u64 {
        let mut view = self.store.view(log.organization()).await.unwrap();
        let leaves = view.leaves(0, 1_000).await.unwrap();
        leaves.iter().filter(|leaf| leaf.event.is_none()).count().try_into().unwrap()
    }

    /// Lets the days of the plan go by, and announces that six events are over.
    async fn announce(&self) {
        self.machine.wait(91 * DAY);
        assert_eq!(self.run().await, 0);
        assert_eq!(self.announced().await, 6);
        self.sequence().await;
    }

    async fn halt(&self) {
        let id = SequencerId(1);
        let turn = self.store.turn(self.first.organization(), id).await.unwrap();
        let mut turn = turn.unwrap();
        turn.halt("of a test").await.unwrap();
        turn.commit().await.unwrap();
    }

    /// Does that as the owner of the file.
    async fn tamper(&self, sql: String) {
        let mut owner = owner(&self.folder.path().join("idp.db")).await;
        without_triggers(&mut owner).await;
        execute(&mut owner, sql).await;
    }
}

async fn founded(store: &SqliteStore, machine: &Machine, slug: &str) -> Scope {
    let change = sample::founded(machine, slug, Kind::Tenant, Plan::Free);
    let scope = sample::scope(change.after().id(), machine.agent_id());
    let tx = store.begin(scope.clone()).await.unwrap();
    let (tx, _) = record(tx, change).await.unwrap();
    tx.commit().await.unwrap();
    scope
}

#[tokio::test]
async fn what_was_announced_is_erased_an_hour_later_and_not_before() {
    let server = Server::new().await;
    server.announce().await;
    assert_eq!(server.erased().await, 0, "what is announced is not erased in the same run");
    server.machine.wait(HOUR - MINUTE);
    server.run().await;
    assert_eq!(server.erased().await, 0);
    server.machine.wait(MINUTE);
    server.run().await;
    assert_eq!(server.erased().await, 6);
}

#[tokio::test]
async fn au_04_what_no_checkpoint_says_is_announced_is_not_erased() {
    let server = Server::new().await;
    server.machine.wait(91 * DAY);
    server.run().await;
    server.machine.wait(2 * HOUR);
    server.run().await;
    assert_eq!((server.announced().await, server.erased().await), (6, 0));
    server.sequence().await;
    server.run().await;
    assert_eq!(server.erased().await, 6);
}

#[tokio::test]
async fn au_04_marks_that_no_event_tells_of_let_nothing_be_erased() {
    let server = Server::new().await;
    server
        .tamper("UPDATE audit_log SET content_before = 6, personal_data_before = 6".to_owned())
        .await;
    server.machine.wait(91 * DAY);
    server.run().await;
    server.machine.wait(2 * HOUR);
    server.run().await;
    assert_eq!(server.erased().await, 0);
}

#[tokio::test]
async fn a_log_that_grows_all_the_time_is_trimmed_once_a_day_and_erased_all_the_same() {
    let server = Server::new().await;
    server.machine.wait(2 * HOUR);
    server.events(3).await;
    server.sequence().await;
    server.machine.wait(90 * DAY - HOUR);
    server.run().await;
    server.sequence().await;
    assert_eq!((server.announced().await, server.erased().await), (6, 0));
    server.machine.wait(2 * HOUR);
    server.run().await;
    assert_eq!((server.announced().await, server.erased().await), (6, 6));
    server.machine.wait(22 * HOUR);
    server.run().await;
    server.sequence().await;
    assert_eq!((server.announced().await, server.erased().await), (9, 6));
    server.machine.wait(2 * HOUR);
    server.run().await;
    assert_eq!(server.erased().await, 9);
}

#[tokio::test]
async fn au_04_a_log_that_is_halted_loses_nothing_and_announces_nothing() {
    let server = Server::new().await;
    server.machine.wait(91 * DAY);
    server.halt().await;
    server.run().await;
    assert_eq!(server.announced().await, 0);

    let server = Server::new().await;
    server.announce().await;
    server.halt().await;
    server.machine.wait(2 * HOUR);
    assert_eq!(server.run().await, 0, "that is no failure");
    assert_eq!(server.erased().await, 0);
}

#[tokio::test]
async fn what_was_announced_by_a_clock_that_is_put_right_stays() {
    let server = Server::new().await;
    server.announce().await;
    server.machine.wind_back(91 * DAY);
    for _ in 0..3 {
        server.run().await;
        server.sequence().await;
        server.machine.wait(2 * HOUR);
    }
    assert_eq!((server.announced().await, server.erased().await), (6, 0));
    // In time it is over by the right clock as well.
    server.machine.wait(92 * DAY);
    server.run().await;
    assert_eq!(server.erased().await, 6);
}

#[tokio::test]
async fn what_was_announced_by_too_few_days_stays_once_they_are_put_right() {
    let mut server = Server::new().await;
    let right = server.rules;
    server.rules.plans.free.audit_retention_days = 9;
    server.machine.wait(10 * DAY);
    server.run().await;
    server.sequence().await;
    assert_eq!(server.announced().await, 6);
    server.rules = right;
    server.machine.wait(2 * HOUR);
    server.run().await;
    assert_eq!(server.erased().await, 0);
    server.machine.wait(81 * DAY);
    server.run().await;
    assert_eq!(server.erased().await, 6);
}

#[tokio::test]
async fn a_log_that_fails_is_told_of_and_keeps_no_other_one_waiting() {
    let server = Server::new().await;
    let second = founded(&server.store, &server.machine, "second").await;
    server.sequence().await;
    server.announce().await;
    let broken = server.first.organization();
    server
        .tamper(format!(
            "UPDATE audit_log SET signed_note = 'no note' WHERE organization_id = x'{}'",
            broken.uuid().simple()
        ))
        .await;
    server.machine.wait(2 * HOUR);
    assert!(broken < second.organization(), "the one that fails comes first");
    assert_eq!(server.run().await, 1);
    assert_eq!(*server.failed.0.lock().unwrap(), [broken]);
    assert_eq!(server.erased_of(&second).await, 1);
}
