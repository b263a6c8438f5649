//! TE-10: one of two replicas killed and started again while clients ask for tokens as fast as they can.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use crate::caller::{self, Client};
use crate::cluster::{Cluster, Plan};
use crate::dice::Dice;
use crate::front::{Front, Lost};
use crate::stopwatch::now;

/// How many ask at a time.
const ASKERS: u64 = 8;

/// How often each replica is killed.
const KILLS: u64 = 2;

/// How many tokens are issued before and after each kill.
const TOKENS: usize = 100;

/// What takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of what was asked.
#[derive(Debug, Default)]
struct Count {
    issued: AtomicU64,
    lost: AtomicU64,
    over: AtomicBool,
}

/// Lets the askers end, also where the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits until so many more were issued.
#[track_caller]
fn goes_on(issued: &Receiver<()>, tokens: usize) {
    issued.try_iter().for_each(drop);
    for _ in 0..tokens {
        issued.recv_timeout(PATIENCE).expect("nothing is issued any more");
    }
}

#[test]
fn te_10_of_many_grants_only_those_under_way_at_a_killed_replica_are_lost() {
    let mut cluster = Cluster::start(&Plan::default());
    let (front, admin, count) = (cluster.front.clone(), cluster.admin.clone(), Count::default());
    let ((sender, issued), begun) = (mpsc::channel(), now());
    thread::scope(|scope| {
        let _over = Over(&count.over);
        for asker in 0..ASKERS {
            let (front, admin, count, sender) = (&front, &admin, &count, sender.clone());
            scope.spawn(move || ask((front, Dice::new(asker)), admin, count, &sender));
        }
        for replica in (0..2).cycle().take(usize::try_from(2 * KILLS).unwrap()) {
            goes_on(&issued, TOKENS);
            let before = count.lost.load(Ordering::Relaxed);
            cluster.kill(replica);
            // The other one serves on, as if nothing had been.
            goes_on(&issued, TOKENS);
            cluster.restart(replica);
            let lost = count.lost.load(Ordering::Relaxed) - before;
            assert!(
                lost <= ASKERS,
                "{lost} requests were lost, and {ASKERS} can have been under way"
            );
        }
        goes_on(&issued, TOKENS);
    });
    let (issued, took) = (count.issued.into_inner(), begun.elapsed());
    println!(
        "kill -9 of a replica {} times under grants: {issued} issued in {took:?}, {} a second, {} lost",
        2 * KILLS,
        issued / took.as_secs().max(1),
        count.lost.into_inner()
    );
}

/// Asks any replica that is there; what fails though nobody has killed it fails the test.
fn ask((front, mut dice): (&Front, Dice), admin: &Client, count: &Count, issued: &Sender<()>) {
    while !count.over.load(Ordering::Relaxed) {
        match caller::issue(front, front.any(&mut dice), admin) {
            Ok(token) => {
                assert!(token.is_some(), "a good client is refused");
                count.issued.fetch_add(1, Ordering::Relaxed);
                let _the_test_has_failed = issued.send(());
            }
            Err(Lost::Killed | Lost::Closed) => {
                count.lost.fetch_add(1, Ordering::Relaxed);
            }
            // The machine was too busy: what the front lets pass beside.
            Err(Lost::Away) => {}
        }
    }
}
