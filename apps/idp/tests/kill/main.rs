//! `kill -9` in the middle of a stream of changes and tokens, again and again: what was
//! acknowledged is there after the restart, what was revoked stays revoked, and all of it has its
//! audit event. And the log of these, through kills, older states put back, and witnesses.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::dice::Dice;
use crate::ledger::{Ledger, Report};
use crate::session::Session;
use crate::support::{http::Request, server::RunningServer};

mod check;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../support/departed.rs"]
mod departed;
mod dice;
mod installation;
mod ledger;
mod log;
mod output;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../startup/process.rs"]
mod process;
mod put_back;
mod session;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../faults/stopwatch.rs"]
mod stopwatch;
#[expect(dead_code, reason = "the other files of tests use the rest")]
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/verified.rs"]
mod verified;
mod witness;
mod worker;

/// How often the server is killed, where `IDP_KILL_ROUNDS` does not say.
const ROUNDS: u64 = 20;
const WORKERS: u64 = 4;
/// The file of events that left, in the data folder.
const EVENTS: &str = "events.ndjson";
/// A round ends after so many acknowledged answers: some while the first are written, some later.
const ACKNOWLEDGED: std::ops::Range<u64> = 1..120;

#[test]
fn what_was_acknowledged_survives_a_hard_kill() {
    let folder = tempfile::tempdir().unwrap();
    let port = quiet_port();
    let mut server = start(folder.path(), port);
    let (admin, keys) = (server.admin(), published_keys(&server));
    let mut all = Ledger::default();
    for round in 0..rounds() {
        let reports = stream_until_killed(&mut server, round);
        server = start(folder.path(), port);
        assert_eq!(published_keys(&server), keys, "round {round}");
        let session = Session::open(server.address(), &admin).unwrap();
        let mut fresh = Ledger::default();
        reports.into_iter().for_each(|report| fresh.take(report));
        check::every(&fresh, &session);
        all.absorb(fresh);
    }
    let session = Session::open(server.address(), &admin).unwrap();
    check::every(&all, &session);
    check::agents_and_their_events_match(&all, &session);
    assert!(all.has_every_kind(), "the rounds were too short to mean anything: {all:?}");
    assert!(server.stop_gracefully().success());
}

/// Lets the workers go, and kills the server once enough was acknowledged, whatever the others
/// are in the midst of. Returns all that they were told until then.
fn stream_until_killed(server: &mut RunningServer, round: u64) -> Vec<Report> {
    let mut dice = Dice::new(round);
    let enough = dice.within(ACKNOWLEDGED);
    let (sender, receiver) = mpsc::channel();
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let (sender, admin) = (sender.clone(), server.admin());
            let (address, dice) =
                (server.address().to_owned(), Dice::new(round * 1_000 + number + 1));
            let name = format!("round-{round}-worker-{number}");
            thread::spawn(move || worker::work(&address, &admin, &name, dice, &sender))
        })
        .collect();
    drop(sender);
    let mut reports = Vec::new();
    let mut acknowledged = 0;
    while acknowledged < enough {
        let report = receiver.recv().expect("the workers stopped before the server did");
        acknowledged += u64::from(report.is_acknowledged());
        reports.push(report);
    }
    server.kill_hard();
    reports.extend(receiver);
    for worker in workers {
        let cut_off = worker.join().expect("a worker was answered wrongly");
        assert!(cut_off.is_err(), "workers go on until the server is gone");
    }
    reports
}

fn start(folder: &Path, port: u16) -> RunningServer {
    // Limits are not what is tested here.
    let many = "1000000";
    RunningServer::start_with(
        folder,
        &[
            ("PORT", port.to_string().as_str()),
            ("IDP_PLANS_FREE_REQUESTS_PER_MINUTE", many),
            ("IDP_PLANS_FREE_TOKENS_PER_MONTH", "unlimited"),
            ("IDP_PLANS_FREE_AGENTS", "unlimited"),
            ("IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE", many),
            ("IDP_AUDIT_EVENTS_FILE", folder.join(EVENTS).to_str().unwrap()),
        ],
    )
}

/// A port to start on again and again, since the issuer holds it. It lies below those that systems
/// give to outgoing connections, one of which could otherwise have it when the server is back.
/// No two tests get the same.
fn quiet_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let port = first + TAKEN.fetch_add(1, Ordering::Relaxed);
        if free(port) {
            return port;
        }
    }
}

fn published_keys(server: &RunningServer) -> String {
    let answer = server.send(&Request::new("GET", "/.well-known/jwks.json"));
    assert_eq!(answer.status, 200);
    answer.body
}

#[expect(clippy::disallowed_methods, reason = "how long to test is the tester's choice")]
fn rounds() -> u64 {
    std::env::var("IDP_KILL_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}
