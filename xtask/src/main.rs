//! The project's own tools: `cargo xtask <command>`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool speaks to the person who ran it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a tool of the build reads the environment that cargo sets, and takes the time of its steps"
)]

mod bench;
mod check_arch;
mod ci;
mod deployment;
mod events;
mod faults;
mod fuzz;
mod isolation;
mod migrate;
mod openapi;
mod process;
mod provision;
mod servers;
mod tampering;
mod test;
mod violation;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own tools.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs every test of the project, after making sure that what they need is there.
    Test {
        /// Passed on to `cargo test`, after a `--`.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Runs all that a change must pass: format, lints, architecture, documents, tests.
    Ci,
    /// Runs a PostgreSQL and a Redis for tests, prints their variables, and ends them with standard input.
    Servers,
    /// Kills, freezes and empties what the server stands on, and the server, and looks for anything lost.
    Faults(faults::Options),
    /// Lets a fuzzer look for what no reader of what callers send can take; needs a nightly toolchain.
    Fuzz(fuzz::Options),
    /// Sends random requests to two replicas, and looks for anything of another organization in the answers.
    Isolation(isolation::Options),
    /// Measures a release build, and tells how near it comes to what the machine allows.
    Bench(bench::Options),
    /// Tampers with audit logs at random, and looks for anything that a verifier does not find.
    Tampering(tampering::Options),
    /// Holds the source tree to the architecture.
    CheckArch,
    /// Lints the Dockerfile and compose.yaml; needs no engine.
    CheckDeployment,
    /// Writes the JSON form of docs/openapi.yaml.
    Openapi {
        /// Validates the document and compares the JSON form, writing nothing.
        #[arg(long)]
        check: bool,
    },
    /// Writes docs/events.md, which lists every kind of audit event.
    Events {
        /// Compares the document with what the code says, writing nothing.
        #[arg(long)]
        check: bool,
    },
    /// Checks the migrations and lists them.
    Migrate {
        /// Records the checksums of new files; those recorded before stay as they are.
        #[arg(long)]
        record: bool,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    let root = root();
    match command {
        Command::Test { arguments } => test::run(&root, &arguments),
        Command::Ci => ci::run(&root),
        Command::Servers => servers::run(&root),
        Command::Faults(options) => faults::run(&root, &options),
        Command::Fuzz(options) => fuzz::run(&root, &options),
        Command::Isolation(options) => isolation::run(&root, &options),
        Command::Bench(options) => bench::run(&root, &options),
        Command::Tampering(options) => tampering::run(&root, &options),
        Command::CheckArch => check_arch::run(&root),
        Command::CheckDeployment => deployment::run(&root),
        Command::Openapi { check: true } => openapi::check(&root),
        Command::Openapi { check: false } => openapi::write(&root),
        Command::Events { check: true } => events::check(&root),
        Command::Events { check: false } => events::write(&root),
        Command::Migrate { record: true } => migrate::record(&root),
        Command::Migrate { record: false } => migrate::run(&root),
    }
}

/// The folder of the workspace, whatever folder the command was started in.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
