//! What is tampered with: three logs in one database, as a server keeps them.
//!
//! One is long enough for two stored hashes, and its clock was set back meanwhile. One has lost the
//! content of its first events and the personal data of the next, as was announced. One is short.

use std::{path::PathBuf, sync::Arc, time::Duration};

use audit::{
    Apply, AuditLog, Audited, CheckpointSigner, Event, Journal, LogReader, LogState, LogTrimmed,
    Logs, Notes, Organizations, SequencerId, Transactor, VerifierKey,
    delivery::{CheckpointSink, DeliveryFailed, Outside},
    note, record,
    sequence::Breach,
    trim::ANNOUNCED_FOR,
};
use credentials::CredentialChange;
use futures_util::future::join_all;
use kernel::{AgentId, CredentialId, OrganizationId, RequestId, StoreError};
use registry::AgentChange;
use serde_json::{Value, json};
use tenancy::{Actor, Kind, OrganizationChange, Origin, Plan, Plans, Scope, UserAgent};
use usecases::log::{
    LogObserver, Outlets, RetentionRules, Round, Sequencer, SequencerParts, retain,
};

use super::{Dice, Log};
use crate::sample::{self, Machine};

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);

/// How many events are written at a time.
const AT_ONCE: usize = 50;

/// Who signs checkpoints, and where they leave to.
#[derive(Clone)]
pub struct Post {
    /// Who signs.
    pub signer: Arc<dyn CheckpointSigner>,
    /// What is known of those that left.
    pub outside: Arc<dyn Outside>,
    /// Where they go.
    pub sink: Arc<dyn CheckpointSink>,
    /// The file in which they are then.
    pub file: PathBuf,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").field("file", &self.file).finish_non_exhaustive()
    }
}

/// The three logs.
pub struct Installation {
    /// What is known of them.
    pub logs: Vec<Log>,
    /// Who signed them.
    pub signer: Arc<dyn CheckpointSigner>,
}

impl std::fmt::Debug for Installation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installation").field("logs", &self.logs.len()).finish_non_exhaustive()
    }
}

/// Nothing may go wrong while the logs are made.
struct Strict;

impl LogObserver for Strict {
    fn sequenced(&self, _: usize) {}
    fn signed(&self, _: Duration) {}
    fn halted(&self, organization: OrganizationId, breach: &Breach) {
        panic!("{organization} was halted: {breach}");
    }
    fn failed(&self, organization: OrganizationId, error: &StoreError) {
        panic!("{organization} failed: {error}");
    }
    fn left(&self) {}
    fn stayed(&self, organization: OrganizationId, error: &DeliveryFailed) {
        panic!("a checkpoint of {organization} stayed: {error}");
    }
    fn cosigned(&self, _: OrganizationId) {}
    fn contested(&self, _: OrganizationId, _: &str) {}
}

/// A sequencer as servers have it.
#[must_use]
pub fn sequencer<S>(
    store: S,
    machine: &Machine,
    post: &Post,
    observer: Arc<dyn LogObserver>,
) -> Sequencer<S> {
    Sequencer::new(SequencerParts {
        store,
        id: SequencerId(1),
        signer: Arc::clone(&post.signer),
        issuer: "https://idp.example.com".to_owned(),
        clock: machine.clock.clone(),
        outside: Arc::clone(&post.outside),
        outlets: Outlets { checkpoints: vec![Arc::clone(&post.sink)], ..Outlets::default() },
        observer,
    })
}

/// Lets a sequencer go on until it has nothing to do.
pub async fn until_idle<S>(sequencer: &Sequencer<S>)
where
    S: Logs + Transactor,
    S::View: LogReader,
{
    while sequencer.round().await.unwrap() != Round::Idle {}
    while sequencer.deliver().await.unwrap() != Round::Idle {}
}

/// What is written while the logs are made.
pub trait Changes:
    Apply<OrganizationChange> + Apply<AgentChange> + Apply<CredentialChange> + Apply<LogTrimmed>
{
}

impl<T> Changes for T where
    T: Apply<OrganizationChange> + Apply<AgentChange> + Apply<CredentialChange> + Apply<LogTrimmed>
{
}

/// An organization, and its agent with a credential.
#[derive(Debug, Clone, Copy)]
struct Client {
    organization: OrganizationId,
    agent: AgentId,
    credential: CredentialId,
}

/// Who makes the logs.
struct Making<'a, S> {
    store: &'a S,
    machine: &'a Machine,
    sequencer: Sequencer<S>,
}

