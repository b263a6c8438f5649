//! `cargo xtask bench`: measures as `docs/benchmarks.md` says, on release builds.

use std::path::Path;

use clap::{Args, Subcommand};

use crate::process;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Benchmark {
    /// How many events a second one core verifies of an export of an audit log.
    AuditVerify(AuditVerify),
    /// How many events a second are written and sequenced, and how late the checkpoint is: on the
    /// embedded store, or on the one at `DATABASE_URL`.
    Sequencing(Sequencing),
}

/// How much is written.
#[derive(Debug, Args)]
pub(crate) struct Sequencing {
    /// How many events a second.
    #[arg(long, default_value_t = 10_000)]
    rate: u64,
    /// For how long.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// How much is verified.
#[derive(Debug, Args)]
pub(crate) struct AuditVerify {
    /// How many events the export has; a million take about a gigabyte of memory.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
}

/// Builds what is measured, and measures it.
pub(crate) fn run(root: &Path, benchmark: &Benchmark) -> anyhow::Result<()> {
    match benchmark {
        Benchmark::AuditVerify(AuditVerify { events }) => {
            example(root, ["audit", "verify_speed"], &[*events])
        }
        Benchmark::Sequencing(Sequencing { rate, seconds }) => {
            example(root, ["idp", "sequencing_speed"], &[*rate, *seconds])
        }
    }
}

/// Runs an example of a package, built for release, with these numbers.
fn example(root: &Path, [package, name]: [&str; 2], numbers: &[u64]) -> anyhow::Result<()> {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let mut arguments =
        vec!["run", "--quiet", "--release", "--package", package, "--example", name, "--"];
    arguments.extend(numbers.iter().map(String::as_str));
    process::step(&mut process::command(root, process::cargo(), &arguments))
}
