//! `idp serve`: opens everything, tells how to be called, serves until it is told to end.

use std::{
    io::Write,
    net::SocketAddr,
    pin::pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use audit::CheckpointSigner;
use futures_util::future::{Either, pending, select};
use http_api::{MetricsText, Ports, Router, RouterSettings, ServerLimits, Supported};
use kernel::OrganizationId;
use tokens::Issuer;
use tokio::{net::TcpListener, sync::oneshot};
use usecases::log::RetentionRules;

use super::Failure;
use crate::{
    certificates::Certificates,
    compose::{self, Foundations, LogKeeping, Opened, Provider, Store},
    config::{Config, Database, Mode},
    counting,
    following::{self, Follower},
    metrics::Measured,
    rotating::{self, KeysAtHand},
    runtime::{self, Company},
    sequencing,
    signals::Signals,
    storage::Storage,
    watching,
};

/// For how long requests in flight may take to finish once the server is told to end. With the least
/// time for counts, the last round of the logs and the store's last writes it makes less than ten seconds.
const GRACE: Duration = Duration::from_secs(6);

/// When all but the last round of the logs and the store's last writes, three seconds at most, is to be
/// over: what requests do not need of it is there for counts.
const BEFORE_THE_LAST_WRITES: Duration = Duration::from_millis(6_900);

pub(super) fn run(config: &Config, out: &mut dyn Write) -> Result<(), Failure> {
    match config.database() {
        Database::File(file) => {
            let storage = Storage::take(config.data_dir(), &file)?;
            runtime::run(async {
                let door = Door::open(config).await?;
                serve(config, door, compose::open_embedded(config, storage).await?, out).await
            })?
        }
        Database::Server(login) => runtime::run(async {
            let door = Door::open(config).await?;
            serve(config, door, compose::open_shared(config, &login).await?, out).await
        })?,
    }
}

/// Where the server listens. It is bound first: whoever cannot have the port changes nothing.
struct Door {
    listener: TcpListener,
    bound: SocketAddr,
    issuer: Issuer,
    certificates: Arc<Certificates>,
}

impl Door {
    async fn open(config: &Config) -> Result<Self, Failure> {
        let certificates = Arc::new(Certificates::load(config.transport())?);
        let address = config.socket_address();
        let bind = |source| Failure::Bind { address, source };
        let listener = TcpListener::bind(address).await.map_err(bind)?;
        let bound = listener.local_addr().map_err(bind)?;
        Ok(Self { listener, bound, issuer: config.issuer_at(bound.port())?, certificates })
    }
}

async fn serve<S: Store>(
    config: &Config,
    door: Door,
    opened: Opened<S>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Opened { foundations, behind } = opened;
    let mut company = behind.start();
    let work = Work::begin(config, &door.issuer, &foundations, &mut company).await?;
    let draining = Arc::new(AtomicBool::new(false));
    let router = router(config, &foundations, &work, (&door.certificates, draining.clone()));
    door.certificates.clone().accompany(&mut company);
    // Before anybody is told that the server is ready: who then ends it is heard.
    let mut signals = Signals::listen().map_err(Failure::Signals)?;
    greet(&Greeting { config, issuer: &door.issuer, bound: door.bound }, out)?;
    let (tell, told) = oneshot::channel();
    let (clock, told_at) = (foundations.clock.clone(), OnceLock::new());
    let told = async {
        // An error means that there is nobody left to tell it, which is as good.
        let _ = told.await;
        told_at.get_or_init(|| clock.now());
    };
    let tls = door.certificates.tls();
    let serving = http_api::serve_over(tls, door.listener, router, limits(config), told);
    let (serving, mut ending) = (pin!(serving), pin!(end(&mut signals, &draining, tell)));
    match select(select(serving, ending.as_mut()), pin!(company.lost())).await {
        Either::Left((Either::Left(_), _)) => {}
        Either::Left((Either::Right(_), _)) => return Err(Failure::CutShort),
        Either::Right(_) => return Err(Failure::StoreLost),
    }
    drop(foundations);
    let now = clock.now();
    let spent = now.since(*told_at.get_or_init(|| now));
    match select(pin!(work.finish(company, spent)), ending).await {
        Either::Left(_) => tracing::info!("stopped"),
        Either::Right(_) => return Err(Failure::CutShort),
    }
    Ok(())
}

/// What the server does, for callers and beside them.
struct Work<S> {
    provider: Arc<Provider<S>>,
    keeping: LogKeeping<S>,
    measured: Arc<Measured>,
}

impl<S: Store> Work<S> {
    /// Puts it together, and begins what goes on beside the requests.
    async fn begin(
        config: &Config,
        issuer: &Issuer,
        foundations: &Foundations<S>,
        company: &mut Company,
    ) -> Result<Self, Failure> {
        let (store, clock) = (&foundations.store, &foundations.clock);
        let platform = foundations.platform(issuer).await?;
        let signer = foundations.checkpoint_signer(platform).await?;
        let log = (platform, signer.public_key());
        let provider = Arc::new(foundations.provider(config, issuer.clone(), log).await?);
        let measured = Arc::new(Measured::new(foundations.known.clone(), clock.clone()));
        let watched = (signer as Arc<dyn CheckpointSigner>, measured.clone() as Arc<_>);
        let keeping = foundations.log_keeping(config, issuer, watched).await?;

        let keys = Arc::new(KeysAtHand::new(provider.clone(), platform));
        rotating::accompany(company, foundations.key_keeping(config, platform), keys.clone());
        accompany(company, foundations, keys);
        counting::accompany(company, &provider);
        let retention = (retention(config, platform), measured.clone() as Arc<_>);
        sequencing::accompany(company, &keeping, (store.clone(), clock.clone()), retention);
        watching::accompany(company, store.clone(), measured.clone());
        serve_metrics(company, config, measured.clone()).await?;
        Ok(Self { provider, keeping, measured })
    }

    /// Finishes it, once nobody calls any more. `spent` is how long ago the server was told to end.
    async fn finish(self, company: Company, spent: Duration) {
        counting::finish(self.provider, BEFORE_THE_LAST_WRITES.saturating_sub(spent)).await;
        sequencing::finish(self.keeping).await;
        company.finish().await;
    }
}

/// The API, with certificates of clients as they are configured.
fn router<S: Store>(
    config: &Config,
    foundations: &Foundations<S>,
    work: &Work<S>,
    (certificates, draining): (&Certificates, Arc<AtomicBool>),
) -> Router {
    let process = foundations.process(draining, metrics_beside(config, &work.measured));
    let mut ports = Ports::of(work.provider.clone(), process);
    let mutual_tls = certificates.supported();
    ports.supported = Arc::new(Supported { mutual_tls, ..Supported::clone(&ports.supported) });
    let api = http_api::build(ports, &settings(config, foundations, work.measured.clone()));
    http_api::with_client_certificates(api, certificates.of_clients())
}

/// Starts what follows other replicas, where there can be any.
fn accompany<S: Store>(
    company: &mut Company,
    foundations: &Foundations<S>,
    keys: Arc<KeysAtHand<S>>,
) {
    if !S::IS_SHARED {
        return;
    }
    let known = foundations.known.clone();
    let store = foundations.store.clone();
    let clock = foundations.clock.clone();
    let hints = foundations.hints.as_ref().map(|(hints, _)| hints.clone());
    company.accompany("following", move || {
        let (keys, known) = (keys.clone(), known.clone());
        let (clock, hints) = (clock.clone(), hints.clone());
        let feed = store.changes();
        async move {
            if let Some(feed) = feed {
                Follower { keys, known, clock, hints }.follow(feed).await;
            }
        }
    });
    if let Some((hints, announcer)) = foundations.hints.clone() {
        company
            .accompany("announcing", move || following::announce(hints.clone(), announcer.clone()));
    }
}

/// Waits for the first signal, turns readiness off before anything else, and lets the server
/// finish. Done at the second signal, which asks for the end at once.
async fn end(signals: &mut Signals, draining: &AtomicBool, finish: oneshot::Sender<()>) {
    signals.next().await;
    draining.store(true, Ordering::Release);
    tracing::info!("told to end: finishing the requests in flight");
    // An error means that the server has ended already.
    let _ = finish.send(());
    signals.next().await;
}

/// For how long what is kept of the logs.
fn retention(config: &Config, platform: OrganizationId) -> RetentionRules {
    let personal_data_days = config.audit().personal_data_days;
    RetentionRules { plans: *config.plans(), personal_data_days, platform }
}

/// Serves metrics where the configuration says.
async fn serve_metrics(
    company: &mut Company,
    config: &Config,
    measured: Arc<Measured>,
) -> Result<(), Failure> {
    let Some(address) = config.network().metrics else { return Ok(()) };
    let bind = |source| Failure::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind)?;
    let router = http_api::metrics_router(measured);
    company.join_in(http_api::serve(listener, router, ServerLimits::default(), pending()));
    Ok(())
}

