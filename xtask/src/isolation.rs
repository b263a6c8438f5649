//! `cargo xtask isolation`: the test of isolation, for as long as a person likes.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Args;

use crate::process;

/// How long, from which chance, and with which build of the server.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many requests are sent.
    #[arg(long, default_value_t = 1_000_000)]
    requests: u64,
    /// What chance begins with, as an earlier run has printed it; another each time where it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Tests what is released, which takes minutes to build and runs several times as fast.
    #[arg(long)]
    release: bool,
}

/// Runs it. It brings its own PostgreSQL and Redis.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let seed = match options.seed {
        Some(seed) => seed,
        None => {
            SystemTime::now().duration_since(UNIX_EPOCH).context("it is before 1970")?.as_secs()
        }
    };
    let mut arguments = vec!["test", "--package", "idp", "--test", "isolation"];
    arguments.extend(options.release.then_some("--release"));
    arguments.extend(["--", "--nocapture"]);
    let mut command = process::command(root, process::cargo(), &arguments);
    command.env("IDP_ISOLATION_REQUESTS", options.requests.to_string());
    process::step(command.env("IDP_ISOLATION_SEED", seed.to_string()))
}
