//! What leaves the store while those who take it fail, hang or contradict: nothing is left out, nobody
//! is asked in a hurry, and no signature waits for any of it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails so")]

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use audit::{
    Action, Event, LogReader, SequencerId, SignedCheckpoint, Transactor,
    delivery::{CheckpointSink, DeliveryFailed, EventSink, Witness, WitnessAnswer, WitnessRequest},
    note,
    sequence::{Breach, LeafRecord},
};
use idp::{
    compose::{self, Foundations, Opened},
    config::{Config, Database, Sources},
    runtime::Company,
    storage::Storage,
};
use kernel::{Clock, OrganizationId, StoreError, Timestamp};
use outlets::Remembered;
use sqlite_store::SqliteStore;
use tempfile::TempDir;
use tenancy::{Actor, Origin, Scope};
use usecases::log::{LogObserver, Outlets, Round, Sequencer, SequencerParts};

/// What the witness answers where it was told nothing else.
const COSIGNATURE: &str = "\u{2014} witness.example.com AAAAAQI=\n";

/// A clock that a test moves.
#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Whoever takes checkpoints, events or questions, and fails as often as it was told to.
#[derive(Debug, Default)]
struct Taker {
    failures: AtomicUsize,
    sizes: Mutex<Vec<u64>>,
    positions: Mutex<Vec<u64>>,
    asked: Mutex<Vec<u64>>,
    answers: Mutex<VecDeque<WitnessAnswer>>,
    contested: Mutex<Vec<String>>,
}

impl Taker {
    fn fails(&self) -> Result<(), DeliveryFailed> {
        let left = self.failures.load(Ordering::Relaxed);
        self.failures.store(left.saturating_sub(1), Ordering::Relaxed);
        match left {
            0 => Ok(()),
            _ => Err(DeliveryFailed { sink: "a test", source: "told to".into() }),
        }
    }

    fn sizes(&self) -> Vec<u64> {
        self.sizes.lock().unwrap().clone()
    }

    fn asked(&self) -> Vec<u64> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl CheckpointSink for Taker {
    async fn deliver(&self, one: &SignedCheckpoint, _: Timestamp) -> Result<(), DeliveryFailed> {
        self.fails()?;
        self.sizes.lock().unwrap().push(one.checkpoint.size);
        Ok(())
    }
}

#[async_trait]
impl EventSink for Taker {
    async fn deliver(&self, leaves: &[LeafRecord]) -> Result<(), DeliveryFailed> {
        self.fails()?;
        let positions = leaves.iter().map(|record| record.leaf.place.position);
        self.positions.lock().unwrap().extend(positions);
        Ok(())
    }
}

#[async_trait]
impl Witness for Taker {
    async fn add_checkpoint(
        &self,
        request: &WitnessRequest,
    ) -> Result<WitnessAnswer, DeliveryFailed> {
        self.asked.lock().unwrap().push(request.old_size);
        self.fails()?;
        let answer = self.answers.lock().unwrap().pop_front();
        Ok(answer.unwrap_or_else(|| WitnessAnswer::Cosigned(COSIGNATURE.to_owned())))
    }
}

impl LogObserver for Taker {
    fn sequenced(&self, _: usize) {}
    fn signed(&self, _: Duration) {}
    fn halted(&self, _: OrganizationId, _: &Breach) {}
    fn failed(&self, _: OrganizationId, _: &StoreError) {}
    fn left(&self) {}
    fn stayed(&self, _: OrganizationId, _: &DeliveryFailed) {}
    fn cosigned(&self, _: OrganizationId) {}
    fn contested(&self, _: OrganizationId, reason: &str) {
        self.contested.lock().unwrap().push(reason.to_owned());
    }
}

struct World {
    foundations: Foundations<SqliteStore>,
    _company: Company,
    _folder: TempDir,
    platform: OrganizationId,
    clock: Arc<Hands>,
    taker: Arc<Taker>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().display().to_string();
        let environment = vec![("IDP_DATA_DIR".to_owned(), data)];
        let config = Config::load(&Sources { environment, file: None }).unwrap();
        let Database::File(file) = config.database() else { panic!("the default is a file") };
        let storage = Storage::take(config.data_dir(), &file).unwrap();
        let Opened { foundations, behind } =
            compose::open_embedded(&config, storage).await.unwrap();
        let company = behind.start();
        let platform = foundations.platform(&config.issuer_at(3000).unwrap()).await.unwrap();
        let clock = Arc::new(Hands(AtomicI64::new(1_000_000)));
        let taker = Arc::default();
        Self { foundations, _company: company, _folder: folder, platform, clock, taker }
    }

