//! The rounds: in each of them every scenario is measured once, and right before it its floor.

use std::time::Duration;

use anyhow::Context;

use super::clients;
use super::figures::{Better, Figure};
use super::floor::{Floors, Pace};
use super::installation::{Installation, Store};
use super::load::{Load, load};
use super::log::Log;
use super::sample::{self, Sample};
use super::scenario::{self, CONNECTIONS, Floor, Kind, Scenario};
use super::server::Server;
use super::stores::Stores;
use super::subject::Subject;
use super::used::Used;
use super::workbench::Workbench;

/// Of the rate in a closed loop, as much is sent where the latency is taken.
const PACE: f64 = 0.7;

/// As many tokens more than a floor that verifies could use up.
const RESERVE: f64 = 1.1;

/// What was measured, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) figures: Vec<Figure>,
    pub(crate) failures: Vec<String>,
}

/// Measures the scenarios that are wanted.
pub(crate) fn measure(bench: &Workbench) -> anyhow::Result<Found> {
    let mut wanted = scenario::all();
    wanted.retain(|scenario| bench.wants(&scenario.name()));
    if wanted.is_empty() {
        return Ok(Found::default());
    }
    let floors = Floors::start(bench)?;
    let is_shared = wanted.iter().any(|scenario| scenario.store == Store::Shared);
    let stores = is_shared.then(|| Stores::start(&bench.folder)).transpose()?;
    let mut groups = Vec::new();
    for scenarios in wanted.chunk_by(|one, other| group_of(*one) == group_of(*other)) {
        groups.extend(Group::new(bench, stores.as_ref(), scenarios)?);
    }
    let mut failures = Vec::new();
    for round in 1..=bench.repeats {
        for group in &mut groups {
            println!("\nround {round} of {}, {}", bench.repeats, group.name);
            Round { bench, floors: &floors, number: round }.measure(group, &mut failures)?;
        }
    }
    Ok(Found { figures: figures(&groups), failures })
}

/// Scenarios of one group share an installation.
fn group_of(scenario: Scenario) -> (&'static str, &'static str) {
    (scenario.store.name(), scenario.algorithm.name())
}

/// An installation, its scenarios, and what was measured of each.
struct Group<'a> {
    name: String,
    installation: Installation,
    stores: Option<&'a Stores>,
    samples: Vec<(Scenario, Vec<Sample>)>,
}

impl<'a> Group<'a> {
    /// Of these, which are all of one group.
    fn new(
        bench: &Workbench,
        stores: Option<&'a Stores>,
        scenarios: &[Scenario],
    ) -> anyhow::Result<Option<Self>> {
        let Some(first) = scenarios.first() else { return Ok(None) };
        let name = format!("{} on {}", first.algorithm.name(), first.store.name());
        let stores = stores.filter(|_| first.store == Store::Shared);
        println!("making an installation: {name}");
        let installation = Installation::new(bench, stores, first.algorithm)?;
        let samples = scenarios.iter().map(|scenario| (*scenario, Vec::new())).collect();
        Ok(Some(Self { name, installation, stores, samples }))
    }
}

/// One round.
struct Round<'a> {
    bench: &'a Workbench,
    floors: &'a Floors,
    number: u32,
}

