//! The server under test: the whole router over a real store in a folder of its own.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use audit::{
    AuditLog, CheckpointSigner, EventFilter, EventRecord, Journal, Organizations, Transactor,
    record, trim::ANNOUNCED_FOR,
};
use axum::{Router, http::Method};
use credentials::{Pepper, Peppers};
use http_api::{
    ClientCertificates, MetricsText, Ports, Process, Readiness, ReadinessProbe, RouterSettings,
    Service, ServiceHealth, ServicesProbe,
};
use kernel::{
    Clock, Entropy, ExposeSecret, Limit, OrganizationId, PageRequest, Secret, Start, StoreError,
    Timestamp,
};
use local::{
    KeyRing, LocalKeyFactory, LocalProofUses, LocalRateLimiter, LocalVerifier, Sealer,
    SystemEntropy,
};
use registry::Agents;
use serde_json::{Value, json};
use sqlite_store::{Options, SqliteStore};
use tempfile::TempDir;
use tenancy::{Actor, Origin, Plan, Plans, Quota, Quotas, Rate, Scope};
use tokens::{Algorithm, Lifetime, Nonces, RotationPolicy, TokenPolicy};
use tokio::task::AbortHandle;
use usecases::{
    IdentityProvider, Known, Parts,
    authenticate::{PresentedClient, Proofs},
    log::{RetentionRules, Round, Sequencer, Unobserved, retain},
    signing_key::KeyKeeper,
    tokens::GrantRequest,
};

use super::{Answer, call::Call, clock::TestClock, document::Document, founding::Founding, log};

/// Who issues the tokens of a server under test, unless its settings say otherwise.
pub(crate) const ISSUER: &str = "https://idp.example.com";
/// 2026-11-21T08:00:00Z.
const START: i64 = 1_795_248_000_000_000;
const GENEROUS: u64 = 1_000_000;
/// 90 days.
const KEYS_SIGN_FOR: Duration = Duration::from_secs(90 * 86_400);

type Provider = IdentityProvider<SqliteStore, KeyRing>;

/// Somebody who can authenticate.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    /// Its credential; empty for the platform's admin.
    pub(crate) credential: String,
}

/// What a test may want otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) starts_at: Timestamp,
    /// Requests a minute of a client of the platform.
    pub(crate) per_client: u64,
    /// Requests a minute of a client of the other organization.
    pub(crate) per_other_client: u64,
    /// Agents that the platform may have.
    pub(crate) agents: Quota,
    /// Agents that the other organization may have.
    pub(crate) other_agents: Quota,
    /// Requests a minute of an address.
    pub(crate) per_address: u64,
    /// Refusals a minute of one client or address that are told one by one.
    pub(crate) refusals_told: u32,
    /// The one origin whose pages may call.
    pub(crate) cors_origin: Option<&'static str>,
    /// Who issues.
    pub(crate) issuer: &'static str,
    /// What tokens are signed with, the first that can first.
    pub(crate) algorithms: &'static [Algorithm],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            starts_at: Timestamp::from_unix_micros(START).unwrap(),
            per_client: GENEROUS,
            per_other_client: GENEROUS,
            agents: Quota::Unlimited,
            other_agents: Quota::Unlimited,
            per_address: GENEROUS,
            refusals_told: u32::MAX,
            cors_origin: None,
            issuer: ISSUER,
            algorithms: &[Algorithm::Es256],
        }
    }
}

/// The server.
pub(crate) struct Server {
    router: Router,
    pub(crate) provider: Arc<Provider>,
    pub(crate) clock: Arc<TestClock>,
    /// What signing keys are rotated by.
    pub(crate) rotation: RotationPolicy,
    factory: LocalKeyFactory,
    pub(crate) organization: OrganizationId,
    pub(crate) admin: Client,
    /// Another organization, and its admin.
    pub(crate) other: OrganizationId,
    pub(crate) other_admin: Client,
    /// Every secret and token that was given out: none may ever be answered again.
    secrets: Mutex<Vec<String>>,
    named: AtomicU32,
    sequencer: Sequencer<SqliteStore>,
    writer: AbortHandle,
    _folder: TempDir,
}

struct Ready;

#[async_trait]
impl ReadinessProbe for Ready {
    async fn readiness(&self) -> Readiness {
        Readiness::Ready
    }
}

#[async_trait]
impl ServicesProbe for Ready {
    async fn services(&self) -> Vec<ServiceHealth> {
        let latency = Duration::from_millis(1);
        let (service, reachable) = (Service::Database, true);
        vec![ServiceHealth { service, latency, reachable, clocks_apart: false }]
    }
}

