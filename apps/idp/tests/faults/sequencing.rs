//! AU-03: the replica that keeps the log killed, again and again, under load.

use std::time::Duration;

use crate::caller;
use crate::cluster::{Cluster, Plan};
use crate::departed::Departed;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::log::{self, takes_over};
use crate::rounds;
use crate::stopwatch::now;
use crate::verified::holds;
use crate::watch::Watch;

#[test]
fn au_03_another_replica_takes_the_log_over_from_one_that_is_killed_without_gap_or_fork() {
    let mut cluster = Cluster::start(&Plan { outlets: true, ..Plan::default() });
    let (mut ledger, mut departed) = (Ledger::default(), Departed::default());
    let (load, watch) = (
        Load::start(&cluster.front, &cluster.admin, 0),
        Watch::start(&cluster.front, &cluster.admin),
    );
    let mut times = Vec::new();
    for _ in 0..rounds::of_sequencer() {
        load.acknowledge(30, &mut ledger);
        let killed = log::kept_by(&cluster);
        cluster.kill(killed);
        times.push(taken_over(&cluster, 1 - killed));
        log::take_files(&cluster, &mut departed);
        cluster.restart(killed);
    }
    load.end(&mut ledger);
    watch.end(&mut departed);
    let evidence = log::is_whole(&cluster, &ledger, &mut departed);
    holds(&evidence.by_python());
    times.sort_unstable();
    println!(
        "kill -9 of the replica that keeps the log: {} rounds, {} acknowledged, {} positions, {} \
         checkpoints left, taken over within {:?} (median {:?})",
        times.len(),
        ledger.acknowledged,
        evidence.size(),
        departed.count(),
        times.last().unwrap(),
        times[times.len() / 2],
    );
}

/// How long it takes until a checkpoint covers an event that was written after this moment.
fn taken_over(cluster: &Cluster, by: usize) -> Duration {
    let begun = now();
    let caller = cluster.admin_at(by);
    let token = caller::issue(&cluster.front, by, &cluster.admin).unwrap().unwrap();
    let event = caller.event_of(by, "token.issued", &token.id).unwrap();
    caller.is_covered(by, &event, (begun, takes_over()))
}
