//! Futures that are dropped wherever they happen to be, and limits that fire: nothing acknowledged is
//! lost, nothing of another is seen, and nothing is left open.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use audit::{Action, AuditLog, Directory, Event, Transactor, note, record};
use contracts::sample;
use futures_util::future::join_all;
use kernel::{EventId, StoreError};
use postgres_store::Options;
use registry::{Agent, AgentFilter, Agents};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tenancy::{Kind, Scope};
use tokio::{select, task::yield_now};

use crate::running::{Running, few, open, spawned, until};

/// Numbers that look random, and are the same in each run.
struct Seed(u64);

impl Seed {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Lets a future run for so many turns, then drops it. The outcome, if it came so far.
async fn cut_after<T>(turns: u64, future: impl Future<Output = T>) -> Option<T> {
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

/// How far in time a future is let come, so that every step of it is cut somewhere. Most take some
/// hundred turns, each of a few microseconds.
fn turns(seed: &mut Seed) -> u64 {
    let most = 1 << (3 + seed.below(12));
    seed.below(most)
}

/// What one task did, and was told.
#[derive(Default)]
struct Told {
    agents: Vec<Agent>,
    notes: Vec<EventId>,
    /// Names of agents that were begun, whatever became of them.
    begun: Vec<String>,
    /// Names of agents whose transaction was never committed.
    never: BTreeSet<String>,
    cut: u32,
    whole: u32,
}

impl Told {
    fn count<T>(&mut self, outcome: Option<T>) -> Option<T> {
        match outcome {
            Some(_) => self.whole += 1,
            None => self.cut += 1,
        }
        outcome
    }
}

/// Writes, notes and reads for one organization, each cut at a random instant.
async fn hang_up(running: Arc<Running>, scope: Scope, name: String, rounds: u32) -> Told {
    let (mut told, mut seed) = (Told::default(), Seed(name.bytes().map(u64::from).sum()));
    for round in 0..rounds {
        let name = format!("{name}-{round}");
        told.begun.push(format!("{name}@example.com"));
        let outcome = cut_after(turns(&mut seed), running.agent(&scope, &name)).await;
        if let Some(Ok(agent)) = told.count(outcome) {
            told.agents.push(agent);
        }
        let event = Event::failure(Action::AccessDenied).with("round", round);
        let outcome = cut_after(turns(&mut seed), note(&running.store, &scope, &event)).await;
        if let Some(Ok(id)) = told.count(outcome) {
            told.notes.push(id);
        }
        let outcome = cut_after(turns(&mut seed), read(&running, &scope)).await;
        told.count(outcome);
        let name = format!("{name}-never");
        told.never.insert(format!("{name}@example.com"));
        let outcome = cut_after(turns(&mut seed), give_up(&running, &scope, &name)).await;
        told.count(outcome);
    }
    told
}

/// Reads of every kind. Whatever is seen is the organization's own.
async fn read(running: &Running, scope: &Scope) -> Result<(), StoreError> {
    let organization = scope.organization();
    let mut view = running.store.view(organization).await?;
    let page = view.agents(&AgentFilter::default(), sample::numbered(1, 100)).await?;
    assert!(page.rows.iter().all(|agent| agent.record().organization == organization));
    let agent = page.rows.first().map(Agent::id);
    let events = view.events(&audit::EventFilter::default(), sample::numbered(1, 100)).await?;
    assert!(events.rows.iter().all(|logged| logged.event.organization == organization));
    drop(view);
    assert!(running.store.platform().await?.is_some());
    if let Some(agent) = agent {
        assert_eq!(running.store.organization_of(agent).await?, Some(organization));
    }
    running.store.probe().await.map(|_| ())
}

/// A change that is made and not committed.
async fn give_up(running: &Running, scope: &Scope, name: &str) -> Result<(), StoreError> {
    let tx = running.store.begin(scope.clone()).await?;
    let change = sample::agent_named(&running.machine, scope.organization(), name);
    let (mut tx, agent) = record(tx, change).await?;
    tx.agent(agent.id()).await?;
    Ok(())
}

/// Two organizations, two tasks in each, on three connections.
async fn hung_up(options: Options, rounds: u32, beside: impl AsyncFnOnce(&Running)) -> Ended {
    let running = Running::fresh().await;
    let scopes = [
        running.organization("first", Kind::Platform).await,
        running.organization("second", Kind::Tenant).await,
    ];
    let machine = running.machine.clone();
    let running = Arc::new(Running::on(running.close().await, machine, options).await);
    let mut tasks = Vec::new();
    for (task, scope) in (0..4).zip(scopes.iter().cycle()) {
        let (scope, name) = (scope.clone(), format!("agent{task}"));
        let work = hang_up(Arc::clone(&running), scope.clone(), name, rounds);
        tasks.push((scope, spawned(work)));
    }
    beside(&running).await;
    let mut told = Vec::new();
    for (scope, task) in tasks {
        told.push((scope, task.await.unwrap()));
    }
    Ended { running, told }
}

/// What is there when everybody has hung up.
struct Ended {
    running: Arc<Running>,
    told: Vec<(Scope, Told)>,
}

const OPEN: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND (state LIKE 'idle in transaction%' OR state = 'active')";
const SESSIONS: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'";

/// Kinds of rows that cannot be where each change is one with its event.
const HALVES: [&str; 2] = [
    "SELECT count(*) FROM agent WHERE NOT EXISTS (
        SELECT 1 FROM audit_event
        WHERE audit_event.organization_id = agent.organization_id
            AND resource_id = agent.id::text AND action = 'agent.created'
    )",
    "SELECT count(*) FROM audit_event WHERE action = 'agent.created' AND NOT EXISTS (
        SELECT 1 FROM agent
        WHERE agent.organization_id = audit_event.organization_id AND id::text = resource_id
    )",
];

