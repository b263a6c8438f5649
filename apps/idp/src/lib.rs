//! The idp server and command line: configuration, then adapters, then use cases, then the router.
//! It has no rules of its own; those are in the domain crates.
//!
//! Read [`cli`] for what it can be asked to do, [`config`] for what it is told, and the commands
//! for how each is done.
#![warn(missing_docs)]

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use cli::{AuditCommand, Cli, Command};
use commands::Failure;
use config::{Config, Mode, Sources};

pub mod admin_file;
pub mod certificates;
pub mod cli;
pub mod commands;
pub mod compose;
pub mod config;
pub mod counting;
pub mod data_folder;
pub mod following;
pub mod hardening;
pub mod logging;
pub mod metrics;
pub mod private_file;
pub mod probe;
pub mod rotating;
pub mod runtime;
pub mod sequencing;
pub mod signals;
pub mod storage;
pub mod watching;

/// Does what the arguments ask for, and tells how it went: 0 done, 1 failed, 2 not understood.
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Vec<(String, String)>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        // Help and version come this way too, with exit code 0.
        Err(answer) => {
            let printed = answer.print();
            let code = u8::try_from(answer.exit_code()).unwrap_or(2);
            return printed.map_or(ExitCode::FAILURE, |()| ExitCode::from(code));
        }
    };
    match obey(cli, environment, out, errors) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where standard error is closed there is nobody left to tell.
            let _ = tell(&failure, errors);
            ExitCode::from(if failure.is_of_the_input() { 2 } else { 1 })
        }
    }
}

fn obey(
    cli: Cli,
    environment: Vec<(String, String)>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Result<(), Failure> {
    if let Some(Command::Audit(AuditCommand::Verify(options))) = &cli.command {
        return commands::verify(options, out);
    }
    // Before the first secret is read.
    let hardened = hardening::forbid_memory_dumps();
    let config = Config::load(&Sources { environment, file: cli.config })?;
    match (hardened, config.mode()) {
        (Ok(()), _) => {}
        (Err(refused), Mode::Production) => return Err(refused.into()),
        (Err(refused), Mode::Development) => writeln!(errors, "warning: {refused}")?,
    }
    commands::run(&cli.command.unwrap_or(Command::Serve), &config, out)
}

/// The failure and what caused it, on lines of their own.
fn tell(failure: &Failure, errors: &mut dyn Write) -> io::Result<()> {
    writeln!(errors, "idp: {failure}")?;
    let mut cause = failure.source();
    while let Some(error) = cause {
        writeln!(errors, "  because {error}")?;
        cause = error.source();
    }
    Ok(())
}
