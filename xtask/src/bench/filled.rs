//! Installations with many agents and events: `fill` of `crates/benchmarks` makes them.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;

use super::installation::Installation;
use super::stores::Stores;
use super::workbench::Workbench;
use crate::process;

/// Where embedded ones are kept for the next run: they take minutes.
const KEPT: &str = "target/bench-filled";

/// How much a store has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub(crate) struct Much {
    /// How many agents the large store has, of `start`, `memory` and `growth`.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) agents: u64,
    /// How many events it has.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) events: u64,
}

impl Much {
    /// To see that all of it works.
    pub(crate) const LITTLE: Self = Self { agents: 2_000, events: 20_000 };

    /// As figures name it.
    pub(crate) fn name(self) -> String {
        format!("{} agents and {} events", self.agents, self.events)
    }
}

/// An installation on the embedded store that has so much, of whose agents so many are active. It is
/// that of an earlier run where there is one.
pub(crate) fn embedded(bench: &Workbench, much: Much, active: u64) -> anyhow::Result<Installation> {
    let Much { agents, events } = much;
    let folder = bench.root.join(KEPT).join(format!("{agents}-{events}"));
    fill(bench, much, (&folder, Vec::new()), active)
}

/// The same on PostgreSQL, made anew.
pub(crate) fn shared(
    bench: &Workbench,
    stores: &Stores,
    much: Much,
    active: u64,
) -> anyhow::Result<Installation> {
    let name = format!("filled_{}_{}", much.agents, much.events);
    let variables = stores.database(bench, &name)?;
    fill(bench, much, (&bench.folder.join(&name), variables), active)
}

fn fill(
    bench: &Workbench,
    much: Much,
    (folder, variables): (&Path, Vec<(String, String)>),
    active: u64,
) -> anyhow::Result<Installation> {
    println!("filling a store: {}", much.name());
    fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
    let all = folder.join("clients.txt");
    let mut fill = process::command(&bench.root, built(bench)?, &[]);
    fill.args(["--agents", &much.agents.to_string(), "--events", &much.events.to_string()]);
    fill.arg("--clients").arg(&all).env("IDP_DATA_DIR", folder).env("IDP_LOG", "warn");
    fill.envs(variables.iter().map(|(name, value)| (name, value)));
    process::step(&mut fill).context("filling a store")?;
    let clients = folder.join(format!("active-{active}.txt"));
    choose(&all, active, &clients)?;
    Ok(Installation::of(folder.to_owned(), variables, clients))
}

/// The program that fills: it is built when the first store is filled, since it takes the whole product.
fn built(bench: &Workbench) -> anyhow::Result<PathBuf> {
    let arguments = ["build", "--release", "--package", "benchmarks", "--bin", "fill"];
    if !bench.are_built {
        process::step(&mut process::command(&bench.root, process::cargo(), &arguments))?;
    }
    Ok(bench.root.join("target/release/fill"))
}

/// Writes so many of the lines, as far apart from each other as can be.
fn choose(all: &Path, active: u64, chosen: &Path) -> anyhow::Result<()> {
    let lines = || anyhow::Ok(BufReader::new(File::open(all).context("the clients")?).lines());
    let count = u64::try_from(lines()?.count())?;
    ensure!(count >= active && active > 0, "of {count} agents {active} cannot be active");
    let step = usize::try_from(count / active)?;
    let mut out = BufWriter::new(File::create(chosen).context("writing who is active")?);
    for line in lines()?.step_by(step).take(usize::try_from(active)?) {
        writeln!(out, "{}", line?)?;
    }
    out.flush().context("writing who is active")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_are_active_lie_apart() {
        let folder = tempfile::tempdir().unwrap();
        let (all, chosen) = (folder.path().join("all"), folder.path().join("chosen"));
        fs::write(&all, "a\nb\nc\nd\ne\nf\ng\n").unwrap();
        choose(&all, 3, &chosen).unwrap();
        assert_eq!(fs::read_to_string(&chosen).unwrap(), "a\nc\ne\n");
        assert!(choose(&all, 8, &chosen).is_err());
    }
}
