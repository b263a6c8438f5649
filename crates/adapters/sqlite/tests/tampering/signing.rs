//! What the sequencer does with a log that was tampered with before it was signed.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use audit::{
    Action, Apply, Audited, Journal, LogReader, LogState, Transactor, checkpoint,
    delivery::DeliveryFailed,
    merkle::{consistency_proof, verify_consistency},
    note, record,
    sequence::Breach,
};
use contracts::{
    sample::{self, KnownKey, Machine},
    tampering::{Dice, Post, installation},
};
use futures_util::future::join_all;
use kernel::{OrganizationId, StoreError};
use sqlite_store::{Options, SqliteStore, SqliteTx};
use sqlx::Connection;
use tempfile::TempDir;
use tenancy::{Kind, Plan, Scope};
use tokio::task::JoinHandle;
use usecases::log::{LogObserver, Round, Sequencer};

use crate::{
    owned::{copy, execute, owner, spawned, without_triggers},
    post::{post, reopened},
};

/// How many leaves are signed, and how many more have a place: a stored hash lies among the latter.
const SIGNED: u64 = 200;
const PLACED: u64 = 300;

/// How many events are written at a time.
const AT_ONCE: usize = 500;

/// A log in a file, the later leaves of which are about to be signed.
struct About {
    folder: TempDir,
    machine: Machine,
    post: Post,
    store: SqliteStore,
    writing: JoinHandle<()>,
    scope: Scope,
}

/// What the observer was told, and how late each signature came.
#[derive(Default)]
struct Told(Mutex<Vec<String>>, Mutex<Vec<Duration>>);

impl LogObserver for Told {
    fn sequenced(&self, _: usize) {}
    fn signed(&self, delay: Duration) {
        self.0.lock().unwrap().push("signed".to_owned());
        self.1.lock().unwrap().push(delay);
    }
    fn halted(&self, _: OrganizationId, breach: &Breach) {
        self.0.lock().unwrap().push(breach.to_string());
    }
    fn failed(&self, _: OrganizationId, error: &StoreError) {
        let source = std::error::Error::source(error).map(ToString::to_string);
        self.0.lock().unwrap().push(source.unwrap_or_else(|| error.to_string()));
    }
    fn left(&self) {}
    fn stayed(&self, _: OrganizationId, error: &DeliveryFailed) {
        let source = std::error::Error::source(error).map(ToString::to_string);
        self.0.lock().unwrap().push(source.unwrap_or_else(|| error.to_string()));
    }
    fn cosigned(&self, _: OrganizationId) {}
    fn contested(&self, _: OrganizationId, _: &str) {}
}

impl About {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::default();
        let parts = (machine.clock.clone(), machine.entropy.clone());
        let path = folder.path().join("idp.db");
        let opened = SqliteStore::open(&path, parts.0, parts.1, Options::default()).await;
        let (store, writer) = opened.unwrap();
        let post = post(folder.path(), &machine).await;
        let change = sample::founded(&machine, "first", Kind::Platform, Plan::Pro);
        let scope = sample::scope(change.after().id(), machine.agent_id());
        let about = Self { folder, machine, post, store, writing: spawned(writer), scope };
        about.change(change).await;
        about.events(SIGNED - 1).await;
        about.round().await;
        about.events(PLACED - SIGNED).await;
        sample::Sequencer::default().extend(&about.store, about.organization()).await;
        about
    }

    fn organization(&self) -> OrganizationId {
        self.scope.organization()
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("idp.db")
    }

    async fn change<C: Audited>(&self, change: C)
    where
        SqliteTx: Apply<C>,
    {
        let tx = self.store.begin(self.scope.clone()).await.unwrap();
        let (tx, _) = record(tx, change).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn events(&self, count: u64) {
        let event = sample::whole_event(Action::AccessDenied);
        for first in (0..count).step_by(AT_ONCE) {
            let some = (first..count).take(AT_ONCE);
            for noted in join_all(some.map(|_| note(&self.store, &self.scope, &event))).await {
                noted.unwrap();
            }
        }
    }

    fn sequencer(&self, told: &Arc<Told>) -> Sequencer<SqliteStore> {
        let observer = Arc::<Told>::clone(told);
        installation::sequencer(self.store.clone(), &self.machine, &self.post, observer)
    }

    /// Lets a server's sequencer go on until it has nothing to do. Gives back what it told.
    async fn round(&self) -> Vec<String> {
        let told = Arc::new(Told::default());
        installation::until_idle(&self.sequencer(&told)).await;
        std::mem::take(&mut *told.0.lock().unwrap())
    }

    async fn state(&self) -> LogState {
        self.store.view(self.organization()).await.unwrap().log_state().await.unwrap()
    }

    /// Does that as the owner of the file.
    async fn tamper(&self, sql: String) {
        let mut owner = owner(&self.path()).await;
        without_triggers(&mut owner).await;
        execute(&mut owner, sql).await;
        owner.close().await.unwrap();
    }

    /// What is stored there, in hexadecimal, as one bit makes it another.
    async fn flipped(&self, dice: &mut Dice, cell: &Cell, position: u64) -> String {
        let Cell { table, column, .. } = cell;
        let within = (cell.row)(position);
        let sql = format!("SELECT {column} FROM {table} WHERE {within}");
        let mut owner = owner(&self.path()).await;
        let statement = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let bytes: Vec<u8> = statement.fetch_one(&mut owner).await.unwrap();
        let bytes: [u8; 32] = dice.flipped(bytes.try_into().unwrap());
        let hash = bytes.map(|byte| format!("{byte:02x}")).concat();
        format!("UPDATE {table} SET {column} = x'{hash}' WHERE {within}")
    }
}

