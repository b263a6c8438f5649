//! How long the hot functions take, by criterion: `crates/benchmarks/benches/hot.rs`.

use std::path::Path;

use clap::Args;

use crate::process;

/// What is timed.
#[derive(Debug, Args)]
pub(crate) struct Micro {
    /// Passed on to criterion: part of a name, `--save-baseline NAME`, `--baseline NAME`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Times them.
pub(crate) fn run(root: &Path, Micro { arguments }: &Micro) -> anyhow::Result<()> {
    let mut command = process::command(
        root,
        process::cargo(),
        &["bench", "--package", "benchmarks", "--bench", "hot", "--"],
    );
    process::step(command.args(arguments))
}