    async fn sequencer(&self, outlets: Outlets) -> Sequencer<SqliteStore> {
        Sequencer::new(SequencerParts {
            store: self.foundations.store.clone(),
            id: SequencerId(1),
            signer: self.foundations.checkpoint_signer(self.platform).await.unwrap(),
            issuer: "http://idp.example.com".to_owned(),
            clock: self.clock.clone(),
            outside: Arc::new(Remembered::default()),
            outlets,
            observer: self.taker.clone(),
        })
    }

    async fn events(&self, count: usize) {
        let scope = Scope::new(self.platform, Actor::System, Origin::internal());
        for _ in 0..count {
            let event = Event::success(Action::TokenIntrospected);
            note(&self.foundations.store, &scope, &event).await.unwrap();
        }
    }

    /// For longer than whoever failed is left alone.
    fn wait(&self) {
        self.clock.0.fetch_add(6_000_000, Ordering::Relaxed);
    }

    async fn size(&self) -> u64 {
        let mut view = self.foundations.store.view(self.platform).await.unwrap();
        view.log_state().await.unwrap().signed_size()
    }

    async fn left(&self) -> (u64, u64) {
        let mut view = self.foundations.store.view(self.platform).await.unwrap();
        let state = view.log_state().await.unwrap();
        (state.delivered, state.exported)
    }
}

#[tokio::test]
async fn a_sink_that_fails_is_given_the_newest_checkpoint_later_and_no_signature_waits_for_it() {
    let world = World::new().await;
    let outlets = Outlets { checkpoints: vec![world.taker.clone()], ..Outlets::default() };
    let sequencer = world.sequencer(outlets).await;
    world.taker.failures.store(2, Ordering::Relaxed);
    sequencer.round().await.unwrap();
    let first = world.size().await;
    assert_eq!(sequencer.deliver().await.unwrap(), Round::Idle);
    world.events(3).await;
    sequencer.round().await.unwrap();
    assert_eq!(world.size().await, first + 3);
    assert_eq!(sequencer.deliver().await.unwrap(), Round::Idle);
    assert_eq!(world.taker.failures.load(Ordering::Relaxed), 1, "it was tried in a hurry");
    world.wait();
    assert_eq!(sequencer.deliver().await.unwrap(), Round::Idle);
    world.wait();
    assert_eq!(sequencer.deliver().await.unwrap(), Round::Done);
    assert_eq!(world.taker.sizes(), [first + 3]);
    assert_eq!(world.left().await.0, first + 3);
    assert_eq!(sequencer.deliver().await.unwrap(), Round::Idle);
    assert_eq!(world.taker.sizes().len(), 1, "it was given twice");
}

#[tokio::test]
async fn events_leave_in_order_and_go_on_where_the_taker_failed() {
    let world = World::new().await;
    let outlets = Outlets { events: vec![world.taker.clone()], ..Outlets::default() };
    let sequencer = world.sequencer(outlets.clone()).await;
    world.events(700).await;
    while sequencer.round().await.unwrap() != Round::Idle {}
    let end = world.size().await;
    world.taker.failures.store(1, Ordering::Relaxed);
    assert_eq!(sequencer.deliver().await.unwrap(), Round::Idle);
    world.wait();
    while sequencer.deliver().await.unwrap() != Round::Idle {}
    let all: Vec<u64> = (0..end).collect();
    assert_eq!(*world.taker.positions.lock().unwrap(), all);
    assert_eq!(world.left().await.1, end);

    // Another process goes on where this one ended.
    let after_a_restart = world.sequencer(outlets).await;
    world.events(1).await;
    after_a_restart.round().await.unwrap();
    while after_a_restart.deliver().await.unwrap() != Round::Idle {}
    assert_eq!(world.taker.positions.lock().unwrap().last(), Some(&end));
    assert_eq!(world.taker.positions.lock().unwrap().len(), all.len() + 1);
}

