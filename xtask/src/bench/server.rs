//! A server of the release build, pinned to its core: started, looked at, ended.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::usage;
use super::workbench::Workbench;

/// What every server has beside what its scenario wants.
pub(crate) const SETTINGS: [(&str, &str); 3] = [
    // No limit of the plan is met: what is measured is the work, not its refusal.
    ("IDP_PLANS_ENTERPRISE_REQUESTS_PER_MINUTE", "4000000000"),
    // The port differs with each start, and what names the issuer is to outlive one.
    ("IDP_ISSUER", "http://127.0.0.1:3000"),
    // A pool of tokens is made before it is used.
    ("IDP_TOKEN_LIFETIME_SECONDS", "86400"),
];

/// A server that runs. It ends with its value, and with this process.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    url: String,
    data: PathBuf,
    started_in: Duration,
    // Open for as long as it runs: a server that cannot write complains.
    _out: BufReader<ChildStdout>,
}

/// A server that is ready, and what it said before.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(crate) server: Server,
    pub(crate) said: Vec<String>,
}

/// What the first start leaves beside the embedded store.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Admin {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

impl Server {
    /// Starts the server on this folder, with these variables, on a free port and on the core that is
    /// the server's. On return it is ready. It logs into the file `server.log` in the folder, as much
    /// as it does for everybody.
    pub(crate) fn start(
        bench: &Workbench,
        data: &Path,
        variables: &[(String, String)],
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(data).with_context(|| format!("making `{}`", data.display()))?;
        let log = File::create(data.join("server.log")).context("making `server.log`")?;
        let mut command = bench.pinned(&bench.idp);
        command.env("IDP_DATA_DIR", data).env("PORT", "0").envs(SETTINGS);
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        Ok(Self::announced(command, data)?.server)
    }

    /// Runs it, and waits for the line by which it says that it is ready.
    pub(crate) fn announced(mut command: Command, data: &Path) -> anyhow::Result<Announced> {
        let began = Instant::now();
        let mut child = command.spawn().context("the server does not start")?;
        let mut out = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut said = Vec::new();
        let url = loop {
            let mut line = String::new();
            if out.read_line(&mut line)? == 0 {
                child.wait()?;
                let log = fs::read_to_string(data.join("server.log")).unwrap_or_default();
                bail!("the server ended: {}", log.lines().last().unwrap_or("it did not say why"));
            }
            let line = line.trim().to_owned();
            if let Some(url) = line.strip_prefix("ready at ") {
                break url.to_owned();
            }
            said.push(line);
        };
        let started_in = began.elapsed();
        // Where it is not the issuer's, it tells its address apart.
        let listens = said.iter().find_map(|line| line.strip_prefix("listens on "));
        let url = listens.map_or(url, |address| address.trim().to_owned());
        let server = Self { child, url, data: data.to_owned(), started_in, _out: out };
        Ok(Announced { server, said })
    }

    /// Where it listens, without a slash at the end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// From the start of the process to the line that says that it is ready.
    pub(crate) const fn started_in(&self) -> Duration {
        self.started_in
    }

    /// The admin of the organization that the first start founded.
    pub(crate) fn admin(&self) -> anyhow::Result<Admin> {
        let file = self.data.join("admin.json");
        let read = fs::read(&file).with_context(|| format!("reading `{}`", file.display()))?;
        serde_json::from_slice(&read).with_context(|| format!("reading `{}`", file.display()))
    }

    /// Waits until it does nothing any more but wait: its events are sequenced.
    pub(crate) fn until_quiet(&self) -> anyhow::Result<()> {
        usage::until_quiet(self.id())
    }

    /// The CPU time that it has used so far.
    pub(crate) fn cpu_time(&self) -> anyhow::Result<Duration> {
        usage::cpu_time(self.id())
    }

    /// Its resident memory in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        usage::resident(self.id())
    }

    /// Ends it in good order.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("ending the server")?;
        let status = self.child.wait().context("waiting for the server's end")?;
        if !status.success() {
            bail!("the server ended badly ({status})");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both do nothing where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
