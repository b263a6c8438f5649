//! Clients of a server that is measured: `load agents`, `load tokens` and `load paced`, as
//! `cargo xtask bench` uses them.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "the figures of `paced` are read from there")]

use std::{fs, path::PathBuf};

use anyhow::Context;
use benchmarks::load::{agents, paced, tokens};
use clap::Parser;

/// What the clients do.
#[derive(Debug, Parser)]
enum Arguments {
    /// Registers agents, and writes `id secret` of each.
    Agents {
        /// The server.
        #[arg(long)]
        url: String,
        /// A file with `id secret` of the admin.
        #[arg(long)]
        admin: PathBuf,
        /// How many.
        #[arg(long)]
        count: usize,
        /// The file that is written.
        #[arg(long)]
        out: PathBuf,
    },
    /// Collects tokens, and writes each on a line.
    Tokens {
        /// The server.
        #[arg(long)]
        url: String,
        /// A file of lines with `id secret`.
        #[arg(long)]
        clients: PathBuf,
        /// What the tokens are for.
        #[arg(long)]
        scope: String,
        /// How many.
        #[arg(long)]
        count: usize,
        /// The file that is written.
        #[arg(long)]
        out: PathBuf,
    },
    /// Sends requests at a fixed rate, and prints their latency as JSON.
    Paced {
        /// The server.
        #[arg(long)]
        url: String,
        /// A JSON array of requests, as they go over the wire.
        #[arg(long)]
        requests: PathBuf,
        /// How many a second.
        #[arg(long)]
        rate: f64,
        /// For how long.
        #[arg(long)]
        seconds: f64,
    },
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse() {
        Arguments::Agents { url, admin, count, out } => {
            let admin = fs::read_to_string(&admin).context("reading who the admin is")?;
            agents::make(&url, &admin, count, &out)
        }
        Arguments::Tokens { url, clients, scope, count, out } => {
            tokens::collect(&url, &clients, &scope, count, &out)
        }
        Arguments::Paced { url, requests, rate, seconds } => {
            let read = fs::read(&requests).context("reading the requests")?;
            let requests: Vec<String> = serde_json::from_slice(&read).context("reading them")?;
            let latency = paced::measure(&url, &requests, rate, seconds)?;
            println!("{}", serde_json::to_string(&latency)?);
            Ok(())
        }
    }
}
