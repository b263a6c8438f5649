//! Random requests over three organizations and two replicas on one database: whoever asks for
//! another's is answered as for what does not exist, and nothing of one organization is ever told
//! to another, counted for it or kept with it.
//!
//! `cargo xtask isolation` runs it for long. What is random follows from a seed, but for the order
//! in which requests of different workers arrive.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, clippy::print_stdout, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, sync::atomic::Ordering, thread, time::Instant};

use crate::{
    founding::Founded,
    installation::Installation,
    steps::OPERATIONS,
    worker::Worker,
    world::{PLATFORM, TENANTS, Tally, World},
};

mod agents;
mod audit_log;
mod audit_proofs;
mod credentials;
mod database;
#[path = "../kill/dice.rs"]
mod dice;
mod founding;
mod ids;
mod installation;
mod keys;
mod oracle;
mod steps;
mod tokens;
mod wire;
mod worker;
mod world;

/// How many requests are sent, where `IDP_ISOLATION_REQUESTS` does not say.
const REQUESTS: u64 = 3_000;
/// What chance begins with, where `IDP_ISOLATION_SEED` does not say.
const SEED: u64 = 1;
/// How many workers each organization has.
const WORKERS: u64 = 3;

#[test]
fn tn_no_organization_is_told_anything_of_another() {
    let (requests, seed) =
        (setting("IDP_ISOLATION_REQUESTS", REQUESTS), setting("IDP_ISOLATION_SEED", SEED));
    println!("{requests} requests, IDP_ISOLATION_SEED={seed}");
    let names = ["a", "b", "c", "platform"].map(|name| format!("canary-{name}-{seed:x}-"));
    let names = names.map(|name| name + "x");
    let (installation, platform) = Installation::start(&names[PLATFORM]);
    let world = World::found(&installation, founded(&platform), names).sending(requests);
    for (tenant, events) in world.tenants.iter().zip(database::events(&installation, &world)) {
        tenant.events.store(events, Ordering::SeqCst);
    }
    let tally = send(&world, seed);
    database::check(&installation, &world);
    for (operation, _) in OPERATIONS.iter().filter(|(operation, _)| *operation != "forged") {
        let asked = tally.keys().any(|(asked, _)| asked == operation);
        assert!(asked, "{operation} was never asked for: the run was too short to mean anything");
    }
    report(&world, &tally);
}

#[expect(clippy::disallowed_methods, reason = "what is measured is how long it really took")]
fn send(world: &World, seed: u64) -> Tally {
    let begun = Instant::now();
    let tally = thread::scope(|scope| {
        let all = (0..TENANTS).flat_map(|home| (1..=WORKERS).map(move |number| (home, number)));
        let work =
            |(home, number)| scope.spawn(move || Worker::new(world, home, number, seed).work());
        let workers: Vec<_> = all.map(work).collect();
        let mut all = Tally::new();
        for worker in workers {
            let tally = worker.join();
            for (answered, times) in tally.expect("a worker found something: see above") {
                *all.entry(answered).or_default() += times;
            }
        }
        all
    });
    let took = begun.elapsed();
    let rate = f64::from(u32::try_from(world.sent()).unwrap()) / took.as_secs_f64();
    println!("{} requests in {took:.1?}: {rate:.0} a second", world.sent());
    tally
}

fn report(world: &World, tally: &Tally) {
    for ((operation, status), times) in tally {
        println!("{times:>9}  {status}  {operation}");
    }
    for tenant in &world.tenants {
        let numbers = [&tenant.registered, &tenant.live, &tenant.events];
        let [agents, live, events] = numbers.map(|number| number.load(Ordering::SeqCst));
        println!("{}: {agents} agents, {live} of them live, {events} events", tenant.marker);
    }
    println!("{} ids were told to one organization each", world.ids.count());
}

/// The platform's admin, as `idp bootstrap --json` prints it.
fn founded(printed: &serde_json::Value) -> Founded {
    let text = |name: &str| printed[name].as_str().unwrap().to_owned();
    Founded {
        organization: text("organizationId"),
        admin: text("agentId"),
        // Nobody acts for the platform: any id of it will do.
        credential: text("organizationId"),
        secret: text("clientSecret"),
    }
}

#[expect(clippy::disallowed_methods, reason = "how long to test is the tester's choice")]
fn setting(name: &str, fallback: u64) -> u64 {
    std::env::var(name).map_or(fallback, |text| text.parse().unwrap())
}

#[test]
fn every_route_is_asked_for() {
    let asked: BTreeSet<_> = OPERATIONS.iter().map(|(operation, _)| *operation).collect();
    let routes: BTreeSet<_> = wire::ROUTES.iter().map(|route| route.operation).collect();
    let beyond: BTreeSet<_> = ["unknown", "forged"].into();
    assert_eq!(asked, routes.union(&beyond).copied().collect());
}
