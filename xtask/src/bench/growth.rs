//! What a request costs with a thousand times as much in the store: CPU time, of the server and of the
//! stores.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Context;

use super::clients;
use super::figures::{Better, Figure, Goal};
use super::filled::{self, Much};
use super::installation::{Installation, Store};
use super::load::{Load, load};
use super::request::Request;
use super::scenario::CONNECTIONS;
use super::server::Server;
use super::stores::Stores;
use super::subject::Subject;
use super::used::Used;
use super::workbench::Workbench;

/// The store that the large one is held against.
const SMALL: Much = Much { agents: 1_000, events: 10_000 };

/// As many agents are active in both.
const ACTIVE: u64 = 1_000;

/// How many times as much a request may cost.
const MOST: f64 = 1.3;

/// What tokens are for.
const SCOPE: &str = "agents:read";

/// What is asked: its name, and the request, where tokens are at hand.
type Asked = (&'static str, fn(&Subject, &[String]) -> Request);

const ASKED: [Asked; 4] = [
    ("token", |subject, _| subject.tokens()),
    ("introspect", |subject, tokens| subject.introspect().for_each(tokens.to_vec())),
    ("get", |subject, _| subject.get()),
    ("list", |subject, _| subject.list()),
];

/// Measures it on both stores.
pub(crate) fn measure(bench: &Workbench) -> anyhow::Result<Vec<Figure>> {
    let embedded = |much| filled::embedded(bench, much, ACTIVE);
    let pair = [embedded(SMALL)?, embedded(bench.large)?];
    let mut figures = compared(bench, Store::Embedded, &pair, None)?;
    let folder = bench.folder.join("growth");
    fs::create_dir_all(&folder).context("making a folder for the stores")?;
    let stores = Stores::start(&folder)?;
    let shared = |much| filled::shared(bench, &stores, much, ACTIVE);
    let pair = [shared(SMALL)?, shared(bench.large)?];
    figures.extend(compared(bench, Store::Shared, &pair, Some(&stores))?);
    Ok(figures)
}

/// Microseconds of CPU for each request, by what is asked: of the small one, then of the large one.
type Costs = [BTreeMap<&'static str, Vec<f64>>; 2];

fn compared(
    bench: &Workbench,
    store: Store,
    pair: &[Installation; 2],
    stores: Option<&Stores>,
) -> anyhow::Result<Vec<Figure>> {
    let mut costs = Costs::default();
    for _ in 0..bench.repeats {
        for (installation, costs) in pair.iter().zip(&mut costs) {
            let server = installation.start(bench)?;
            let subject = Subject::new(bench, installation, &server)?;
            let tokens =
                clients::tokens(bench, &server, &installation.clients, SCOPE, subject.forms.len())?;
            for (asked, request) in ASKED {
                let cost = cost(bench, (&server, stores), &request(&subject, &tokens))?;
                println!("{cost:>9.1} us of CPU: {asked} on {}", store.name());
                costs.entry(asked).or_default().push(cost);
            }
            server.stop()?;
        }
    }
    let figures = ASKED.iter().filter_map(|(asked, _)| figure(asked, store, bench.large, &costs));
    Ok(figures.collect())
}

fn figure(asked: &str, store: Store, large: Much, [small_us, large_us]: &Costs) -> Option<Figure> {
    let (small_us, large_us) = (small_us.get(asked)?, large_us.get(asked)?);
    let times: Vec<f64> =
        small_us.iter().zip(large_us).map(|(small, large)| large / small).collect();
    let name = format!("growth of {asked} on {}, to {}", store.name(), large.name());
    let figure = Figure::of(&name, "times the CPU", Better::Lower, &times)?;
    let figure = figure.with_goal(Goal::AtMost(MOST));
    Some(figure.with_detail("small_us", small_us).with_detail("large_us", large_us))
}

/// Microseconds of CPU for each request, with what has to be done for it afterwards.
fn cost(
    bench: &Workbench,
    (server, stores): (&Server, Option<&Stores>),
    request: &Request,
) -> anyhow::Result<f64> {
    let send =
        |seconds| load(bench, server.url(), Load { request, connections: CONNECTIONS, seconds });
    send(1).context("warming up")?;
    server.until_quiet()?;
    let used = Used::so_far(server, stores)?;
    let outcome = send(bench.seconds)?;
    server.until_quiet()?;
    let (server_us, stores_us) = used.for_each_since(server, stores, &outcome)?;
    Ok(server_us + stores_us.unwrap_or_default())
}
