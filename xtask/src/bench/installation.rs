//! An installation: a store, what tokens are signed with, and agents.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use super::clients;
use super::server::{SETTINGS, Server};
use super::stores::Stores;
use super::workbench::Workbench;
use crate::process;

/// How many agents ask for tokens in turns.
const AGENTS: usize = 1_000;

/// What everything is kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    /// SQLite, in the process of the server.
    Embedded,
    /// PostgreSQL and Redis, on the other cores.
    Shared,
}

impl Store {
    /// As figures name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "sqlite",
            Self::Shared => "postgres",
        }
    }
}

/// What tokens are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Es256,
    EdDsa,
    Rs256,
}

impl Algorithm {
    /// As configuration and floors name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

/// One that can be started again and again.
#[derive(Debug)]
pub(crate) struct Installation {
    folder: PathBuf,
    variables: Vec<(String, String)>,
    /// A file with `id secret` of each agent.
    pub(crate) clients: PathBuf,
}

impl Installation {
    /// One that is there already, with the file of those of its agents that are active.
    pub(crate) const fn of(
        folder: PathBuf,
        variables: Vec<(String, String)>,
        clients: PathBuf,
    ) -> Self {
        Self { folder, variables, clients }
    }

    /// Makes it, and registers its agents.
    pub(crate) fn new(
        bench: &Workbench,
        stores: Option<&Stores>,
        algorithm: Algorithm,
    ) -> anyhow::Result<Self> {
        let store = stores.map_or(Store::Embedded, |_| Store::Shared);
        let name = format!("{}_{}", store.name(), algorithm.name().to_lowercase());
        let mut variables =
            vec![("IDP_SIGNING_ALGORITHMS".to_owned(), algorithm.name().to_owned())];
        if let Some(stores) = stores {
            variables.extend(stores.database(bench, &name)?);
        }
        let folder = bench.folder.join(&name);
        let clients = bench.folder.join(format!("{name}.clients"));
        let installation = Self { folder, variables, clients };
        if store == Store::Shared {
            installation.found(bench)?;
        }
        let server = installation.start(bench)?;
        clients::agents(bench, &server, AGENTS, &installation.clients)?;
        server.until_quiet()?;
        server.stop()?;
        Ok(installation)
    }

    /// Founds the organization, which the embedded store does by itself.
    fn found(&self, bench: &Workbench) -> anyhow::Result<()> {
        fs::create_dir_all(&self.folder).context("making the folder of an installation")?;
        let mut found = bench.idp(&["bootstrap", "--organization", "benchmarks"]);
        found.env("IDP_DATA_DIR", &self.folder).envs(SETTINGS).env("IDP_LOG", "warn");
        found.envs(self.variables.iter().map(|(name, value)| (name, value)));
        process::output(&mut found).context("founding the organization").map(|_| ())
    }

    /// Starts its server.
    pub(crate) fn start(&self, bench: &Workbench) -> anyhow::Result<Server> {
        Server::start(bench, &self.folder, &self.variables)
    }

    /// Starts it with this variable too.
    pub(crate) fn start_with(
        &self,
        bench: &Workbench,
        name: &str,
        value: &str,
    ) -> anyhow::Result<Server> {
        let mut variables = self.variables.clone();
        variables.push((name.to_owned(), value.to_owned()));
        Server::start(bench, &self.folder, &variables)
    }

    /// The ids and the secrets of its agents.
    pub(crate) fn agents(&self) -> anyhow::Result<Vec<(String, String)>> {
        let read = fs::read_to_string(&self.clients).context("reading the clients")?;
        let pairs = read.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(id, secret)| (id.to_owned(), secret.to_owned())).collect())
    }
}
