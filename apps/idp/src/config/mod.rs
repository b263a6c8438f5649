//! The configuration: read once, at the edge, into types that cannot be wrong. Whoever holds a
//! [`Config`] has nothing left to check.
//!
//! Sources, each over the one before: defaults, a TOML file, the environment. What is unknown or
//! wrong in any of them is told, all at once, with where it came from, and without the value of a
//! secret; then there is no `Config`, and nothing starts.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use tenancy::{Plans, Rate};
use tokens::{InvalidIssuer, Issuer, Lifetime};

mod audit;
mod issuer;
pub mod keys;
mod log;
mod origin;
mod problem;
mod read;
mod secret;
mod show;
mod signing;
mod source;
#[cfg(test)]
mod tests;
mod transport;
mod values;

pub use audit::{Audit, StandardOutput};
pub use issuer::{Reach, Scheme};
pub use log::{InvalidLogFilter, LogFilter, LogFormat};
pub use origin::{InvalidOrigin, Origin};
pub use problem::{Found, Place, Problem, Problems};
pub use secret::{InvalidSecretKey, SECRET_KEY_LENGTH, SecretKey};
pub use signing::Signing;
pub use source::Sources;
pub use transport::{IdentityFiles, Transport};
pub use values::{ConnectionLimit, Database, InvalidDatabase, InvalidRedisUrl, Mode, RedisUrl};

/// The file of the embedded store inside the data folder, where no other is named.
const DATABASE_FILE: &str = "idp.sqlite";

/// A valid configuration.
#[derive(Debug)]
pub struct Config {
    network: Network,
    issuer: Option<Issuer>,
    mode: Mode,
    token_lifetime: Lifetime,
    signing: Signing,
    storage: Storage,
    secrets: Secrets,
    logging: Logging,
    audit: Audit,
    plans: Plans,
    transport: Transport,
    lines: Vec<show::Line>,
}

/// Who may connect, and where.
#[derive(Debug, Clone)]
pub struct Network {
    /// The TCP port; 0 is any free one.
    pub port: u16,
    /// The address to listen on.
    pub listen: IpAddr,
    /// Connections served at a time.
    pub max_connections: ConnectionLimit,
    /// Requests of one address that does not authenticate.
    pub unauthenticated: Rate,
    /// Refusals a minute of one client or address that are told one by one.
    pub refusals_told: NonZeroU32,
    /// Origins whose pages may call the API; empty for none.
    pub cors_origins: Vec<Origin>,
    /// Where metrics are served, if not at the API.
    pub metrics: Option<SocketAddr>,
}

/// Where everything is kept, and what replicas share besides.
#[derive(Debug, Clone)]
struct Storage {
    data_dir: PathBuf,
    database: Option<Database>,
    connections: NonZeroU32,
    redis: Option<RedisUrl>,
    replicas: NonZeroU32,
}

/// The configured secret keys. In production both are there; in development the one that is not
/// is made in the data folder.
#[derive(Debug)]
pub struct Secrets {
    /// Encrypts signing keys at rest.
    pub sealing_key: Option<SecretKey>,
    /// Keys the hashes of client secrets.
    pub pepper: Option<SecretKey>,
}

/// What is logged.
#[derive(Debug, Clone)]
pub struct Logging {
    /// Which lines.
    pub filter: LogFilter,
    /// In which form.
    pub format: LogFormat,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Every problem of every source.
    pub fn load(sources: &Sources) -> Result<Self, Problems> {
        let (settings, problems) = source::Settings::gather(sources);
        let mut reader = read::Reader::new(&settings, problems);
        let network = read::network(&mut reader);
        let port = network.as_ref().map(|network| network.port);
        let issuer = read::issuer(&mut reader, port);
        let mode = read::mode(&mut reader, issuer.as_ref());
        let token_lifetime = read::token_lifetime(&mut reader);
        let signing = read::signing(&mut reader);
        let storage = read::storage(&mut reader);
        let secrets = read::secrets(&mut reader, mode);
        let logging = read::logging(&mut reader);
        let audit = read::audit(&mut reader);
        let plans = read::plans(&mut reader);
        let transport = read::transport(&mut reader);
        let problems = reader.into_problems();
        let whole = || {
            let (issuer, mode) = (issuer?, mode?);
            let lines = show::lines(&settings, issuer.as_ref(), mode);
            let (network, storage, secrets) = (network?, storage?, secrets?);
            let (token_lifetime, logging) = (token_lifetime?, logging?);
            let (audit, plans, signing) = (audit?, plans?, signing?);
            Some(Self {
                network,
                issuer,
                mode,
                token_lifetime,
                signing,
                storage,
                secrets,
                logging,
                audit,
                plans,
                transport: transport?,
                lines,
            })
        };
        match whole() {
            Some(config) if problems.is_empty() => Ok(config),
            Some(_) | None => Err(Problems::new(problems)),
        }
    }

    /// Writes the effective values as TOML, secrets masked, each with where it came from.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn show(&self, out: &mut dyn Write) -> io::Result<()> {
        show::write(&self.lines, out)
    }

    /// Who may connect, and where.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The address to bind.
    pub fn socket_address(&self) -> SocketAddr {
        SocketAddr::new(self.network.listen, self.network.port)
    }

    /// The issuer; `None` only where it was not configured and the port is 0.
    pub fn issuer(&self) -> Option<&Issuer> {
        self.issuer.as_ref()
    }

    /// The issuer of the server that has bound that port.
    ///
    /// # Errors
    /// Where it was not configured and the port is 0.
    pub fn issuer_at(&self, bound_port: u16) -> Result<Issuer, InvalidIssuer> {
        self.issuer()
            .cloned()
            .map_or_else(|| issuer::on_this_machine(self.scheme(), bound_port), Ok)
    }

    /// The scheme that the server itself speaks.
    pub fn scheme(&self) -> Scheme {
        Scheme::of(self.transport.identity.is_some())
    }

    /// How connections are protected.
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Whether what is unsafe is refused.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The life of an access token.
    pub fn token_lifetime(&self) -> Lifetime {
        self.token_lifetime
    }

    /// What tokens are signed with.
    pub fn signing(&self) -> &Signing {
        &self.signing
    }

    /// The folder of the embedded store and of the keys made at first start.
    pub fn data_dir(&self) -> &std::path::Path {
        &self.storage.data_dir
    }

    /// Where everything is kept: where nothing is said, in a file of the data folder.
    pub fn database(&self) -> Database {
        let in_folder = || Database::File(self.storage.data_dir.join(DATABASE_FILE));
        self.storage.database.clone().unwrap_or_else(in_folder)
    }

    /// How many connections to a database server serve requests.
    pub fn database_connections(&self) -> NonZeroU32 {
        self.storage.connections
    }

    /// Where Redis is, if it is used.
    pub fn redis(&self) -> Option<&RedisUrl> {
        self.storage.redis.as_ref()
    }

    /// How many replicas share a limit while Redis is away.
    pub fn replicas(&self) -> NonZeroU32 {
        self.storage.replicas
    }

    /// The configured secret keys.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// What is logged.
    pub fn logging(&self) -> &Logging {
        &self.logging
    }

    /// What leaves the audit logs, and what is erased of them.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// The numbers of every plan.
    pub fn plans(&self) -> &Plans {
        &self.plans
    }
}
