//! The machine that is measured on: its cores, and who has which.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::process;

/// The cores that this process may use: the first is the server's, the others are for all else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cores {
    pub(crate) server: usize,
    pub(crate) others: Vec<usize>,
}

impl Cores {
    /// Those of this process.
    ///
    /// # Errors
    /// Where there is only one: whoever makes the load would take the time of what is measured.
    pub(crate) fn allowed() -> anyhow::Result<Self> {
        let status = fs::read_to_string("/proc/self/status").context("reading `/proc`")?;
        let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        Self::of(list.context("the kernel does not tell the cores")?)
    }

    fn of(list: &str) -> anyhow::Result<Self> {
        let cores = parse(list).with_context(|| format!("`{}` names no cores", list.trim()))?;
        let (server, others) = cores.split_first().context("no cores")?;
        ensure!(
            !others.is_empty(),
            "there is one core only: the load would take the server's time, so no figure would mean anything"
        );
        Ok(Self { server: *server, others: others.to_vec() })
    }

    /// Keeps this process, and all that it starts from now on, off the core of the server.
    pub(crate) fn leave_the_servers(&self) -> anyhow::Result<()> {
        let others: Vec<String> = self.others.iter().map(usize::to_string).collect();
        let own = std::process::id().to_string();
        let arguments = ["--all-tasks", "--cpu-list", "--pid", &others.join(","), &own];
        process::answer("taskset", &arguments)
            .context("`taskset` is not there or cannot move this process; it is in util-linux")?;
        Ok(())
    }
}

/// As in `0-3,8`.
fn parse(list: &str) -> Option<Vec<usize>> {
    let mut cores = Vec::new();
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        cores.extend(first..=last);
    }
    Some(cores)
}

/// What a reader must know to compare: the same ratios may come out on another machine, the same
/// figures will not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) file_system: String,
}

impl Machine {
    /// This one, with the file system that the stores are on.
    pub(crate) fn this(cores: &Cores, stores: &Path) -> Self {
        let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = told.lines().find(|line| line.starts_with("model name"));
        let model = model.and_then(|line| line.split_once(':')).map(|(_, model)| model.trim());
        let stores = stores.to_string_lossy();
        let answer = |program, arguments: &[&str]| {
            let said = process::answer(program, arguments).unwrap_or_default();
            said.trim().to_owned()
        };
        Self {
            processor: model.unwrap_or(std::env::consts::ARCH).to_owned(),
            cores: cores.others.len() + 1,
            kernel: answer("uname", &["--kernel-name", "--kernel-release", "--machine"]),
            file_system: answer("stat", &["--file-system", "--format=%T", &stores]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_core_is_the_servers_and_the_rest_is_for_all_else() {
        let cores = Cores::of("\t2-4,8\n").unwrap();
        assert_eq!(cores, Cores { server: 2, others: vec![3, 4, 8] });
    }

    #[test]
    fn one_core_is_refused() {
        let error = Cores::of("0").unwrap_err().to_string();
        assert!(error.starts_with("there is one core only"), "{error}");
        assert!(Cores::of("a lot").is_err());
    }
}
