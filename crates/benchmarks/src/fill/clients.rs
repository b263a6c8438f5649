//! The file of clients: on each line an agent's id and its secret.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::Context;
use credentials::PresentedSecret;
use kernel::{AgentId, CredentialId};

/// The file, open to be added to.
pub(super) struct Clients {
    path: PathBuf,
    count: u64,
    file: BufWriter<File>,
}

impl Clients {
    /// Opens it, or makes it.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.with_context(|| format!("opening {}", path.display()))?;
        let count = BufReader::new(File::open(path)?).lines().count();
        Ok(Self { path: path.to_owned(), count: u64::try_from(count)?, file: BufWriter::new(file) })
    }

    /// How many it names.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Adds these lines, of agents that are durable by now.
    pub(super) fn add(&mut self, lines: &[String]) -> anyhow::Result<()> {
        for line in lines {
            writeln!(self.file, "{line}")?;
        }
        self.file.flush()?;
        self.count += u64::try_from(lines.len())?;
        Ok(())
    }

    /// The ids of all: that of the credential stands in the secret.
    pub(super) fn ids(&self) -> anyhow::Result<Vec<(AgentId, CredentialId)>> {
        let lines = BufReader::new(File::open(&self.path)?).lines();
        lines
            .map(|line| ids(&line?).context("a line of the clients' file names no client"))
            .collect()
    }
}

fn ids(line: &str) -> Option<(AgentId, CredentialId)> {
    let (agent, secret) = line.split_once(' ')?;
    let secret: PresentedSecret = secret.parse().ok()?;
    Some((agent.parse().ok()?, secret.credential()))
}