/// The event, held to what is documented of its kind.
fn documented(event: EventRecord) -> EventRecord {
    if let Err(contradiction) = event.action.description().check(&event) {
        panic!("{contradiction}: {event:?}");
    }
    event
}

impl MetricsText for Ready {
    fn text(&self) -> Option<String> {
        Some("# EOF\n".to_owned())
    }
}

/// What the process knows of itself, at this instant.
fn process(clock: Arc<dyn Clock>) -> Process {
    let (probe, services) = (Arc::new(Ready), Arc::new(Ready));
    let metrics: Option<Arc<dyn MetricsText>> = Some(Arc::new(Ready));
    Process { version: "1.2.3", started_at: clock.now(), clock, probe, services, metrics }
}

/// A machine that is busy with other things must not make a test fail.
fn patient() -> Options {
    const PATIENCE: Duration = Duration::from_secs(60);
    Options {
        acquire_timeout: PATIENCE,
        patience: PATIENCE,
        busy_timeout: PATIENCE,
        ..Options::default()
    }
}

fn plans(settings: &Settings) -> Plans {
    let quotas = |per_minute, agents| Quotas {
        agents,
        requests: Rate { per_minute },
        tokens_per_month: Quota::Unlimited,
        audit_retention_days: 90,
    };
    Plans {
        free: quotas(settings.per_other_client, settings.other_agents),
        pro: quotas(GENEROUS, Quota::Unlimited),
        enterprise: quotas(settings.per_client, settings.agents),
    }
}