impl Ended {
    async fn settle(&self, most_sessions: i64) {
        let database = &self.running.database;
        until("no transaction is open", async || database.number(OPEN).await == 0).await;
        let within = async || database.number(SESSIONS).await <= most_sessions;
        until("the sessions are within their bound", within).await;
        for halves in HALVES {
            assert_eq!(database.number(halves).await, 0, "{halves}");
        }
    }

    /// Every acknowledged write is there, and nothing that nobody began or that was given up.
    async fn check(&self) {
        let (mut begun, mut never) = (BTreeSet::new(), BTreeSet::new());
        // A store that has patience.
        let (store, _) = open(&self.running.database, &self.running.machine, &few()).await;
        for (scope, told) in &self.told {
            for agent in &told.agents {
                let mut view = store.view(scope.organization()).await.unwrap();
                assert_eq!(view.agent(agent.id()).await.unwrap().as_ref(), Some(agent));
            }
            for id in &told.notes {
                let mut view = store.view(scope.organization()).await.unwrap();
                assert!(view.event(*id).await.unwrap().is_some());
            }
            begun.extend(told.begun.iter().cloned());
            never.extend(told.never.iter().cloned());
        }
        let mut administrator = self.running.database.connection().await;
        let there = "SELECT email FROM agent";
        let there: Vec<String> =
            sqlx::query_scalar(there).fetch_all(&mut administrator).await.unwrap();
        for email in there {
            assert!(!never.contains(&email), "{email} was given up, and is there");
            assert!(begun.contains(&email), "{email} is there, and nobody committed it");
        }
        administrator.close().await.unwrap();
    }

    async fn still_works(&self) {
        for (scope, _) in &self.told {
            for number in 0..4 {
                let name = format!("last-{}-{number}", self.running.machine.agent_id());
                self.running.agent(scope, &name).await.unwrap();
                read(&self.running, scope).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_and_none_is_left_open() {
    let ended = hung_up(few(), 100, async |_| {}).await;
    // Those that serve requests, and the writer's.
    ended.settle(4).await;
    ended.check().await;
    ended.still_works().await;
    let cut: u32 = ended.told.iter().map(|(_, told)| told.cut).sum();
    let whole: u32 = ended.told.iter().map(|(_, told)| told.whole).sum();
    assert!(cut > 200 && whole > 200, "cut {cut}, whole {whole}");
}

const LOCKS: [&str; 3] = ["agent", "audit_event", "client"];

const WAITING: &str = "
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Locks tables again and again, each time until somebody waited for it and has given up.
async fn lock_now_and_then(connection: &mut PgConnection) {
    for table in LOCKS.iter().cycle().take(12) {
        let lock = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        connection.execute(AssertSqlSafe(lock)).await.unwrap();
        for wanted in [true, false] {
            for _ in 0..300 {
                let waiting: i64 =
                    sqlx::query_scalar(WAITING).fetch_one(&mut *connection).await.unwrap();
                if (waiting > 0) == wanted {
                    break;
                }
            }
        }
        connection.execute("ROLLBACK").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_where_limits_fire() {
    // Shorter than the locks last: the limits of the server fire, and so does our patience.
    let options = Options { patience: Duration::from_millis(25), ..few() };
    let ended = hung_up(options, 60, async |running| {
        lock_now_and_then(&mut running.database.connection().await).await;
    });
    let ended = ended.await;
    ended.settle(4).await;
    ended.check().await;
}

const KILL_ONE: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'
    ORDER BY random() LIMIT 1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_write_is_lost_where_sessions_are_killed() {
    let ended = hung_up(few(), 60, async |running| {
        let mut administrator = running.database.connection().await;
        for _ in 0..60 {
            administrator.execute(KILL_ONE).await.unwrap();
            let events = "SELECT count(*) FROM audit_event";
            let before: i64 =
                sqlx::query_scalar(events).fetch_one(&mut administrator).await.unwrap();
            for _ in 0..50 {
                let now: i64 =
                    sqlx::query_scalar(events).fetch_one(&mut administrator).await.unwrap();
                if now > before + 2 {
                    break;
                }
            }
        }
    });
    let ended = ended.await;
    ended.settle(4).await;
    ended.check().await;
    ended.still_works().await;
}

const KILL_ALL: &str = "
    SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'";

/// As a restart does: every connection of the pool is dead, and none of them knows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_died_in_the_pool_cost_nobody_an_error() {
    let running = Running::fresh().await;
    let scope = running.organization("first", Kind::Tenant).await;
    let mut administrator = running.database.connection().await;
    for _ in 0..5 {
        let views = join_all((0..3).map(|_| running.store.view(scope.organization()))).await;
        assert!(views.iter().all(Result::is_ok));
        drop(views);
        until("all are given back", async || running.store.probe().await.is_ok()).await;
        administrator.execute(KILL_ALL).await.unwrap();
        let views = join_all((0..3).map(|_| running.store.view(scope.organization()))).await;
        assert!(views.iter().all(Result::is_ok));
        drop(views);
        administrator.execute(KILL_ALL).await.unwrap();
        assert_eq!(running.store.platform().await.unwrap(), None);
        drop(running.store.begin(scope.clone()).await.unwrap());
    }
}
