//! Fills a store: `fill --agents 1000 --events 1000000 --clients clients.txt`. The store is the one that
//! the server would take: `IDP_DATA_DIR`, `DATABASE_URL` and the rest of its variables.
#![forbid(unsafe_code)]
#![expect(clippy::disallowed_methods, reason = "it reads the environment for the configuration")]

use std::path::PathBuf;

use benchmarks::fill::{Wanted, fill};
use clap::Parser;
use idp::config::{Config, Sources};

/// Fills a store with agents and with events of their tokens, sequenced and signed. What is there
/// counts: a run that was ended is gone on with by the same command.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many agents the file of clients is to name.
    #[arg(long, default_value_t = 1_000)]
    agents: u64,
    /// How many events the log is to have, those of registrations among them.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Where the ids and secrets are written.
    #[arg(long)]
    clients: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let Arguments { agents, events, clients } = Arguments::parse();
    let config = Config::load(&Sources { environment: std::env::vars().collect(), file: None })?;
    idp::runtime::run(fill(&config, &Wanted { agents, events, clients }))?
}