impl Round<'_> {
    fn measure(&self, group: &mut Group<'_>, failures: &mut Vec<String>) -> anyhow::Result<()> {
        let Group { installation, stores, samples, .. } = group;
        let mut server = installation.start(self.bench)?;
        let mut subject = Subject::new(self.bench, installation, &server)?;
        for (scenario, samples) in samples {
            if scenario.needs_a_pool() {
                let count = self.pool(&subject)?;
                subject.fill_the_pool(self.bench, installation, &server, count)?;
            }
            if scenario.needs_another_process() {
                server.stop()?;
                server = self.another_process(installation, *scenario)?;
            }
            match self.sample(*scenario, &server, *stores, &subject) {
                Ok(sample) => {
                    told(*scenario, &sample);
                    samples.push(sample);
                }
                Err(error) => {
                    let failure = format!("{}: {error:#}", scenario.name());
                    println!("FAILED {failure}");
                    failures.push(failure);
                }
            }
        }
        server.stop()
    }

    fn another_process(
        &self,
        installation: &Installation,
        scenario: Scenario,
    ) -> anyhow::Result<Server> {
        if scenario.kind == Kind::TokenLogWarn {
            return installation.start_with(self.bench, "IDP_LOG", "warn");
        }
        installation.start(self.bench)
    }

    /// How many tokens are enough: nobody who verifies each is faster than the floor.
    fn pool(&self, subject: &Subject) -> anyhow::Result<usize> {
        let asked = (&*subject.forms, CONNECTIONS);
        let rate = self.floors.pace(self.bench, Floor::Verify, asked, 1)?.rate;
        let seconds = Duration::from_secs(self.bench.seconds).as_secs_f64();
        Ok(Duration::from_secs_f64(rate * seconds * RESERVE).as_secs().try_into()?)
    }

    fn sample(
        &self,
        scenario: Scenario,
        server: &Server,
        stores: Option<&Stores>,
        subject: &Subject,
    ) -> anyhow::Result<Sample> {
        let Self { bench, floors, number } = self;
        let turn = format!("{number}-{}", std::process::id());
        let connections = scenario.connections();
        let warm_up = subject.warm_up(scenario, &turn);
        load(bench, server.url(), Load { request: &warm_up, connections, seconds: 1 })
            .context("warming up")?;
        server.until_quiet()?;
        let half = bench.seconds.div_ceil(2);
        let floor = floors.pace(bench, scenario.floor(), (&subject.forms, connections), half)?;
        let request = subject.request(scenario, &turn, bench.seconds);
        let log = scenario
            .leaves_events()
            .then(|| Log::before(server, &subject.admin_token))
            .transpose()?;
        let used = Used::so_far(server, stores)?;
        let much = Load { request: &request, connections, seconds: bench.seconds };
        let outcome = load(bench, server.url(), much)?;
        outcome.must_have_lasted()?;
        server.until_quiet()?;
        let (server_us, stores_us) = used.for_each_since(server, stores, &outcome)?;
        if let Some(log) = log {
            log.must_have_grown(server, &subject.admin_token, outcome.requests, connections)?;
        }
        let paced = scenario.is_paced().then(|| {
            let latency = clients::paced(bench, server, &request, PACE * outcome.rate());
            latency.and_then(|latency| server.until_quiet().map(|()| latency))
        });
        Ok(Sample { outcome, floor, server_us, stores_us, paced: paced.transpose()? })
    }
}

fn told(scenario: Scenario, sample: &Sample) {
    println!(
        "{:>9.0}/s, {:.3} of {}, server {:.1} us, stores {:.1} us: {}",
        sample.outcome.rate(),
        sample.ratio(),
        scenario.floor().name(),
        sample.server_us,
        sample.stores_us.unwrap_or_default(),
        scenario.name(),
    );
    if let Some(it) = sample.paced {
        let (rate, p50, p99, p999) = (it.rate, it.p50, it.p99, it.p999);
        println!("            at {rate:.0}/s {p50:.2}, {p99:.2}, {p999:.2} ms");
    }
}

/// The floors first, then the scenarios.
fn figures(groups: &[Group<'_>]) -> Vec<Figure> {
    let all = || groups.iter().flat_map(|group| &group.samples);
    let mut names: Vec<String> = all().map(|(scenario, _)| scenario.floor().name()).collect();
    names.sort();
    names.dedup();
    let mut figures = Vec::new();
    for name in names {
        let of_this = all().filter(|(scenario, _)| scenario.floor().name() == name);
        let paces: Vec<Pace> =
            of_this.flat_map(|(_, samples)| samples).map(|sample| sample.floor).collect();
        let rates: Vec<f64> = paces.iter().map(|pace| pace.rate).collect();
        let used: Vec<f64> = paces.iter().map(|pace| pace.us).collect();
        let name = format!("floor {name}");
        let figure = Figure::of(&name, "requests/s", Better::Higher, &rates);
        figures.extend(figure.map(|figure| figure.with_detail("server_us", &used)));
    }
    figures.extend(all().flat_map(|(scenario, samples)| sample::figures(*scenario, samples)));
    figures
}