impl Installation {
    /// Fills an empty database. `copied` is called when the older copy of it is to be made.
    pub async fn fill<S>(
        store: &S,
        machine: &Machine,
        post: &Post,
        copied: impl AsyncFnOnce(),
    ) -> Self
    where
        S: Logs + Transactor + Notes + Clone,
        S::Tx: LogReader + Changes,
        S::View: LogReader + Organizations + AuditLog,
    {
        let sequencer = sequencer(store.clone(), machine, post, Arc::new(Strict));
        let making = Making { store, machine, sequencer };
        let trimmed = making.founded("trimmed", Kind::Tenant, Plan::Free).await;
        making.events(trimmed, 60).await;
        machine.wait(60 * DAY);
        making.events(trimmed, 60).await;
        machine.wait(40 * DAY);
        let long = making.founded("long", Kind::Platform, Plan::Enterprise).await;
        let short = making.founded("short", Kind::Tenant, Plan::Pro).await;
        for (client, events) in [(long, 250), (short, 25), (trimmed, 100)] {
            making.events(client, events).await;
        }
        making.trim(long.organization).await;
        let mut older = Vec::new();
        for client in [long, trimmed, short] {
            older.push((client.organization, making.state(client.organization).await));
        }
        copied().await;
        making.events(long, 150).await;
        machine.wind_back(HOUR);
        making.events(long, 20).await;
        machine.wait(HOUR);
        for (client, events) in [(long, 130), (short, 30), (trimmed, 80)] {
            making.events(client, events).await;
        }
        // What has no place yet is nobody's business.
        making.noted(long, 2).await;
        let mut logs = Vec::new();
        for (organization, older) in older {
            logs.push(making.log(organization, older, post).await);
        }
        Self { logs, signer: Arc::clone(&post.signer) }
    }
}

impl<S> Making<'_, S>
where
    S: Logs + Transactor + Notes + Clone,
    S::Tx: LogReader + Changes,
    S::View: LogReader + Organizations + AuditLog,
{
    /// Founds an organization with an agent and its credential.
    async fn founded(&self, slug: &str, kind: Kind, plan: Plan) -> Client {
        let change = sample::founded(self.machine, slug, kind, plan);
        let organization = change.after().id();
        self.change(organization, change).await;
        let agent = sample::agent_named(self.machine, organization, slug);
        let agent = self.change(organization, agent).await;
        let credential = sample::credential(self.machine, &agent, None);
        let credential = self.change(organization, credential).await.id();
        Client { organization, agent: agent.id(), credential }
    }

    async fn change<C: Audited>(&self, organization: OrganizationId, change: C) -> C::After
    where
        S::Tx: Apply<C>,
    {
        let scope = Scope::new(organization, Actor::System, Origin::internal());
        let tx = self.store.begin(scope).await.unwrap();
        let (tx, after) = record(tx, change).await.unwrap();
        tx.commit().await.unwrap();
        after
    }

    /// Writes so many events, and signs and sends out what that makes.
    async fn events(&self, client: Client, events: u64) {
        self.noted(client, events).await;
        until_idle(&self.sequencer).await;
    }

    async fn noted(&self, client: Client, events: u64) {
        let mut dice = Dice::new(events);
        let drawn: Vec<_> = (0..events).map(|_| drawn(client, &mut dice)).collect();
        for some in drawn.chunks(AT_ONCE) {
            let written = some.iter().map(|(scope, event)| note(self.store, scope, event));
            for written in join_all(written).await {
                written.unwrap();
            }
        }
    }

    async fn trim(&self, platform: OrganizationId) {
        let rules = RetentionRules { plans: Plans::default(), personal_data_days: 30, platform };
        // Announced first, and erased once everybody had the time to read so.
        for _ in 0..2 {
            let failed = retain(self.store, &rules, &*self.machine.clock, &Strict).await.unwrap();
            assert_eq!(failed, 0);
            until_idle(&self.sequencer).await;
            self.machine.wait(ANNOUNCED_FOR);
        }
    }

    async fn state(&self, organization: OrganizationId) -> LogState {
        self.store.view(organization).await.unwrap().log_state().await.unwrap()
    }

    async fn log(&self, organization: OrganizationId, older: LogState, post: &Post) -> Log {
        let left = std::fs::read_to_string(&post.file).unwrap();
        let id = organization.to_string();
        let left = left.lines().rfind(|line| line.contains(&id)).unwrap();
        let origin = sample::log_origin(organization);
        let key = VerifierKey::new(origin.name().clone(), post.signer.public_key());
        let left = format!("{left}\n").into_bytes();
        let mut view = self.store.view(organization).await.unwrap();
        Log::read(&mut view, organization, (older, left, key)).await
    }
}

/// An event, and who did it: of every kind that there is.
fn drawn(client: Client, dice: &mut Dice) -> (Scope, Event) {
    let Client { organization, agent, credential } = client;
    let (actor, origin) = match dice.within(0..4) {
        0 => (Actor::System, Origin::internal()),
        1 => (Actor::Unauthenticated { claims: None }, origin_of(dice)),
        _ => (Actor::Agent(agent), origin_of(dice)),
    };
    let action = *dice.pick(&sample::NOTED);
    let event = match dice.within(0..4) {
        0 => Event::success(action),
        1 => Event::success(action).using(credential),
        2 => Event::failure(action).on(agent).with("name", "Zoë 漢字 🦀").with("of", json!({})),
        _ => sample::whole_event(action).with("seen", Value::from(dice.within(0..1_000))),
    };
    (Scope::new(organization, actor, origin), event)
}

fn origin_of(dice: &mut Dice) -> Origin {
    let addresses = [None, Some("192.0.2.7"), Some("2001:db8::7"), Some("::ffff:192.0.2.1")];
    let agents = ["", "curl/8.0 (é; \"quoted\"; 100%)", "agent's own", "漢字/1"];
    Origin {
        request: RequestId::parse(&format!("r.{}", dice.number())).unwrap(),
        address: dice.pick(&addresses).map(|address| address.parse().unwrap()),
        user_agent: UserAgent::new(dice.pick::<&str>(&agents)),
    }
}