/// The metrics, where they are served beside the API: on one's own machine, and nowhere else.
fn metrics_beside(config: &Config, measured: &Arc<Measured>) -> Option<Arc<dyn MetricsText>> {
    let beside = config.mode() == Mode::Development && config.network().metrics.is_none();
    beside.then(|| measured.clone() as Arc<dyn MetricsText>)
}

fn settings<S>(
    config: &Config,
    foundations: &Foundations<S>,
    measured: Arc<Measured>,
) -> RouterSettings {
    let origins = config.network().cors_origins.iter();
    RouterSettings {
        cors_origins: origins.map(|origin| origin.as_str().to_owned()).collect(),
        entropy: foundations.entropy.clone(),
        observer: Some(measured),
    }
}

fn limits(config: &Config) -> ServerLimits {
    let connections = config.network().max_connections.get().get();
    ServerLimits {
        connections: usize::try_from(connections).unwrap_or(usize::MAX),
        grace: GRACE,
        ..ServerLimits::default()
    }
}

/// What somebody who started the server wants to know of it.
struct Greeting<'a> {
    config: &'a Config,
    issuer: &'a Issuer,
    /// Where it listens.
    bound: SocketAddr,
}

/// Tells how to call the server. The last line says that it is ready.
fn greet(greeting: &Greeting<'_>, out: &mut dyn Write) -> std::io::Result<()> {
    let Greeting { config, issuer, bound } = greeting;
    let file = config.data_dir().join("admin.json");
    let admin = file.display();
    writeln!(out, "AgentIdP {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  API and its documentation  {issuer}/api-docs")?;
    let listens = format!("{}://{bound}", config.scheme().name());
    if issuer.as_str() != listens {
        writeln!(out, "  listens on                 {listens}")?;
    }
    if file.exists() {
        let quoted = shell_quoted(&admin.to_string());
        writeln!(out, "  the admin's credential     {admin}")?;
        writeln!(out, "Get the admin a token:")?;
        writeln!(
            out,
            "  curl -s -u \"$(jq -r '.clientId + \":\" + .clientSecret' {quoted})\" \
             -d grant_type=client_credentials {issuer}/api/v1/token"
        )?;
    } else {
        // Not an error: whoever keeps the secret elsewhere does well to remove the file.
        writeln!(out, "  the admin's credential     with whoever took it from {admin}")?;
    }
    writeln!(out, "ready at {issuer}")?;
    out.flush()
}

/// The text as one word of a shell.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rustix::process::{Signal, getpid, kill_process};

    #[tokio::test]
    async fn cs_01_readiness_is_off_before_the_server_is_told_to_finish() {
        let mut signals = Signals::listen().unwrap();
        let draining = AtomicBool::new(false);
        let (tell, told) = oneshot::channel();
        kill_process(getpid(), Signal::TERM).unwrap();
        let ending = pin!(end(&mut signals, &draining, tell));
        match select(ending, told).await {
            Either::Left(_) => panic!("there was no second signal"),
            Either::Right((told, _)) => assert!(told.is_ok()),
        }
        assert!(draining.load(Ordering::Acquire));
    }
}
