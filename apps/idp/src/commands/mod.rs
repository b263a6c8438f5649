//! The commands, one a file, and the ways in which one can fail.

use std::io::{self, Write};

use crate::cli::Command;
use crate::config::{Config, Problems};
use crate::hardening::Unhardened;

mod bootstrap;
mod config;
mod migrate;
mod serve;

/// Why a command failed. Ends the process with exit code 1.
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
    Logging(#[from] crate::logging::AlreadyStarted),
    /// The command is not part of this build yet.
    #[error("`{0}` is not built yet")]
    NotBuilt(&'static str),
}

/// Does what the command line asks for, with a valid configuration.
///
/// # Errors
/// Where the command fails.
pub fn run(command: &Command, config: &Config, out: &mut dyn Write) -> Result<(), Failure> {
    match command {
        Command::Config(command) => config::run(*command, config, out),
        Command::Serve => {
            crate::logging::start(config.logging())?;
            serve::run(config, out)
        }
        Command::Migrate => {
            crate::logging::start(config.logging())?;
            migrate::run(config, out)
        }
        Command::Bootstrap { organization, json } => {
            crate::logging::start(config.logging())?;
            bootstrap::run(config, organization, *json, out)
        }
    }
}
