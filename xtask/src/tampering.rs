//! `cargo xtask tampering`: the test of tampering, for as long as a person likes.

use std::path::Path;

use clap::Args;

use crate::{process, provision};

/// How many, and from which chance.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many tamperings are tried.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// What chance begins with: each tampering has the next number, which a failure names.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tests what is released, which takes minutes to build and runs several times as fast.
    #[arg(long)]
    release: bool,
}

/// Runs it, on the database that is a file.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    provision::programs(root)?;
    let mut arguments = vec!["test", "--package", "sqlite_store", "--test", "tampering"];
    arguments.extend(options.release.then_some("--release"));
    arguments.extend(["--", "--nocapture", "at_random"]);
    let mut command = process::command(root, process::cargo(), &arguments);
    command.env("IDP_TAMPERINGS", options.count.to_string());
    process::step(command.env("IDP_TAMPERING_SEED", options.seed.to_string()))
}
