//! `cargo xtask faults`: the tests of faults, for as many rounds as a person likes.

use std::path::Path;

use clap::Args;

use crate::{process, provision};

/// How often each fault is played.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How often one of two replicas is killed under load.
    #[arg(long, default_value_t = 200)]
    replica_rounds: u64,
    /// How often PostgreSQL is killed under load.
    #[arg(long, default_value_t = 20)]
    postgres_rounds: u64,
    /// How often Redis is killed, emptied and frozen under load.
    #[arg(long, default_value_t = 10)]
    redis_rounds: u64,
    /// For how many seconds PostgreSQL stands still.
    #[arg(long, default_value_t = 30)]
    freeze_seconds: u64,
    /// How often each way to end something is timed on the other replica.
    #[arg(long, default_value_t = 50)]
    sight_rounds: u64,
    /// How often the replica that keeps the log is killed under load; half as often it is frozen.
    #[arg(long, default_value_t = 50)]
    sequencer_rounds: u64,
    /// How often one assertion is used by sixty-four at the same time, on two replicas.
    #[arg(long, default_value_t = 2_000)]
    assertion_rounds: u64,
    /// How many tokens are issued while checkpoints are timed.
    #[arg(long, default_value_t = 5_000)]
    tokens: u64,
}

/// Runs them, one at a time so that what they measure is their own, and prints what they found.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    provision::programs(root)?;
    let arguments =
        ["test", "--package", "idp", "--test", "faults", "--", "--nocapture", "--test-threads=1"];
    let mut command = process::command(root, process::cargo(), &arguments);
    for (variable, number) in [
        ("IDP_FAULTS_REPLICA_ROUNDS", options.replica_rounds),
        ("IDP_FAULTS_POSTGRES_ROUNDS", options.postgres_rounds),
        ("IDP_FAULTS_REDIS_ROUNDS", options.redis_rounds),
        ("IDP_FAULTS_FREEZE_SECONDS", options.freeze_seconds),
        ("IDP_FAULTS_SIGHT_ROUNDS", options.sight_rounds),
        ("IDP_FAULTS_SEQUENCER_ROUNDS", options.sequencer_rounds),
        ("IDP_FAULTS_ASSERTION_ROUNDS", options.assertion_rounds),
        ("IDP_FAULTS_TOKENS", options.tokens),
    ] {
        command.env(variable, number.to_string());
    }
    process::step(&mut command)
}
