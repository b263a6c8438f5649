//! `idp serve`: opens everything, tells how to be called, serves until it is told to end.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use http_api::{Ports, Process, Readiness, ReadinessProbe, RouterSettings, ServerLimits};
use sqlite_store::SqliteStore;
use tokens::Issuer;
use tokio::{net::TcpListener, signal};

use super::Failure;
use crate::{
    compose::{self, Foundations},
    config::Config,
    data_folder::DataFolder,
    runtime::{self, RunningWriter},
};

/// For how long requests in flight may take to finish once the server is told to end. With the
/// store's last writes it makes less than ten seconds.
const GRACE: Duration = Duration::from_secs(7);

pub(super) fn run(config: &Config, out: &mut dyn Write) -> Result<(), Failure> {
    let folder = DataFolder::take(config.data_dir())?;
    runtime::run(serve(config, folder, out))?
}

async fn serve(config: &Config, folder: DataFolder, out: &mut dyn Write) -> Result<(), Failure> {
    let address = config.socket_address();
    let bind = |source| Failure::Bind { address, source };
    let listener = TcpListener::bind(address).await.map_err(bind)?;
    let issuer = compose::issuer(config, listener.local_addr().map_err(bind)?.port())?;

    let (foundations, writer) = Foundations::open(config, folder).await?;
    let writer = RunningWriter::start(writer);
    let platform = foundations.platform(&issuer).await?;
    let provider = foundations.provider(config, issuer.clone(), platform).await?;

    let draining = Arc::new(AtomicBool::new(false));
    let probe = Probe { draining: draining.clone(), store: foundations.store.clone() };
    let process = Process {
        version: env!("CARGO_PKG_VERSION"),
        started_at: foundations.clock.now(),
        clock: foundations.clock.clone(),
        probe: Arc::new(probe),
    };
    let origins = config.network().cors_origins.iter();
    let settings = RouterSettings {
        cors_origins: origins.map(|origin| origin.as_str().to_owned()).collect(),
        entropy: foundations.entropy.clone(),
    };
    let router = http_api::build(Ports::of(Arc::new(provider), process), &settings);
    greet(config, &issuer, out)?;
    let connections = config.network().max_connections.get().get();
    let limits = ServerLimits {
        connections: usize::try_from(connections).unwrap_or(usize::MAX),
        grace: GRACE,
        ..ServerLimits::default()
    };
    http_api::serve(listener, router, limits, told_to_end(draining)).await;
    drop(foundations);
    writer.finish().await;
    tracing::info!("stopped");
    Ok(())
}

/// Tells how to call the server. The last line says that it is ready.
fn greet(config: &Config, issuer: &Issuer, out: &mut dyn Write) -> std::io::Result<()> {
    let admin = config.data_dir().join("admin.json");
    let admin = admin.display();
    writeln!(out, "AgentIdP {}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  API and its documentation  {issuer}/api-docs")?;
    if admin_exists(config) {
        writeln!(out, "  the admin's credential     {admin}")?;
        writeln!(out, "Get the admin a token:")?;
        writeln!(
            out,
            "  curl -s -u \"$(jq -r '.clientId + \":\" + .clientSecret' {admin})\" \
             -d grant_type=client_credentials {issuer}/api/v1/token"
        )?;
    }
    writeln!(out, "ready at {issuer}")?;
    out.flush()
}

fn admin_exists(config: &Config) -> bool {
    config.data_dir().join("admin.json").exists()
}

/// Waits for the signal to end, and turns readiness off before anything else does.
async fn told_to_end(draining: Arc<AtomicBool>) {
    wait_for_signal().await;
    draining.store(true, Ordering::Release);
    tracing::info!("told to end: finishing the requests in flight");
}

#[cfg(unix)]
async fn wait_for_signal() {
    use futures_util::future::{Either, select};

    let Ok(mut terminate) = signal::unix::signal(signal::unix::SignalKind::terminate()) else {
        let _ = signal::ctrl_c().await;
        return;
    };
    let interrupt = std::pin::pin!(signal::ctrl_c());
    let terminate = std::pin::pin!(terminate.recv());
    match select(interrupt, terminate).await {
        Either::Left(_) | Either::Right(_) => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    let _ = signal::ctrl_c().await;
}

struct Probe {
    draining: Arc<AtomicBool>,
    store: SqliteStore,
}

#[async_trait]
impl ReadinessProbe for Probe {
    async fn readiness(&self) -> Readiness {
        if self.draining.load(Ordering::Acquire) {
            return Readiness::Draining;
        }
        match self.store.probe().await {
            Ok(()) => Readiness::Ready,
            Err(_) => Readiness::Unreachable,
        }
    }
}
