//! What every scenario works with: the programs, the cores, the folder, and how much is measured.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::machine::Cores;
use crate::process;

/// Where everything of one run lies; it is deleted before the next.
const FOLDER: &str = "target/bench";

/// The built programs, the cores, and how much is measured.
#[derive(Debug)]
pub(crate) struct Workbench {
    pub(crate) root: PathBuf,
    /// For stores and files of scenarios; each makes its own folder in it.
    pub(crate) folder: PathBuf,
    pub(crate) cores: Cores,
    /// The server, as it is released.
    pub(crate) idp: PathBuf,
    /// The floors: see `crates/benchmarks`.
    pub(crate) floor: PathBuf,
    /// How often everything is measured, in turns.
    pub(crate) repeats: u32,
    /// For how long each time.
    pub(crate) seconds: u64,
}

impl Workbench {
    /// Builds what is measured, and moves this process, with all that it will start, to the cores that
    /// are not the server's.
    pub(crate) fn set_up(root: &Path, repeats: u32, seconds: u64) -> anyhow::Result<Self> {
        let cores = Cores::allowed()?;
        let arguments = ["build", "--release", "--package", "idp", "--package", "benchmarks"];
        process::step(&mut process::command(root, process::cargo(), &arguments))?;
        cores.leave_the_servers()?;
        let folder = root.join(FOLDER);
        if folder.exists() {
            fs::remove_dir_all(&folder).context("deleting what the last run left")?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("making `{}`", folder.display()))?;
        let built = |name: &str| root.join("target/release").join(name);
        let (idp, floor) = (built("idp"), built("floor"));
        Ok(Self { root: root.to_owned(), folder, cores, idp, floor, repeats, seconds })
    }

    /// The program, to be run on the server's core; the kernel ends it where this process ends.
    pub(crate) fn pinned(&self, program: &Path) -> Command {
        let mut command = process::command(&self.root, "setpriv", &["--pdeathsig", "KILL", "--"]);
        command.args(["taskset", "--cpu-list", &self.cores.server.to_string()]).arg(program);
        command
    }
}
