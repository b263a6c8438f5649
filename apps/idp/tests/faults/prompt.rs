//! How soon a checkpoint covers what was acknowledged.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::caller;
use crate::cluster::{Cluster, Plan};
use crate::log;
use crate::rounds;
use crate::stopwatch::now;

/// What is promised.
const PROMISED: Duration = Duration::from_secs(1);

/// What a machine with other things to do may take now and then.
const BUSY: Duration = Duration::from_secs(5);

const AT_IDLE: usize = 20;

/// How many ask for tokens at a time.
const ASKERS: usize = 4;

#[test]
fn a_checkpoint_follows_an_event_within_a_second_at_idle_and_under_load() {
    let cluster = Cluster::start(&Plan { outlets: true, ..Plan::default() });
    let idle = (0..AT_IDLE).map(|number| covered_after(&cluster, number)).collect();
    tell("at idle", idle);
    let (issued, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let begun = now();
    let loaded = thread::scope(|scope| {
        for asker in 0..ASKERS {
            let (front, admin, issued, over) = (&*cluster.front, &cluster.admin, &issued, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    caller::issue(front, asker % 2, admin).unwrap().unwrap();
                    issued.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut times = Vec::new();
        while issued.load(Ordering::Relaxed) < rounds::of_tokens() {
            times.push(covered_after(&cluster, times.len()));
        }
        over.store(true, Ordering::Relaxed);
        times
    });
    let issued = issued.into_inner();
    println!("under load: {issued} tokens in {:?}", begun.elapsed());
    tell("under load", loaded);
    // All of it, and not only what was looked at.
    let bucket = r#"agentidp_audit_checkpoint_delay_seconds_bucket{le="10.0"}"#;
    for replica in 0..2 {
        assert_eq!(log::counted(&cluster, replica, bucket), log::signed(&cluster, replica));
    }
}

/// How long after a token was acknowledged a checkpoint is served that covers its event, by the
/// replica that issued it or by the other.
fn covered_after(cluster: &Cluster, number: usize) -> Duration {
    let caller = cluster.admin_at(number % 2);
    let token = caller::issue(&cluster.front, number % 2, &cluster.admin).unwrap().unwrap();
    let acknowledged_at = now();
    let at = number / 2 % 2;
    let event = caller.event_of(at, "token.issued", &token.id).unwrap();
    caller.is_covered(at, &event, (acknowledged_at, BUSY))
}

#[track_caller]
fn tell(when: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times.last().unwrap());
    println!(
        "from answer to checkpoint, {when}: {} events, median {median:?}, longest {longest:?}",
        times.len()
    );
    assert!(median <= PROMISED, "{times:?}");
    assert!(*longest <= BUSY, "{times:?}");
}
