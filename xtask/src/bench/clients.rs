//! What `load` of crates/benchmarks does for a scenario: agents, tokens, an open loop.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde::Deserialize;

use super::request::Request;
use super::server::{Admin, Server};
use super::workbench::Workbench;
use crate::process;

/// Registers so many agents, each with a secret, and returns `id secret` of each.
pub(crate) fn agents(
    bench: &Workbench,
    server: &Server,
    count: usize,
    file: &Path,
) -> anyhow::Result<()> {
    let Admin { client_id, client_secret } = server.admin()?;
    let admin = bench.folder.join("admin.txt");
    fs::write(&admin, format!("{client_id} {client_secret}")).context("naming the admin")?;
    let mut command = program(bench, "agents", server.url());
    command.arg("--admin").arg(admin).arg("--count").arg(count.to_string());
    process::output(command.arg("--out").arg(file)).context("making agents").map(|_| ())
}

/// Collects so many tokens of these clients, and returns them.
pub(crate) fn tokens(
    bench: &Workbench,
    server: &Server,
    clients: &Path,
    scope: &str,
    count: usize,
) -> anyhow::Result<Vec<String>> {
    let file = bench.folder.join("tokens.txt");
    let mut command = program(bench, "tokens", server.url());
    command.arg("--clients").arg(clients).args(["--scope", scope]);
    command.args(["--count", &count.to_string()]).arg("--out").arg(&file);
    process::output(&mut command).context("collecting tokens")?;
    let read = fs::read_to_string(&file).context("reading tokens")?;
    Ok(read.lines().map(str::to_owned).collect())
}

/// How long requests took that were sent at a fixed rate, in milliseconds from when each was due.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub(crate) struct Latency {
    pub(crate) requests: u64,
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

/// Sends so many requests a second, whatever the server does: nobody's wait hides another's.
pub(crate) fn paced(
    bench: &Workbench,
    server: &Server,
    request: &Request,
    rate: f64,
) -> anyhow::Result<Latency> {
    let parts = request.parts();
    let requests: Vec<String> = request.list().iter().map(|line| parts.with(line)).collect();
    let file = bench.folder.join("requests.json");
    fs::write(&file, serde_json::to_vec(&requests)?).context("writing what is sent")?;
    let mut command = program(bench, "paced", server.url());
    command.arg("--requests").arg(file).args(["--rate", &format!("{rate:.3}")]);
    command.args(["--seconds", &bench.seconds.to_string()]);
    read(&process::output(&mut command).context("sending at a fixed rate")?)
}

fn read(said: &str) -> anyhow::Result<Latency> {
    serde_json::from_str(said.trim()).context("`load paced` told no figures")
}

fn program(bench: &Workbench, what: &str, url: &str) -> Command {
    process::command(&bench.root, &bench.load, &[what, "--url", url])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_open_loop_tells_is_read() {
        let said =
            "{\"requests\":10,\"rate\":5.0,\"p50\":1.5,\"p99\":2.0,\"p999\":3.0,\"max\":4.0}\n";
        let told = read(said).unwrap();
        assert_eq!([told.p50, told.p99, told.p999, told.max], [1.5, 2.0, 3.0, 4.0]);
        assert!(read("answered 503").is_err());
    }
}