#[tokio::test]
async fn a_witness_that_is_away_is_left_alone_for_a_while_and_asked_again() {
    let world = World::new().await;
    let outlets = Outlets { witness: Some(world.taker.clone()), ..Outlets::default() };
    let sequencer = world.sequencer(outlets).await;
    world.taker.failures.store(1, Ordering::Relaxed);
    sequencer.round().await.unwrap();
    let size = world.size().await;
    for _ in 0..5 {
        sequencer.deliver().await.unwrap();
        sequencer.consult().await.unwrap();
    }
    assert_eq!(world.taker.asked(), [0], "it was asked in a hurry");
    assert_eq!(world.left().await.0, 0);
    world.wait();
    sequencer.consult().await.unwrap();
    sequencer.deliver().await.unwrap();
    assert_eq!(world.taker.asked(), [0, 0]);
    assert_eq!(world.left().await.0, size);

    let mut view = world.foundations.store.view(world.platform).await.unwrap();
    let note = view.log_state().await.unwrap().signed.unwrap().note;
    assert!(note.ends_with(COSIGNATURE), "{note}");
    drop(view);

    world.events(2).await;
    sequencer.round().await.unwrap();
    assert_eq!(world.size().await, size + 2, "it signs on top of what a witness signed too");
    sequencer.consult().await.unwrap();
    assert_eq!(world.taker.asked(), [0, 0, size], "what it saw last is remembered");
}

#[tokio::test]
async fn a_witness_that_saw_less_is_asked_from_there_and_one_that_saw_more_is_an_alarm() {
    let world = World::new().await;
    let outlets = Outlets { witness: Some(world.taker.clone()), ..Outlets::default() };
    let sequencer = world.sequencer(outlets).await;
    world.events(5).await;
    sequencer.round().await.unwrap();
    let size = world.size().await;
    world.taker.answers.lock().unwrap().push_back(WitnessAnswer::OtherSize(3));
    sequencer.consult().await.unwrap();
    assert_eq!(world.taker.asked(), [0, 3]);
    assert!(world.taker.contested.lock().unwrap().is_empty());

    world.events(1).await;
    sequencer.round().await.unwrap();
    world.taker.answers.lock().unwrap().push_back(WitnessAnswer::OtherSize(size + 100));
    sequencer.consult().await.unwrap();
    let contested = world.taker.contested.lock().unwrap().clone();
    assert_eq!(contested.len(), 1);
    let told = format!("it saw a log of size {}", size + 100);
    assert!(contested.iter().all(|reason| reason.contains(&told)), "{contested:?}");
    sequencer.consult().await.unwrap();
    assert_eq!(world.taker.asked().len(), 3, "a refusal is not asked again");
}

#[tokio::test]
async fn however_many_logs_wait_for_a_witness_each_checkpoint_reaches_the_sinks() {
    let world = World::new().await;
    for number in 1..=300_u128 {
        let id = format!("00000000-0000-7000-8000-{number:012x}").parse().unwrap();
        let scope = Scope::new(id, Actor::System, Origin::internal());
        let event = Event::success(Action::TokenIntrospected);
        note(&world.foundations.store, &scope, &event).await.unwrap();
    }
    let (sinks, witness) = (Arc::new(Taker::default()), world.taker.clone());
    witness.failures.store(usize::MAX, Ordering::Relaxed);
    let outlets = Outlets {
        checkpoints: vec![sinks.clone()],
        witness: Some(witness.clone()),
        ..Outlets::default()
    };
    let sequencer = world.sequencer(outlets).await;
    while sequencer.round().await.unwrap() != Round::Idle {}
    for _ in 0..5 {
        sequencer.consult().await.unwrap();
        sequencer.deliver().await.unwrap();
    }
    assert_eq!(sinks.sizes().len(), 301);
    assert_eq!(witness.asked().len(), 301, "each is asked about once, and left alone then");
}
