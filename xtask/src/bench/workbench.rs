//! What every scenario works with: the programs, the cores, the folder, and how much is measured.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::filled::Much;
use super::machine::Cores;
use crate::process;
use crate::provision::Folder;

/// Where the folders of runs lie.
const FOLDER: &str = "target/bench";

/// How much is measured of what.
#[derive(Debug, Clone)]
pub(crate) struct Amount {
    pub(crate) only: Vec<String>,
    pub(crate) repeats: u32,
    pub(crate) seconds: u64,
    pub(crate) large: Much,
}

/// Which programs are measured.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// A server that somebody has built; else that of this tree.
    pub(crate) server: Option<PathBuf>,
    /// Whether those of this tree are measured as they were built last.
    pub(crate) are_built: bool,
}

/// The built programs, the cores, and how much is measured.
#[derive(Debug)]
pub(crate) struct Workbench {
    pub(crate) root: PathBuf,
    /// For stores and files of scenarios; each makes its own folder in it.
    pub(crate) folder: PathBuf,
    /// The same, which goes with this value.
    _own: Folder,
    pub(crate) cores: Cores,
    /// The server, as it is released.
    pub(crate) idp: PathBuf,
    /// The floors: see `crates/benchmarks`.
    pub(crate) floor: PathBuf,
    /// The clients: likewise.
    pub(crate) load: PathBuf,
    /// Whether programs are taken as they were built last.
    pub(crate) are_built: bool,
    /// Parts of the names of what is measured; none is everything.
    pub(crate) only: Vec<String>,
    /// How often everything is measured, in turns.
    pub(crate) repeats: u32,
    /// For how long each time.
    pub(crate) seconds: u64,
    /// How much the large store has, where there is one.
    pub(crate) large: Much,
}

impl Workbench {
    /// Builds what is measured where it is to be built, and moves this process, with all that it will
    /// start, to the cores that are not the server's.
    pub(crate) fn set_up(root: &Path, amount: Amount, programs: Programs) -> anyhow::Result<Self> {
        let cores = Cores::allowed()?;
        let Amount { only, repeats, seconds, large } = amount;
        let build = |arguments: &[&str]| {
            let arguments = [&["build", "--release", "--package"], arguments].concat();
            process::step(&mut process::command(root, process::cargo(), &arguments))
        };
        let Programs { server, are_built } = programs;
        // Each alone: together they would be built with each other's features.
        if server.is_none() && !are_built {
            build(&["idp"])?;
        }
        if !are_built {
            build(&["benchmarks", "--no-default-features", "--bin", "floor", "--bin", "load"])?;
        }
        cores.leave_the_servers()?;
        let own = Folder::new(&root.join(FOLDER))?;
        let folder = own.path().to_owned();
        let built = |name: &str| root.join("target/release").join(name);
        let idp = server.unwrap_or_else(|| built("idp"));
        let (root, floor, load) = (root.to_owned(), built("floor"), built("load"));
        Ok(Self {
            root,
            folder,
            _own: own,
            cores,
            idp,
            floor,
            load,
            are_built,
            only,
            repeats,
            seconds,
            large,
        })
    }

    /// Whether what has this name is measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }

    /// The program, to be run on the server's core; the kernel ends it where this process ends.
    pub(crate) fn pinned(&self, program: &Path) -> Command {
        let mut command = process::command(&self.root, "setpriv", &["--pdeathsig", "KILL", "--"]);
        command.args(["taskset", "--cpu-list", &self.cores.server.to_string()]).arg(program);
        without_settings(command)
    }

    /// The server's program with these arguments, not to be measured.
    pub(crate) fn idp(&self, arguments: &[&str]) -> Command {
        without_settings(process::command(&self.root, &self.idp, arguments))
    }
}

/// Whatever the person has configured for a server of their own: none of it is for those that are
/// measured.
fn without_settings(mut command: Command) -> Command {
    let is_one = |name: &str| {
        name.starts_with("IDP_") || ["PORT", "DATABASE_URL", "REDIS_URL"].contains(&name)
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_one(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}