/// A column that holds a hash, or what is hashed with it.
struct Cell {
    table: &'static str,
    column: &'static str,
    /// Which row, where it is that of a position.
    row: fn(u64) -> String,
    told: fn(u64) -> String,
}

fn leaf(position: u64) -> String {
    format!("position = {position}")
}

fn leaf_told(position: u64) -> String {
    format!(
        "the event at position {position} does not hash to its leaf: it was changed in the store"
    )
}

const CELLS: [Cell; 4] = [
    Cell { table: "audit_leaf", column: "hash", row: leaf, told: leaf_told },
    Cell { table: "audit_leaf", column: "commitment", row: leaf, told: leaf_told },
    Cell {
        table: "audit_event",
        column: "salt",
        row: |position| {
            format!("id = (SELECT event_id FROM audit_leaf WHERE position = {position})")
        },
        told: leaf_told,
    },
    Cell {
        table: "audit_stored_hash",
        column: "hash",
        row: |_| "level = 1 AND \"index\" = 0".to_owned(),
        told: |_| "the stored hash 0 of level 1 is not the root over its tile".to_owned(),
    },
];

#[tokio::test]
async fn au_14_a_bit_in_any_stored_hash_that_a_checkpoint_is_to_cover_is_named_and_not_signed() {
    let mut dice = Dice::new(14);
    for cell in &CELLS {
        let about = About::new().await;
        let before = about.state().await.signed;
        let position = dice.within(SIGNED..PLACED);
        let flip = about.flipped(&mut dice, cell, position).await;
        about.tamper(flip).await;
        let expected = (cell.told)(position);
        assert_eq!(about.round().await, [expected.as_str()], "{}.{}", cell.table, cell.column);
        let after = about.state().await;
        assert_eq!((after.signed, after.halted.as_deref()), (before, Some(expected.as_str())));
    }
}

/// What was signed before is not read again, but for what the new root is made of.
#[tokio::test]
async fn au_14_a_bit_in_the_edge_of_what_was_signed_before_is_not_signed_over() {
    let mut dice = Dice::new(15);
    let about = About::new().await;
    let before = about.state().await.signed;
    let position = dice.within(0..SIGNED);
    let flip = about.flipped(&mut dice, &CELLS[0], position).await;
    about.tamper(flip).await;
    let told = about.round().await.concat();
    assert!(told.contains("the first 200 positions do not lead to the root"), "{told}");
    assert_eq!(about.state().await.signed, before);
}

#[tokio::test]
async fn au_14_a_checkpoint_in_the_store_that_our_key_did_not_sign_is_not_built_on() {
    for size in [SIGNED, SIGNED + 1] {
        let about = About::new().await;
        let signed = about.state().await.signed.unwrap();
        let other = match size {
            SIGNED => checkpoint::sign(signed.checkpoint, &KnownKey::new(9)).unwrap().note,
            other => signed.note.replace(&format!("\n{SIGNED}\n"), &format!("\n{other}\n")),
        };
        let sql = format!("UPDATE audit_log SET signed_size = {size}, signed_note = '{other}'");
        about.tamper(sql).await;
        let expected = "the newest checkpoint in the store does not verify: it was changed there";
        assert_eq!(about.round().await, [expected]);
        assert_eq!(about.state().await.signed.unwrap().note, other);
    }
}

