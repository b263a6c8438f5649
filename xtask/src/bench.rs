//! `cargo xtask bench`: measures as `docs/benchmarks.md` says, on release builds.
//!
//! A module of `bench/` that measures something has a function `measure`, which is given the
//! [`workbench::Workbench`] and returns its [`figures::Figure`]s.

mod api;
mod clients;
mod compare;
mod examples;
mod figures;
mod filled;
mod floor;
mod growth;
mod installation;
mod instructions;
mod load;
mod log;
mod machine;
mod memory;
mod micro;
mod report;
mod request;
mod rounds;
mod sample;
mod scenario;
mod server;
mod spread;
mod start;
mod stores;
mod subject;
mod usage;
mod used;
mod workbench;

use std::path::{Path, PathBuf};

use anyhow::ensure;
use clap::{Args, Subcommand};

use crate::{process, provision};
use figures::Figure;
use filled::Much;
use machine::Machine;
use report::Report;
use rounds::Found;
use workbench::{Amount, Programs, Workbench};

/// All of it, or one thing.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    one: Option<Benchmark>,
    /// Only what has one of these in its name, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    #[command(flatten)]
    run: Run,
}

/// What is measured alone.
#[derive(Debug, Subcommand)]
enum Benchmark {
    /// How long the server takes to be ready.
    Start(Run),
    /// How much memory the server has, idle and under load.
    Memory(Run),
    /// What a request costs with a thousand times as much in the store.
    Growth(Run),
    /// How many instructions the hot functions take, by valgrind: the same on every run.
    Instructions(instructions::Instructions),
    /// How long the hot functions take, by criterion.
    Micro(micro::Micro),
    /// How many events a second one core verifies of an export of an audit log.
    AuditVerify(examples::AuditVerify),
    /// How many events a second are written and sequenced, and how late the checkpoint is: on the
    /// embedded store, or on the one at `DATABASE_URL`.
    Sequencing(examples::Sequencing),
}

/// How much is measured, and what becomes of the figures.
#[derive(Debug, Args)]
struct Run {
    /// How often everything is measured, in turns.
    #[arg(long, default_value_t = 5)]
    repeats: u32,
    /// For how many seconds each time.
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// One second, twice: to see that all of it works.
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    large: Much,
    /// A server that is built already, rather than one that is built now: for comparing.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Builds nothing: what was built last is measured.
    #[arg(long)]
    built: bool,
    /// Where the figures are written.
    #[arg(long, default_value = "target/bench.json")]
    json: PathBuf,
    /// A file that an earlier run has written: tells what has changed.
    #[arg(long)]
    compare: Option<PathBuf>,
}

type Measure = fn(&Workbench) -> anyhow::Result<Vec<Figure>>;

/// What is measured, in this order.
const PARTS: [(&str, Measure); 3] =
    [("start", start::measure), ("memory", memory::measure), ("growth", growth::measure)];

/// Builds what is measured, and measures it.
pub(crate) fn run(root: &Path, options: &Options) -> anyhow::Result<()> {
    let alone = |part: &str| vec![part.to_owned()];
    match &options.one {
        None => measure(root, &options.run, options.only.clone()),
        Some(Benchmark::Start(run)) => measure(root, run, alone("start")),
        Some(Benchmark::Memory(run)) => measure(root, run, alone("memory")),
        Some(Benchmark::Growth(run)) => measure(root, run, alone("growth")),
        Some(Benchmark::Instructions(counted)) => instructions::run(root, counted),
        Some(Benchmark::Micro(timed)) => micro::run(root, timed),
        Some(Benchmark::AuditVerify(much)) => examples::audit_verify(root, much),
        Some(Benchmark::Sequencing(much)) => examples::sequencing(root, much),
    }
}

/// What has one of these in its name.
fn measure(root: &Path, run: &Run, only: Vec<String>) -> anyhow::Result<()> {
    // What cannot be read is told before half an hour has passed.
    let earlier = run.compare.as_deref().map(Report::read).transpose()?;
    let (repeats, seconds) = if run.quick { (2, 1) } else { (run.repeats, run.seconds) };
    provision::benchmark(root)?;
    let large = if run.quick { Much::LITTLE } else { run.large };
    let amount = Amount { only, repeats, seconds, large };
    let programs = Programs { server: run.server.clone(), are_built: run.built };
    let bench = Workbench::set_up(root, amount, programs)?;
    let Found { mut figures, mut failures } = rounds::measure(&bench)?;
    for (name, measure) in PARTS {
        if bench.wants(name) {
            match measure(&bench) {
                Ok(found) => figures.extend(found),
                // What the others took half an hour for is not lost.
                Err(error) => failures.push(format!("{name}: {error:#}")),
            }
        }
    }
    ensure!(!figures.is_empty() || !failures.is_empty(), "nothing has such a name");
    let report = report(&bench, figures);
    report.write(&run.json)?;
    println!("\n{}", report.table());
    for change in earlier.iter().flat_map(|it| compare::changes(&it.figures, &report.figures)) {
        println!("{}", change.told());
    }
    ensure!(failures.is_empty(), "without a figure:\n{}", failures.join("\n"));
    Ok(())
}

fn report(bench: &Workbench, figures: Vec<Figure>) -> Report {
    let answer = |program, arguments: &[&str]| {
        let said = process::answer(program, arguments).unwrap_or_default();
        said.trim().to_owned()
    };
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    Report {
        command: format!("cargo xtask {}", arguments.join(" ")),
        date: answer("date", &["--utc", "+%Y-%m-%dT%H:%M:%SZ"]),
        commit: answer("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
        machine: Machine::this(&bench.cores, &bench.folder),
        repeats: bench.repeats,
        seconds: bench.seconds,
        figures,
    }
}