/// What proofs are checked with.
fn proofs(entropy: &Arc<dyn Entropy>) -> Proofs {
    let uses = LocalProofUses::new(entropy.clone()).unwrap();
    Proofs { nonces: Nonces::derived_from(&[9; 32]), uses: Arc::new(uses) }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self::altered(settings, |ports| ports).await
    }

    /// A server of which some ports are others.
    #[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
    #[expect(clippy::too_many_lines, reason = "it puts everything together, once, in order")]
    pub(crate) async fn altered(settings: Settings, alter: impl FnOnce(Ports) -> Ports) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::starting_at(settings.starts_at));
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let path = folder.path().join("idp.db");
        let opened = SqliteStore::open(&path, clock.clone(), entropy.clone(), patient()).await;
        let (store, writer) = opened.unwrap();
        let known = Arc::new(Known::alone());
        let store = store.telling(known.clone());
        let writer = tokio::spawn(writer.run());

        let peppers = Peppers::single(Pepper::new(&[7; 32]));
        let machine = (&*clock as &dyn Clock, &*entropy);
        let founding =
            Founding { store: &store, clock: machine.0, entropy: machine.1, peppers: &peppers };
        let (organization, admin) = founding.platform().await;
        let (other, other_admin) = founding.tenant(Plan::Free).await;

        let sealer = Arc::new(Sealer::new(&[9; 32], entropy.clone()).unwrap());
        let factory = LocalKeyFactory::new(sealer.clone());
        let algorithms = settings.algorithms.to_vec();
        let rotation = RotationPolicy::new(algorithms.clone(), Lifetime::default(), KEYS_SIGN_FOR);
        let signer = KeyRing::new(sealer).preferring(algorithms);
        let keeper = KeyKeeper {
            store: &store,
            platform: organization,
            clock: machine.0,
            factory: &factory,
            policy: &rotation,
        };
        let kept = keeper.keep_up().await.unwrap();
        assert_eq!(signer.replace(&kept.whole), Ok(Vec::new()));
        let proofs = proofs(&entropy);
        let provider = Arc::new(IdentityProvider::new(Parts {
            store,
            platform: organization,
            signer,
            verifier: Arc::new(LocalVerifier),
            proofs,
            clock: clock.clone(),
            entropy: entropy.clone(),
            limiter: Arc::new(LocalRateLimiter::new()),
            peppers,
            policy: TokenPolicy {
                issuer: settings.issuer.parse().unwrap(),
                lifetime: Lifetime::default(),
            },
            plans: plans(&settings),
            known,
            checkpoint_key: log::Signer::new().public_key(),
            unauthenticated: Rate { per_minute: settings.per_address },
            refusals_told: NonZeroU32::new(settings.refusals_told).unwrap(),
        }));
        let sequencer = log::sequencer(provider.store().clone(), clock.clone());
        let process = process(clock.clone());
        let cors_origins = settings.cors_origin.into_iter().map(str::to_owned).collect();
        let settings = RouterSettings { cors_origins, entropy, observer: None };
        let ports = alter(Ports::of(provider.clone(), process));
        let router = http_api::build(ports, &settings);
        let secrets = vec![admin.secret.clone(), other_admin.secret.clone()];
        Self {
            router,
            provider,
            clock,
            rotation,
            factory,
            organization,
            admin,
            other,
            other_admin,
            secrets: Mutex::new(secrets),
            named: AtomicU32::new(0),
            sequencer,
            writer: writer.abort_handle(),
            _folder: folder,
        }
    }

    /// The same, that sees certificates of clients.
    pub(crate) fn seeing(self, certificates: Arc<ClientCertificates>) -> Self {
        let router = http_api::with_client_certificates(self.router.clone(), certificates);
        Self { router, ..self }
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    pub(crate) fn store(&self) -> &SqliteStore {
        self.provider.store()
    }

    pub(crate) fn signer(&self) -> &KeyRing {
        self.provider.signer()
    }

    /// Who keeps this server's signing keys.
    pub(crate) fn key_keeper(&self) -> KeyKeeper<'_, SqliteStore, LocalKeyFactory> {
        KeyKeeper {
            store: self.store(),
            platform: self.organization,
            clock: &*self.clock,
            factory: &self.factory,
            policy: &self.rotation,
        }
    }

    /// Holds an answer against the document, and looks for what was to be shown once only.
    pub(crate) fn check(&self, method: &Method, path: &str, answer: &Answer) {
        Document::get().check(method, path, answer);
        let mut secrets = self.secrets.lock().unwrap();
        let text = String::from_utf8_lossy(&answer.body);
        let headers = format!("{:?}", answer.headers);
        for secret in &*secrets {
            let shown = text.contains(secret) || headers.contains(secret);
            assert!(!shown, "{method} {path} shows a secret again");
        }
        let fresh = ["clientSecret", "access_token"].map(|name| answer.json[name].as_str());
        secrets.extend(fresh.into_iter().flatten().map(str::to_owned));
    }

    /// Writes the counts of refusals whose minute is over, as the server does every few seconds.
    pub(crate) async fn note_counted(&self) {
        self.try_note_counted().await.unwrap();
    }

    pub(crate) async fn try_note_counted(&self) -> Result<(), StoreError> {
        self.provider.note_counted().await
    }

    /// Gives every event its place, and covers it by a checkpoint.
    pub(crate) async fn sequence(&self) {
        while self.sequencer.round().await.unwrap() != Round::Idle {}
    }

    /// Announces what the plans no longer keep, and erases it once that is old enough, as the server
    /// does now and then.
    pub(crate) async fn erase_what_is_over(&self) {
        let rules = RetentionRules {
            plans: plans(&Settings::default()),
            personal_data_days: 90,
            platform: self.organization,
        };
        for _ in 0..2 {
            let kept = retain(self.store(), &rules, &*self.clock, &Unobserved).await;
            assert_eq!(kept.unwrap(), 0);
            self.sequence().await;
            self.clock.advance(ANNOUNCED_FOR);
        }
    }

    /// Everything that was given out so far.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.secrets.lock().unwrap().clone()
    }

    pub(crate) fn call(&self, method: Method, path: impl Into<String>) -> Call<'_> {
        Call::new(self, method, path)
    }

    pub(crate) fn get(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub(crate) fn patch(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::PATCH, path)
    }

    pub(crate) fn delete(&self, path: impl Into<String>) -> Call<'_> {
        self.call(Method::DELETE, path)
    }

    /// Asks for a token, and gives the whole answer.
    pub(crate) async fn ask(&self, client: &Client, more: &[(&str, &str)]) -> Answer {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend_from_slice(more);
        self.post("/api/v1/token").basic(&client.id, &client.secret).form(&form).send().await
    }

    /// A token of a client; with everything that it may ask for where the scope is empty.
    pub(crate) async fn token_of(&self, client: &Client, scope: &str) -> String {
        let answer = self.ask(client, &[("scope", scope)]).await.expect(200);
        answer.text("access_token")
    }

    /// A token of the platform's admin.
    pub(crate) async fn token(&self, scope: &str) -> String {
        self.token_of(&self.admin, scope).await
    }

    /// A token of the platform's admin with everything that it may ask for, issued below the router:
    /// for a server whose ports fail.
    pub(crate) async fn token_of_the_inside(&self) -> String {
        let (id, secret) = (self.admin.id.clone(), Secret::from(self.admin.secret.clone()));
        let presented = PresentedClient::Secret { id, secret };
        let origin = Origin::internal();
        let client = self.provider.authenticate_client(&presented, &origin).await.unwrap().caller;
        let grant_type = "client_credentials".to_owned();
        let request = GrantRequest { grant_type, ..GrantRequest::default() };
        let issued = self.provider.issue_token(&client, &request).await.unwrap();
        issued.token.expose_secret().to_owned()
    }

    /// An address that nobody has yet.
    pub(crate) fn fresh_email(&self) -> String {
        format!("agent-{}@example.com", self.named.fetch_add(1, Ordering::Relaxed))
    }

    /// The body that registers an agent, with a fresh address.
    pub(crate) fn new_agent(&self) -> Value {
        json!({
            "email": self.fresh_email(),
            "agentType": "screener",
            "version": "1.4.0",
            "capabilities": ["resume:read"],
            "owner": "talent-team",
            "deploymentEnv": "production",
        })
    }

    /// Registers an agent with these members besides those that it must have; gives its id.
    pub(crate) async fn register_agent(&self, more: Value) -> String {
        let mut body = self.new_agent();
        let Value::Object(more) = more else { panic!("an object") };
        body.as_object_mut().unwrap().extend(more);
        let token = self.token("agents:write").await;
        let answer = self.post("/api/v1/agents").token(&token).json(&body).send().await;
        answer.expect(201).text("agentId")
    }

    /// Makes a credential for an agent.
    pub(crate) async fn credential(&self, agent: &str, body: &Value) -> Client {
        let token = self.token("credentials:write").await;
        let path = format!("/api/v1/agents/{agent}/credentials");
        let made = self.post(path).token(&token).json(body).send().await.expect(201);
        Client {
            id: agent.to_owned(),
            secret: made.text("clientSecret"),
            credential: made.text("credentialId"),
        }
    }

    /// An agent with these roles and the capability `resume:read`, and a credential.
    pub(crate) async fn client(&self, roles: &[&str]) -> Client {
        let id = self.register_agent(json!({ "roles": roles })).await;
        self.credential(&id, &json!({})).await
    }

    /// A resource server that answers to these, and a credential.
    pub(crate) async fn resource_server(&self, resources: &[&str]) -> Client {
        let more = json!({ "roles": ["resource_server"], "resources": resources });
        let id = self.register_agent(more).await;
        self.credential(&id, &json!({})).await
    }

    /// Takes every view that the store can give at once: whoever needs one waits while these are
    /// held.
    pub(crate) async fn every_view(&self) -> Vec<impl Sized + use<>> {
        let mut views = Vec::new();
        for _ in 0..patient().readers {
            views.push(self.store().view(self.organization).await.unwrap());
        }
        views
    }

    /// Takes the store's writer away: nothing can be written any more.
    pub(crate) fn lose_the_writer(&self) {
        self.writer.abort();
    }

    /// Suspends the other organization, or takes it back into use.
    pub(crate) async fn suspend_other(&self, suspended: bool) {
        let scope = Scope::new(self.other, Actor::System, Origin::internal());
        let mut tx = self.store().begin(scope).await.unwrap();
        let organization = tx.organization().await.unwrap().unwrap();
        let now = self.clock.now();
        let change =
            if suspended { organization.suspend(now) } else { organization.reactivate(now) };
        let (tx, _) = record(tx, change.unwrap()).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Archives a decommissioned agent, as the retention will.
    pub(crate) async fn archive(&self, agent: &str) {
        let scope = Scope::new(self.organization, Actor::System, Origin::internal());
        let mut tx = self.store().begin(scope).await.unwrap();
        let agent = tx.agent(agent.parse().unwrap()).await.unwrap().unwrap();
        let change = agent.archive(self.clock.now()).unwrap();
        let (tx, _) = record(tx, change).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Every event of both organizations, oldest first.
    pub(crate) async fn events(&self) -> Vec<EventRecord> {
        let mut events = self.events_of(self.organization).await;
        events.extend(self.events_of(self.other).await);
        events.sort_by_key(|event| event.id);
        events
    }

    async fn events_of(&self, organization: OrganizationId) -> Vec<EventRecord> {
        let mut start = Start::Page(NonZeroU32::MIN);
        let mut events = Vec::new();
        loop {
            let mut view = self.store().view(organization).await.unwrap();
            let request = PageRequest { start, limit: Limit::new(Limit::MAX).unwrap() };
            let page = view.events(&EventFilter::default(), request).await.unwrap();
            events.extend(page.rows.into_iter().map(|logged| documented(logged.event)));
            match page.next {
                Some(next) => start = Start::After(next),
                None => return events,
            }
        }
    }

    /// The events that something leaves.
    pub(crate) async fn events_of_doing<T>(
        &self,
        work: impl Future<Output = T>,
    ) -> (T, Vec<EventRecord>) {
        let before = self.events().await.len();
        let done = work.await;
        let events = self.events().await.split_off(before);
        (done, events)
    }
}
