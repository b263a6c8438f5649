//! The load of a closed loop: wrk, with as many connections as there are requests in flight.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use super::request::Request;
use super::workbench::Workbench;
use crate::process;

/// What is shorter is no measurement: the list of lines was used up too soon.
const SHORTEST: f64 = 0.5;

/// What a client does on every request.
const SCRIPT: &str = include_str!("wrk.lua");

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// Percentiles of the time to the answer in milliseconds. It is a closed loop, so whoever waits
    /// sends nothing: see [`super::clients::paced`] for what callers see.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Outcome {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.requests() / self.seconds
    }

    /// That it took long enough for a rate to come of it.
    ///
    /// # Errors
    /// Where the list of lines was used up too soon.
    pub(crate) fn must_have_lasted(&self) -> anyhow::Result<()> {
        let seconds = self.seconds;
        ensure!(seconds >= SHORTEST, "the list was used up in {seconds:.2} s, too soon for a rate");
        Ok(())
    }

    /// How many were answered.
    #[expect(clippy::cast_precision_loss, reason = "nobody waits for so many requests")]
    pub(crate) const fn requests(&self) -> f64 {
        self.requests as f64
    }
}

/// How much is sent of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load<'a> {
    pub(crate) request: &'a Request,
    /// As many requests are in flight at a time.
    pub(crate) connections: u32,
    pub(crate) seconds: u64,
}

/// Sends this to the server at the URL.
///
/// # Errors
/// Where an answer is no success or does not come: no figure comes of errors.
pub(crate) fn load(
    bench: &Workbench,
    url: &str,
    Load { request, connections, seconds }: Load<'_>,
) -> anyhow::Result<Outcome> {
    let script = bench.folder.join("wrk.lua");
    let list = bench.folder.join("wrk.list");
    fs::write(&list, request.list().join("\n")).context("writing what wrk sends")?;
    fs::write(&script, script_of(request, &list)).context("writing what wrk sends")?;
    let mut command = process::command(&bench.root, "wrk", &["--threads", "1"]);
    command.args(["--connections", &connections.to_string(), "--latency"]);
    command.arg("--duration").arg(format!("{seconds}s")).arg("--script").arg(&script).arg(url);
    let said = process::output(&mut command)?;
    outcome(&said).with_context(|| format!("wrk at `{url}`"))
}

/// The common script with this request's parts above it.
fn script_of(request: &Request, list: &Path) -> String {
    let parts = request.parts();
    // The escapes of a JSON string are those of a Lua string, for what stands in a request.
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let length = parts.length.map_or("nil".to_owned(), |length| length.to_string());
    let list =
        if request.list().is_empty() { "nil".to_owned() } else { quoted(&list.to_string_lossy()) };
    format!(
        "BENCH = {{ head = {}, length = {length}, before = {}, after = {}, list = {list}, once = {} }}\n{SCRIPT}",
        quoted(&parts.head),
        quoted(&parts.before),
        quoted(&parts.after),
        request.is_once(),
    )
}

/// The line that the script prints in the end; times are in microseconds.
#[derive(Debug, Deserialize)]
struct Told {
    requests: u64,
    microseconds: f64,
    connect: u64,
    read: u64,
    write: u64,
    status: u64,
    timeout: u64,
    p50: f64,
    p99: f64,
}

fn outcome(said: &str) -> anyhow::Result<Outcome> {
    let line = said.lines().find_map(|line| line.strip_prefix("bench "));
    let told: Told = serde_json::from_str(line.context("wrk did not get to its end")?)?;
    let Told { connect, read, write, status, timeout, .. } = told;
    if connect + read + write + status + timeout > 0 {
        bail!(
            "of {} answers {status} were no success; {connect} connections failed, {read} reads, {write} writes, {timeout} took too long: no figure comes of that",
            told.requests
        );
    }
    let seconds = told.microseconds / 1e6;
    ensure!(told.requests > 0, "nothing was answered");
    Ok(Outcome { requests: told.requests, seconds, p50: told.p50 / 1e3, p99: told.p99 / 1e3 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Running 5s test @ http://127.0.0.1:1/\n  2 threads\n\
        bench {\"requests\":50000,\"microseconds\":5000000,\"connect\":0,\"read\":0,\"write\":0,\"status\":0,\"timeout\":0,\"p50\":1500,\"p99\":4000}\n";

    #[test]
    fn what_wrk_tells_is_read() {
        let outcome = outcome(SAID).unwrap();
        assert_eq!(outcome, Outcome { requests: 50_000, seconds: 5.0, p50: 1.5, p99: 4.0 });
        assert_eq!(outcome.rate(), 10_000.0);
    }

    #[test]
    fn no_figure_comes_of_errors() {
        for kind in ["connect", "read", "write", "status", "timeout"] {
            let said = SAID.replace(&format!("\"{kind}\":0"), &format!("\"{kind}\":1"));
            let error = outcome(&said).unwrap_err().to_string();
            assert!(error.ends_with("no figure comes of that"), "{error}");
        }
        assert!(outcome("Running 5s test\n").is_err());
        assert!(outcome(&SAID.replace("\"requests\":50000", "\"requests\":0")).is_err());
    }

    #[test]
    fn a_list_that_is_used_up_too_soon_makes_no_figure() {
        assert!(outcome(SAID).unwrap().must_have_lasted().is_ok());
        let short = SAID.replace("\"microseconds\":5000000", "\"microseconds\":400000");
        let error = outcome(&short).unwrap().must_have_lasted().unwrap_err().to_string();
        assert!(error.starts_with("the list was used up in 0.40 s"), "{error}");
    }
}
