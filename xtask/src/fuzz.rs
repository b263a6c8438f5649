//! `cargo xtask fuzz`: the readers of what callers send, fed by a fuzzer that sees which paths it takes.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use clap::Args;

use crate::{process, provision::CargoProgram};

/// What runs the fuzzer.
const CARGO_FUZZ: CargoProgram =
    CargoProgram { name: "cargo-fuzz", version: "0.13.2", purpose: "nothing is fuzzed" };

/// Where the corpora are that tests feed the readers with at each run.
const CORPUS: &str = "crates/fuzzing/corpus";
/// Where the fuzzer keeps what it finds on the way: not part of the project.
const FOUND: &str = "target/fuzz-corpus";

/// What, and for how long.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// For how many seconds each target is fed.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The one target; all of them where none is named.
    target: Option<String>,
}

/// Runs every target, and fails at the first that panics, hangs or takes too much memory.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let fuzz = CARGO_FUZZ.ensure(root)?;
    let targets = targets(root, options.target.as_deref())?;
    for target in &targets {
        println!("\n=== {target}, for {} s", options.seconds);
        let found = root.join(FOUND).join(target);
        fs::create_dir_all(&found)?;
        let time = format!("-max_total_time={}", options.seconds);
        let (found, corpus) = (found.display().to_string(), format!("{CORPUS}/{target}"));
        let arguments = [
            "run",
            "--target-dir",
            "target/fuzz",
            target,
            &found,
            &corpus,
            "--",
            &time,
            "-timeout=5",
            "-rss_limit_mb=1024",
            "-max_len=70000",
            "-print_final_stats=1",
        ];
        let mut command = process::command(root, &fuzz, &arguments);
        process::step(command.env("RUSTUP_TOOLCHAIN", "nightly"))
            .with_context(|| format!("{target} was fed something that it cannot take"))?;
    }
    println!("\nnothing was found in {} targets", targets.len());
    Ok(())
}

fn targets(root: &Path, wished: Option<&str>) -> anyhow::Result<Vec<String>> {
    let mut all: Vec<String> = fs::read_dir(root.join(CORPUS))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<std::io::Result<_>>()?;
    all.sort();
    match wished {
        None => Ok(all),
        Some(wished) if all.iter().any(|target| target == wished) => Ok(vec![wished.to_owned()]),
        Some(wished) => bail!("there is no target `{wished}`; there are {}", all.join(", ")),
    }
}