/// Without a hash of its own: what the leaf's hash is made of.
#[tokio::test]
async fn au_14_content_that_was_changed_before_it_was_signed_is_named_and_not_signed() {
    for (column, value, is_halted) in [
        ("outcome", "'success'", true),
        ("request_id", "'another'", true),
        ("occurred_at", "occurred_at + 1", true),
        ("metadata", "'{}'", true),
        // Perhaps of a later release, whose servers can read it.
        ("action", "'agent.exploded'", false),
    ] {
        let about = About::new().await;
        let before = about.state().await.signed;
        let id = "(SELECT event_id FROM audit_leaf WHERE position = 250)";
        about.tamper(format!("UPDATE audit_event SET {column} = {value} WHERE id = {id}")).await;
        let told = about.round().await.concat();
        assert!(told.contains("position 250"), "{column}: {told}");
        let after = about.state().await;
        assert_eq!((after.signed, after.halted.is_some()), (before, is_halted), "{column}");
    }
}

/// However long nothing was signed, each checkpoint takes a bounded time.
#[tokio::test]
async fn what_is_too_much_for_one_checkpoint_is_signed_by_several_each_behind_the_one_before() {
    const HOUR: Duration = Duration::from_secs(3_600);
    let about = About::new().await;
    about.events(8_000 - (PLACED - SIGNED)).await;
    about.machine.wait(HOUR);
    about.events(600).await;
    let size = sample::Sequencer::default().extend(&about.store, about.organization()).await;
    assert_eq!(size, PLACED + 8_500);
    let told = Arc::new(Told::default());
    let sequencer = about.sequencer(&told);
    let mut signed = vec![about.state().await.signed.unwrap().checkpoint];
    let mut rounds = Vec::new();
    while rounds.last() != Some(&Round::Idle) {
        rounds.push(sequencer.round().await.unwrap());
        signed.push(about.state().await.signed.unwrap().checkpoint);
    }
    assert_eq!(rounds, [Round::More, Round::Done, Round::Idle]);
    let sizes: Vec<_> = signed.iter().map(|checkpoint| checkpoint.size).collect();
    assert_eq!(sizes, [SIGNED, SIGNED + 8_000, size, size]);
    let mut view = about.store.view(about.organization()).await.unwrap();
    for (older, newer) in signed.iter().zip(&signed[1..]) {
        let proof = consistency_proof(&mut view, older.size, newer.size).await.unwrap();
        let [older, newer] = [older, newer].map(|checkpoint| (checkpoint.size, checkpoint.root));
        assert_eq!(verify_consistency(older, newer, &proof), Ok(()));
    }
    // Each came as late as for the oldest event that is new in it.
    let late = told.1.lock().unwrap().iter().map(|delay| *delay > HOUR).collect::<Vec<_>>();
    assert_eq!(late, [true, false]);
}

#[tokio::test]
async fn au_07_an_older_copy_that_is_put_back_is_found_at_the_start_and_not_built_on() {
    let about = About::new().await;
    assert_eq!(about.round().await, ["signed"]);
    let older = about.folder.path().join("older.db");
    copy(&about.path(), &older).await;
    about.events(7).await;
    assert_eq!(about.round().await, ["signed"]);

    let About { folder, machine, post, store, writing, scope } = about;
    drop(store);
    writing.await.unwrap();
    let parts = (machine.clock.clone(), machine.entropy.clone());
    let opened = SqliteStore::open(&older, parts.0, parts.1, Options::default()).await;
    let (store, writer) = opened.unwrap();
    // As a server that starts: what left is read from the file.
    let post = reopened(post).await;
    let about = About { folder, machine, post, store, writing: spawned(writer), scope };
    let told = Arc::new(Told::default());
    about.sequencer(&told).hold_all().await.unwrap();
    about.events(7).await;
    assert_eq!(about.round().await, Vec::<String>::new());
    let told = told.0.lock().unwrap().concat();
    assert!(told.contains("a checkpoint of size 307 has left, and the log has 300"), "{told}");
    let state = about.state().await;
    assert_eq!((state.size, state.signed_size(), state.halted), (PLACED, PLACED, Some(told)));
}
