//! `cargo xtask bench`: measures as `docs/benchmarks.md` says, on release builds.

use std::path::Path;

use clap::{Args, Subcommand};

use crate::process;

/// What is measured.
#[derive(Debug, Subcommand)]
pub(crate) enum Benchmark {
    /// How many events a second one core verifies of an export of an audit log.
    AuditVerify(AuditVerify),
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
            let events = events.to_string();
            let program = ["--package", "audit", "--example", "verify_speed"];
            let arguments = [&["run", "--quiet", "--release"], &program[..], &["--", &events]];
            process::step(&mut process::command(root, process::cargo(), &arguments.concat()))
        }
    }
}
