//! How many instructions the hot functions take, and how often they allocate, counted by valgrind's
//! callgrind: the same on every run and beside any other work, so that one percent is worth looking at.
//!
//! All threads of the process are counted. Valgrind has no instructions for SHA-256, and some others
//! of a newer processor are unknown to it: what the libraries do without them is counted, which is more.

mod compare;
mod count;
mod profile;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use clap::Args;

use super::report::number;
use crate::{process, provision};
use count::Count;

/// Where the data of the functions lie, and what callgrind writes.
const FOLDER: &str = "target/instructions";

/// What is counted, and what becomes of the counts.
#[derive(Debug, Args)]
pub(crate) struct Instructions {
    /// Only what has one of these in its name, separated by commas.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How often each runs.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Also tells which functions of ours take the most, inclusive of what they call: so many.
    #[arg(long, default_value_t = 0)]
    profile: usize,
    /// A program that is built already, rather than one that is built now: for comparing.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Where the counts are written.
    #[arg(long, default_value = "target/instructions.json")]
    json: PathBuf,
    /// A file that an earlier run has written: tells what has got more expensive.
    #[arg(long)]
    compare: Option<PathBuf>,
}

/// Of each function, what one call of it costs.
type Counts = BTreeMap<String, Count>;

/// Counts, tells, and writes down.
pub(crate) fn run(root: &Path, options: &Instructions) -> anyhow::Result<()> {
    let earlier = options.compare.as_deref().map(read).transpose()?;
    provision::valgrind(root)?;
    let program = options.program.clone().map_or_else(|| built(root), Ok)?;
    let bench = Bench { root, program };
    let mut counts = Counts::new();
    println!("\n| function | instructions | allocations | what one call does |");
    println!("|---|---|---|---|");
    for (name, does) in bench.functions(&options.only)? {
        let written = bench.callgrind(&name, options.times)?;
        let count = Count::of(&written, options.times).with_context(|| format!("of `{name}`"))?;
        println!(
            "| `{name}` | {} | {} | {does} |",
            number(count.instructions),
            number(count.allocations)
        );
        counts.insert(name, count);
        for line in profile::of(&written, options.times, options.profile) {
            println!("| | {line} | | |");
        }
    }
    write(&options.json, &counts)?;
    let changes = earlier.iter().flat_map(|earlier| compare::changes(earlier, &counts));
    changes.for_each(|change| println!("{change}"));
    Ok(())
}

/// Builds the program, and says where it is.
fn built(root: &Path) -> anyhow::Result<PathBuf> {
    let build = ["build", "--release", "--package", "benchmarks", "--bin", "instructions"];
    process::step(&mut process::command(root, process::cargo(), &build))?;
    Ok(root.join("target/release/instructions"))
}

fn read(file: &Path) -> anyhow::Result<Counts> {
    let read = fs::read(file).with_context(|| format!("reading `{}`", file.display()))?;
    serde_json::from_slice(&read).with_context(|| format!("`{}` has no counts", file.display()))
}

fn write(file: &Path, counts: &Counts) -> anyhow::Result<()> {
    let written = serde_json::to_string_pretty(counts)? + "\n";
    fs::write(file, written).with_context(|| format!("writing `{}`", file.display()))
}

/// What counts.
struct Bench<'a> {
    root: &'a Path,
    program: PathBuf,
}

impl Bench<'_> {
    /// The functions with one of these in their names, and what each does.
    fn functions(&self, only: &[String]) -> anyhow::Result<Vec<(String, String)>> {
        let listed = process::output(&mut process::command(self.root, &self.program, &[]))?;
        let named = listed.lines().filter_map(|line| line.split_once('\t'));
        let is_asked = |name: &str| only.is_empty() || only.iter().any(|one| name.contains(one));
        let named = named.filter(|(name, _)| is_asked(name));
        let named: Vec<_> = named.map(|(name, does)| (name.to_owned(), does.to_owned())).collect();
        ensure!(!named.is_empty(), "no hot function has one of these in its name");
        Ok(named)
    }

    /// Runs one under callgrind, on data that an earlier start has made: what makes keys is counted
    /// nowhere, and takes long there.
    fn callgrind(&self, name: &str, times: u32) -> anyhow::Result<String> {
        let folder = self.root.join(FOLDER).join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).context("deleting what the last run left")?;
        }
        let data = folder.join("data");
        fs::create_dir_all(&data).with_context(|| format!("making `{}`", data.display()))?;
        let data = data.to_string_lossy();
        process::output(&mut process::command(self.root, &self.program, &[name, "1", &data]))?;
        let out = folder.join("callgrind.out");
        let mut command = process::command(self.root, "valgrind", &["--tool=callgrind", "--quiet"]);
        command
            .arg("--zero-before=instructions::measured*")
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(&self.program)
            .args([name, &times.to_string(), &data]);
        process::output(&mut command)?;
        fs::read_to_string(&out).with_context(|| format!("reading `{}`", out.display()))
    }
}
