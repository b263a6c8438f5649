//! How long the server takes from its start to the line that says that it is ready.

use super::figures::{Better, Figure, Goal};
use super::filled;
use super::installation::Installation;
use super::load::{Load, load};
use super::scenario::CONNECTIONS;
use super::server::Server;
use super::subject::Subject;
use super::workbench::Workbench;

/// As few agents are enough: what has to be read at a start are events.
const AGENTS: u64 = 1_000;

/// How often it is started in each round.
const TIMES: u32 = 2;

/// The most that a start may take, in milliseconds.
const MOST: f64 = 150.0;

/// Measures it: on a new folder, on one with many events, and on one whose server was killed.
pub(crate) fn measure(bench: &Workbench) -> anyhow::Result<Vec<Figure>> {
    let much = filled::Much { agents: AGENTS, ..bench.large };
    let installation = filled::embedded(bench, much, AGENTS)?;
    let (mut first, mut later, mut killed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..bench.repeats * TIMES {
        let new = bench.folder.join(format!("start-{round}"));
        first.push(ended(Server::start(bench, &new, &[])?)?);
        later.push(ended(installation.start(bench)?)?);
        kill_under_load(bench, &installation)?;
        killed.push(ended(installation.start(bench)?)?);
    }
    let events = bench.large.events;
    let on_many = format!("start with {events} events");
    let after_a_kill =
        format!("start with {events} events, after the server was killed under load");
    let figures = [("start, the first of all", first), (&on_many, later), (&after_a_kill, killed)];
    let figure = |(name, times): (&str, Vec<f64>)| Figure::of(name, "ms", Better::Lower, &times);
    let mut figures: Vec<Figure> = figures.into_iter().filter_map(figure).collect();
    for figure in figures.iter_mut().skip(1) {
        figure.goal = Some(Goal::AtMost(MOST));
    }
    Ok(figures)
}

/// How long the start of this server took, in milliseconds, once it has ended.
fn ended(server: Server) -> anyhow::Result<f64> {
    let started_in = server.started_in().as_secs_f64() * 1e3;
    server.stop()?;
    Ok(started_in)
}

/// Leaves what a server leaves that is killed while it issues tokens: a log that is to be recovered.
fn kill_under_load(bench: &Workbench, installation: &Installation) -> anyhow::Result<()> {
    let server = installation.start(bench)?;
    let subject = Subject::new(bench, installation, &server)?;
    let request = &subject.tokens();
    load(bench, server.url(), Load { request, connections: CONNECTIONS, seconds: 1 })?;
    // What its value does at its end is to kill it.
    drop(server);
    Ok(())
}
