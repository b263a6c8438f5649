//! CS-01: a replica that is told to end, under load.

use std::time::Duration;

use rustix::process::Signal;

use crate::check;
use crate::cluster::{Cluster, Plan};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::stopwatch::{now, until};
use crate::support::http::{self, Request};

/// How soon it must have ended.
const END: Duration = Duration::from_secs(10);

#[test]
fn cs_01_a_replica_that_is_told_to_end_drops_no_request_and_ends_in_time() {
    let (mut cluster, mut ledger) = (Cluster::start(&Plan::default()), Ledger::default());
    let load = Load::start(&cluster.front, &cluster.admin, 0);
    let mut longest = Duration::ZERO;
    for replica in [0, 1, 0] {
        load.acknowledge(60, &mut ledger);
        // From now on a request may find it closed, and none that it took may be dropped.
        cluster.front.drains(replica);
        cluster.signal(replica, Signal::TERM);
        let told_at = now();
        until(told_at, END, || !is_ready(&cluster, replica));
        let ended = cluster.take(replica).process.ended_within(END);
        longest = longest.max(told_at.elapsed());
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        load.acknowledge(20, &mut ledger);
        cluster.restart(replica);
    }
    load.end(&mut ledger);
    check::every(&ledger, &cluster, 1);
    assert!(longest < END, "{longest:?}");
    println!(
        "SIGTERM of a replica: 3 times, {} acknowledged, dropped 0, ended within {longest:?}",
        ledger.acknowledged
    );
}

/// Says that it is ready. One that is not says that it drains, or takes no connection any more.
fn is_ready(cluster: &Cluster, replica: usize) -> bool {
    let answer = http::send(cluster.front.address(replica), &Request::new("GET", "/health/ready"));
    answer.is_ok_and(|answer| {
        let ready = answer.status == 200;
        assert!(ready || answer.expect(503)["status"] == "draining");
        ready
    })
}
