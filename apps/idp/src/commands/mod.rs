//! The commands, one a file, and the ways in which one can fail.

use std::io::{self, Write};
use std::net::SocketAddr;

use crate::cli::{AuditCommand, Command, VerifyOptions};
use crate::compose::ComposeError;
use crate::config::{Config, Problems};
use crate::hardening::Unhardened;
use crate::storage::StorageError;

mod acknowledge;
mod bootstrap;
mod config;
mod health;
mod keys;
mod migrate;
mod serve;
mod verify;

pub use health::Unready;
pub use verify::Unusable;

/// Why a command failed. Ends the process with exit code 1, or 2 where [`Failure::is_of_the_input`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The configuration is not valid.
    #[error(transparent)]
    Configuration(#[from] Problems),
    /// The process cannot be kept from leaving its memory on a disk.
    #[error("production needs a process that dumps no memory")]
    Unhardened(#[from] Unhardened),
    /// What the command prints cannot be written.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
    /// The log cannot be started.
    #[error(transparent)]
    Logging(#[from] crate::logging::NotStarted),
    /// The data folder or the database cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No issuer follows from the port.
    #[error("the issuer is not known; set IDP_ISSUER, or PORT to another than 0")]
    Issuer(#[from] tokens::InvalidIssuer),
    /// The parts do not come together.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; set PORT or IDP_LISTEN to another")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The files of certificates cannot be used.
    #[error(transparent)]
    Certificates(#[from] crate::certificates::UnusableFile),
    /// The signals that end a server cannot be heard.
    #[error("the signals that end the server cannot be listened for")]
    Signals(#[source] io::Error),
    /// Told to end while it was ending.
    #[error("told to end at once; requests in flight were cut off")]
    CutShort,
    /// What writes to the store has ended while the server ran.
    #[error("the store can no longer be written to; the log says why")]
    StoreLost,
    /// The name of an organization is none.
    #[error("the organization's name is not valid")]
    OrganizationName(#[source] kernel::text::InvalidText),
    /// The server that was asked is not known to be ready.
    #[error(transparent)]
    Unready(#[from] Unready),
    /// An audit log is not as it was. What was found is on standard output.
    #[error("the log does not verify")]
    NotVerified,
    /// There is nothing that an audit log could be verified with.
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl Failure {
    /// Whether what was given made no sense, so that nothing can be said of what was asked.
    #[must_use]
    pub const fn is_of_the_input(&self) -> bool {
        matches!(self, Self::Unusable(_))
    }
}

/// Verifies an audit log. Whoever does has no server, and no configuration.
///
/// # Errors
/// Where it does not verify, or nothing can be verified.
pub fn verify(options: &VerifyOptions, out: &mut dyn Write) -> Result<(), Failure> {
    verify::run(options, out)
}

/// Does what the command line asks for, with a valid configuration.
///
/// # Errors
/// Where the command fails.
pub fn run(command: &Command, config: &Config, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Config(command) => config::run(*command, config, out),
        Command::Audit(AuditCommand::Verify(options)) => verify(options, out),
        Command::Audit(AuditCommand::Acknowledge { organization, reason }) => {
            logged(config, || acknowledge::run(config, *organization, reason, out))
        }
        Command::Keys(command) => logged(config, || keys::run(command, config, out)),
        Command::Health { url } => health::run(config, url.as_ref(), out),
        Command::Serve => logged(config, || serve::run(config, out)),
        Command::Migrate => logged(config, || migrate::run(config, out)),
        Command::Bootstrap { organization, json } => {
            logged(config, || bootstrap::run(config, organization, *json, out))
        }
    }
}

/// Work that writes to the log, all of which is written by its end.
fn logged(config: &Config, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let _log = crate::logging::start(config.logging())?;
    work()
}
