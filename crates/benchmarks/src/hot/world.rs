//! A server within this process: the program's own parts over a SQLite file, without a network.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use anyhow::{Context, ensure};
use axum::body::Body;
use http_api::{Peer, Ports, Router, RouterSettings};
use hyper::{
    Request, StatusCode,
    header::{self, HeaderValue},
};
use idp::{
    compose::{self, Opened},
    config::{Config, Database, Sources},
    metrics::Measured,
    runtime::Company,
    storage::Storage,
};
use kernel::{RequestId, Secret};
use sqlite_store::SqliteStore;
use tenancy::{Origin, UserAgent};
use tokens::Algorithm;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use usecases::{
    AuthenticatedClient,
    authenticate::{PresentedClient, PresentedToken},
    tokens::GrantRequest,
};

/// What clients say they are.
const USER_AGENT: &str = "agent-runtime/2.7 (linux; x86_64)";

/// The server, and a client of it: the admin of the first organization.
pub(super) struct World {
    runtime: Runtime,
    router: Router,
    pub(super) provider: Provider,
    pub(super) id: String,
    pub(super) secret: String,
    _company: Company,
}

type Provider = Arc<compose::Provider<SqliteStore>>;

impl World {
    /// The server whose data lie in this folder; a new one where there are none. It signs by this.
    pub(super) fn open(folder: &Path, algorithm: Algorithm) -> anyhow::Result<Self> {
        let setting = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let environment = [
            ("IDP_DATA_DIR", folder.to_str().context("a folder whose name is no text")?),
            ("IDP_SIGNING_ALGORITHMS", algorithm.name()),
            ("IDP_PLANS_ENTERPRISE_REQUESTS_PER_MINUTE", "4000000000"),
        ];
        let environment = environment.into_iter().map(setting).collect();
        let config = Config::load(&Sources { environment, file: None })?;
        let Database::File(file) = config.database() else { anyhow::bail!("it is a file") };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let storage = Storage::take(config.data_dir(), &file)?;
        let (router, provider, company) = runtime.block_on(async {
            let opened = compose::open_embedded(&config, storage).await?;
            serve(&config, opened).await
        })?;
        let admin: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.join("admin.json"))?)?;
        let told = |name: &str| Some(admin.get(name)?.as_str()?.to_owned());
        let (id, secret) = told("clientId").zip(told("clientSecret")).context("an admin")?;
        Ok(Self { runtime, router, provider, id, secret, _company: company })
    }

    pub(super) fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// The client as it authenticates at the token endpoint.
    pub(super) fn presented(&self) -> PresentedClient {
        PresentedClient::Secret { id: self.id.clone(), secret: Secret::from(self.secret.as_str()) }
    }

    /// The client, once it has authenticated.
    pub(super) fn client(&self) -> anyhow::Result<AuthenticatedClient> {
        let (presented, origin) = (self.presented(), origin());
        let admitted = self.block_on(self.provider.authenticate_client(&presented, &origin))?;
        Ok(admitted.caller)
    }

    /// A token of the client, for the server's own API.
    pub(super) fn token(&self) -> anyhow::Result<Secret> {
        let issued = self.block_on(self.provider.issue_token(&self.client()?, &grant()))?;
        Ok(issued.token)
    }

    /// Sends a request, and takes in the whole answer, which must be a good one.
    pub(super) fn answered(&self, request: Request<String>) -> anyhow::Result<()> {
        let mut request = request.map(Body::from);
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        request.extensions_mut().insert(Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        let router = self.router.clone();
        self.block_on(async {
            let Ok(answer) = router.oneshot(request).await;
            ensure!(answer.status() == StatusCode::OK, "answered with {}", answer.status());
            let body = http_body_util::BodyExt::collect(answer.into_body()).await?.to_bytes();
            ensure!(!body.is_empty(), "nothing is answered");
            Ok(())
        })
    }
}

/// What asks.
pub(super) fn origin() -> Origin {
    Origin {
        request: RequestId::internal(),
        address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        user_agent: UserAgent::new(USER_AGENT),
    }
}

/// What a client asks for.
pub(super) fn grant() -> GrantRequest {
    GrantRequest {
        grant_type: "client_credentials".to_owned(),
        scope: Some("agents:read tokens:introspect".to_owned()),
        ..GrantRequest::default()
    }
}

/// A token as it is shown.
pub(super) fn shown(token: Secret) -> PresentedToken {
    PresentedToken { token, proof: None, certificate: None }
}

/// Puts the parts together as the program does, but for what goes on beside the requests.
async fn serve(
    config: &Config,
    opened: Opened<SqliteStore>,
) -> anyhow::Result<(Router, Provider, Company)> {
    let Opened { foundations, behind } = opened;
    let company = behind.start();
    let issuer = config.issuer_at(3000)?;
    let platform = foundations.platform(&issuer).await?;
    let signer = foundations.checkpoint_signer(platform).await?;
    let log = (platform, audit::CheckpointSigner::public_key(&*signer));
    let provider = Arc::new(foundations.provider(config, issuer, log).await?);
    let process = foundations.process(Arc::new(AtomicBool::new(false)), None);
    let ports = Ports::of(provider.clone(), process);
    let measured = Measured::new(foundations.known.clone(), foundations.clock.clone());
    let settings = RouterSettings {
        cors_origins: Vec::new(),
        entropy: foundations.entropy.clone(),
        observer: Some(Arc::new(measured)),
    };
    Ok((http_api::build(ports, &settings), provider, company))
}
