//! The floors, running: measured next to each scenario, on the same core.

use std::process::Stdio;

use anyhow::Context;

use super::load::{Load, load};
use super::request::Request;
use super::scenario::Floor;
use super::server::{Announced, Server};
use super::workbench::Workbench;

/// What a floor does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    /// Requests a second.
    pub(crate) rate: f64,
    /// Microseconds of CPU for each.
    pub(crate) us: f64,
}

/// A server of the floors. It ends with its value.
#[derive(Debug)]
pub(crate) struct Floors {
    server: Server,
    token: String,
}

impl Floors {
    /// Starts it on the core that is the server's, where it costs nothing while nobody asks it.
    pub(crate) fn start(bench: &Workbench) -> anyhow::Result<Self> {
        let mut command = bench.pinned(&bench.floor);
        command.arg("0").stdin(Stdio::null()).stdout(Stdio::piped());
        let Announced { server, said } = Server::announced(command, &bench.folder)?;
        let token = said.iter().find_map(|line| line.strip_prefix("token "));
        let token = token.context("the floors told no token")?.to_owned();
        Ok(Self { server, token })
    }

    /// What this one does, of clients that send these forms in turns over so many connections.
    pub(crate) fn pace(
        &self,
        bench: &Workbench,
        floor: Floor,
        (forms, connections): (&[String], u32),
        seconds: u64,
    ) -> anyhow::Result<Pace> {
        let path = format!("/{}", floor.name());
        let request = match floor {
            Floor::Hello | Floor::Sign(_) => {
                Request::form(&path, "{line}").for_each(forms.to_vec())
            }
            Floor::Verify => {
                Request::form(&path, "token={line}").for_each(vec![self.token.clone()])
            }
        };
        let much = Load { request: &request, connections, seconds };
        let before = self.server.cpu_time()?;
        let outcome = load(bench, self.server.url(), much);
        let outcome = outcome.with_context(|| format!("measuring the floor `{}`", floor.name()))?;
        let used = self.server.cpu_time()?.saturating_sub(before);
        Ok(Pace { rate: outcome.rate(), us: used.as_secs_f64() * 1e6 / outcome.requests() })
    }
}
