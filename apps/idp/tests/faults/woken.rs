//! The replica that keeps the log stands still, and goes on after another one has taken the log over.

use std::time::Duration;

use rustix::process::Signal;

use crate::caller;
use crate::cluster::{Cluster, Plan};
use crate::departed::{Departed, of_file};
use crate::front::heals_within;
use crate::holder::Locked;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::log::{self, takes_over};
use crate::rounds;
use crate::stopwatch::{now, until};
use crate::support::http::{self, Request};
use crate::watch::Watch;

/// How many checkpoints are signed meanwhile.
const MEANWHILE: u64 = 3;

/// Who has the lease, and up to where the log is signed.
const LEASE: &str = "SELECT holder, signed_size FROM audit_log WHERE signed_size > 0";

/// Whether a turn waits for a table: it has changed the row of the log.
const IN_A_TURN: &str = "SELECT count(*) > 0 FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE application_name = 'idp' AND wait_event_type = 'Lock'
    AND relation = 'audit_log'::regclass AND mode = 'RowExclusiveLock' AND granted";

/// Whether a turn stands still.
const HELD: &str = "SELECT count(*) > 0 FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE application_name = 'idp' AND state = 'idle in transaction'
    AND relation = 'audit_log'::regclass AND mode = 'RowExclusiveLock' AND granted";

/// What a replica may have written after it stood still: what it had signed before, or what lies
/// behind all that the other one has signed.
struct Bounds {
    replica: usize,
    /// How many lines its file had.
    lines: usize,
    signed_before: u64,
    signed_meanwhile: u64,
}

#[test]
fn a_frozen_sequencer_that_wakes_up_cannot_sign() {
    let cluster = Cluster::start(&Plan { outlets: true, ..Plan::default() });
    let (mut ledger, mut departed) = (Ledger::default(), Departed::default());
    let (load, watch) = (
        Load::start(&cluster.front, &cluster.admin, 0),
        Watch::start(&cluster.front, &cluster.admin),
    );
    let (mut bounds, mut longest) = (Vec::new(), Duration::ZERO);
    for round in 0..rounds::of_woken() {
        load.acknowledge(30, &mut ledger);
        // Whatever it has locked is locked for others, until PostgreSQL ends its sessions.
        cluster.front.database_goes();
        let frozen = log::kept_by(&cluster);
        freeze(&cluster, frozen, round.is_multiple_of(2));
        let (bound, took) = other_goes_on(&cluster, frozen);
        longest = longest.max(took);
        cluster.signal(frozen, Signal::CONT);
        cluster.front.opens(frozen);
        load.acknowledge(30, &mut ledger);
        until(now(), heals_within(), || is_ready(&cluster, frozen));
        cluster.front.database_is_back();
        log::take_files(&cluster, &mut departed);
        bounds.push(bound);
    }
    load.end(&mut ledger);
    watch.end(&mut departed);
    let evidence = log::is_whole(&cluster, &ledger, &mut departed);
    bounds.iter().for_each(|bound| bound.hold(&cluster));
    println!(
        "the replica that keeps the log frozen: {} rounds, {} acknowledged, {} positions, taken over \
         within {longest:?}",
        bounds.len(),
        ledger.acknowledged,
        evidence.size(),
    );
}

/// Stops it: in a turn for certain, or anywhere.
fn freeze(cluster: &Cluster, replica: usize, in_a_turn: bool) {
    cluster.front.closes(replica);
    if !in_a_turn {
        cluster.signal(replica, Signal::STOP);
        return;
    }
    let locked = Locked::table(cluster, "audit_leaf");
    until(now(), heals_within(), || cluster.sql(IN_A_TURN) == "t");
    cluster.signal(replica, Signal::STOP);
    drop(locked);
    until(now(), heals_within(), || cluster.sql(HELD) == "t");
}

/// The other one takes the log over, and signs for a while.
fn other_goes_on(cluster: &Cluster, frozen: usize) -> (Bounds, Duration) {
    let (other, stopped_at) = (1 - frozen, now());
    let lines = of_file(&cluster.ground.checkpoints(frozen)).len();
    let (holder, mut signed_before) = lease(cluster);
    until(stopped_at, takes_over(), || {
        let (now_by, signed) = lease(cluster);
        let taken = now_by != holder;
        signed_before = if taken { signed_before } else { signed };
        taken
    });
    let mut token = None;
    until(stopped_at, takes_over(), || {
        token = caller::issue(&cluster.front, other, &cluster.admin).ok().flatten();
        token.is_some()
    });
    let token = token.unwrap();
    let caller = cluster.admin_at(other);
    let event = caller.event_of(other, "token.issued", &token.id).unwrap();
    let took = caller.is_covered(other, &event, (stopped_at, takes_over()));
    let before = log::signed(cluster, other);
    until(now(), takes_over(), || {
        let _unless_away = caller::issue(&cluster.front, other, &cluster.admin);
        log::signed(cluster, other) >= before + MEANWHILE
    });
    let (_, signed_meanwhile) = lease(cluster);
    (Bounds { replica: frozen, lines, signed_before, signed_meanwhile }, took)
}

fn lease(cluster: &Cluster) -> (String, u64) {
    let found = cluster.sql(LEASE);
    let (holder, signed) = found.split_once('|').unwrap();
    (holder.to_owned(), signed.parse().unwrap())
}

fn is_ready(cluster: &Cluster, replica: usize) -> bool {
    let asked = Request::new("GET", "/health/ready");
    http::send(cluster.front.address(replica), &asked).unwrap().status == 200
}

impl Bounds {
    #[track_caller]
    fn hold(&self, cluster: &Cluster) {
        let Self { replica, lines, signed_before, signed_meanwhile } = *self;
        for left in of_file(&cluster.ground.checkpoints(replica)).into_iter().skip(lines) {
            let is_its_own = left.size <= signed_before || left.size > signed_meanwhile;
            assert!(
                is_its_own,
                "it stood still at size {signed_before}, the other one signed up to \
                 {signed_meanwhile}, and then it wrote {}",
                left.size
            );
        }
    }
}
