//! A store on a database of its own, whose background work runs, and ways past it.

use std::{future::Future, sync::Arc};

use audit::{Action, Apply, Audited, Event, Journal, Transactor, note, record};
use contracts::sample::{self, Machine, Sequencer};
use kernel::{Clock, Entropy, EventId, StoreError};
use postgres_store::{Background, Isolation, Options, PostgresStore, PostgresTx};
use registry::Agent;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection};
use tenancy::{Kind, Plan, Scope};
use tokens::Algorithm;
use tokio::task::{JoinHandle, yield_now};

use crate::support::Database;

/// A store whose background work runs.
pub(crate) struct Running {
    pub(crate) database: Database,
    pub(crate) store: PostgresStore,
    pub(crate) machine: Machine,
    background: JoinHandle<()>,
}

/// Few connections, so that whatever is not given back is missed soon.
pub(crate) fn few() -> Options {
    Options { connections: 3, ..Options::default() }
}

/// A store on this database; nothing is written until its background work is run.
pub(crate) async fn open(
    database: &Database,
    machine: &Machine,
    options: &Options,
) -> (PostgresStore, Background) {
    let (clock, entropy) = (Arc::clone(&machine.clock), Arc::clone(&machine.entropy));
    let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) = (clock, entropy);
    let login = database.login();
    let opened = PostgresStore::open(&login, parts, Isolation::Preferred, options).await;
    let (store, background) = opened.unwrap();
    (store.telling(machine.heard.clone()), background)
}

#[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
pub(crate) fn spawned<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    tokio::spawn(work)
}

/// Asks until the answer is yes. Whatever the test waits for comes, or the test never ends well.
pub(crate) async fn until(what: &str, mut asked: impl AsyncFnMut() -> bool) {
    for _ in 0..20_000 {
        if asked().await {
            return;
        }
        yield_now().await;
    }
    panic!("it never came to be: {what}");
}

impl Running {
    pub(crate) async fn fresh() -> Self {
        Self::with(few()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        Self::on(Database::migrated().await, Machine::default(), options).await
    }

    pub(crate) async fn on(database: Database, machine: Machine, options: Options) -> Self {
        let (store, background) = open(&database, &machine, &options).await;
        Self { database, store, machine, background: spawned(background.run()) }
    }

    /// Drops the store and waits until everything is written.
    pub(crate) async fn close(self) -> Database {
        drop(self.store);
        self.background.await.unwrap();
        self.database
    }

    pub(crate) async fn organization(&self, slug: &str, kind: Kind) -> Scope {
        let change = sample::founded(&self.machine, slug, kind, Plan::Pro);
        let scope = sample::scope(change.after().id(), self.machine.agent_id());
        self.change(&scope, change).await.unwrap();
        scope
    }

    pub(crate) async fn change<C: Audited>(
        &self,
        scope: &Scope,
        change: C,
    ) -> Result<C::After, StoreError>
    where
        PostgresTx: Apply<C>,
    {
        let tx = self.store.begin(scope.clone()).await?;
        let (tx, after) = record(tx, change).await?;
        tx.commit().await?;
        Ok(after)
    }

    pub(crate) async fn agent(&self, scope: &Scope, name: &str) -> Result<Agent, StoreError> {
        self.change(scope, sample::agent_named(&self.machine, scope.organization(), name)).await
    }

    pub(crate) async fn note(&self, scope: &Scope, event: &Event) -> Result<EventId, StoreError> {
        note(&self.store, scope, event).await
    }

    /// One of everything.
    pub(crate) async fn fill(&self, slug: &str, kind: Kind) -> Scope {
        let scope = self.organization(slug, kind).await;
        let agent = self.agent(&scope, "one").await.unwrap();
        let credential = sample::passing_credential(&self.machine, &agent);
        let credential = self.change(&scope, credential).await.unwrap();
        self.change(&scope, sample::client_key(&self.machine, &agent)).await.unwrap();
        // Of each algorithm one key at most waits to sign, whoever published it.
        let algorithm = match slug {
            "first" => Algorithm::Es256,
            "second" => Algorithm::EdDsa,
            _ => Algorithm::Ps256,
        };
        let key = sample::key_of(&self.machine, algorithm);
        self.change(&scope, key).await.unwrap();
        let (organization, id) = (scope.organization(), credential.id());
        let token = sample::verified_token(&self.machine, organization, agent.id(), id).await;
        self.change(&scope, sample::revoked(&token, self.machine.now())).await.unwrap();
        self.change(&scope, sample::checkpoint_key(&self.machine)).await.unwrap();
        Sequencer::default().run(&self.store, organization).await;
        // One that waits for its place.
        self.note(&scope, &Event::failure(Action::AccessDenied)).await.unwrap();
        scope
    }
}

impl Database {
    pub(crate) async fn execute(&self, sql: &str) {
        let mut connection = self.connection().await;
        connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    /// The number that a statement selects, by an administrator.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&mut self.connection().await).await.unwrap()
    }

    /// A connection that may do what the server may.
    pub(crate) async fn as_server(&self) -> PgConnection {
        let settings = [("role", "idp_app"), ("search_path", "public")];
        self.options().options(settings).connect().await.unwrap()
    }
}
