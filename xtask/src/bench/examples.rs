//! Benchmarks of one thing that need no server: examples of the packages that they measure.

use std::path::Path;

use clap::Args;

use crate::process;

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

/// How many events a second one core verifies.
pub(crate) fn audit_verify(
    root: &Path,
    AuditVerify { events }: &AuditVerify,
) -> anyhow::Result<()> {
    example(root, ["audit", "verify_speed"], &[*events])
}

/// How many events a second are sequenced.
pub(crate) fn sequencing(
    root: &Path,
    Sequencing { rate, seconds }: &Sequencing,
) -> anyhow::Result<()> {
    example(root, ["idp", "sequencing_speed"], &[*rate, *seconds])
}

/// Runs an example of a package, built for release, with these numbers.
fn example(root: &Path, [package, name]: [&str; 2], numbers: &[u64]) -> anyhow::Result<()> {
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    let mut arguments =
        vec!["run", "--quiet", "--release", "--package", package, "--example", name, "--"];
    arguments.extend(numbers.iter().map(String::as_str));
    process::step(&mut process::command(root, process::cargo(), &arguments))
}
