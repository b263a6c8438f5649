//! How much memory the server has: idle, and while many agents are active.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::clients;
use super::figures::{Better, Figure, Goal};
use super::filled;
use super::installation::Installation;
use super::load::{Load, load};
use super::server::Server;
use super::subject::Subject;
use super::usage;
use super::workbench::Workbench;

/// How many agents are active, where the store has as many.
const ACTIVE: u64 = 100_000;

/// As many requests are in flight.
const IN_FLIGHT: [u32; 2] = [64, 1_000];

/// The most in megabytes: idle, and under load.
const IDLE: f64 = 40.0;
const LOADED: f64 = 200.0;

/// What tokens are for.
const SCOPE: &str = "agents:read";

/// How often it is looked under load.
const LOOK: Duration = Duration::from_millis(50);

/// Measures it: every agent gets a token, and every token is introspected.
pub(crate) fn measure(bench: &Workbench) -> anyhow::Result<Vec<Figure>> {
    let active = ACTIVE.min(bench.large.agents);
    let installation = filled::embedded(bench, bench.large, active)?;
    let mut idle = Vec::new();
    for _ in 0..bench.repeats {
        let server = installation.start(bench)?;
        server.until_quiet()?;
        idle.push(megabytes(server.resident()?));
        server.stop()?;
    }
    let mut figures: Vec<Figure> = Figure::of("memory, idle", "MB", Better::Lower, &idle)
        .map(|figure| figure.with_goal(Goal::AtMost(IDLE)))
        .into_iter()
        .collect();
    for connections in IN_FLIGHT {
        // Once each: it takes as many requests as agents, and comes out the same.
        let most = under_load(bench, &installation, connections)?;
        let name =
            format!("memory, most with {active} agents active and {connections} connections");
        let figure = Figure::of(&name, "MB", Better::Lower, &[most]);
        figures.extend(figure.map(|figure| figure.with_goal(Goal::AtMost(LOADED))));
    }
    Ok(figures)
}

/// The most that it has while each agent in turn gets tokens, and each token is introspected.
fn under_load(
    bench: &Workbench,
    installation: &Installation,
    connections: u32,
) -> anyhow::Result<f64> {
    let server = installation.start(bench)?;
    let subject = Subject::new(bench, installation, &server)?;
    let is_over = AtomicBool::new(false);
    let process = server.id();
    thread::scope(|threads| {
        let watching = threads.spawn(|| most_until(&is_over, process));
        let done = everybody(bench, installation, (&server, &subject), connections);
        is_over.store(true, Ordering::Release);
        let most = watching.join().map_err(|_| anyhow::anyhow!("nobody watched the memory"))?;
        done.map(|()| megabytes(most))
    })
}

fn everybody(
    bench: &Workbench,
    installation: &Installation,
    (server, subject): (&Server, &Subject),
    connections: u32,
) -> anyhow::Result<()> {
    let count = subject.forms.len();
    let tokens = clients::tokens(bench, server, &installation.clients, SCOPE, count)?;
    let introspect = subject.introspect().once_for_each(tokens);
    let token = subject.tokens().once_for_each(subject.forms.clone());
    for request in [&token, &introspect, &token] {
        // Until the list is used up.
        load(bench, server.url(), Load { request, connections, seconds: 600 })?;
    }
    Ok(())
}

/// The most resident memory of a process until it is over, in bytes.
fn most_until(is_over: &AtomicBool, process: u32) -> u64 {
    let mut most = 0;
    while !is_over.load(Ordering::Acquire) {
        most = usage::resident(process).map_or(most, |now| most.max(now));
        thread::sleep(LOOK);
    }
    most
}

#[expect(clippy::cast_precision_loss, reason = "no process has so much")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
