//! One of two replicas killed, again and again, under load.

use crate::check;
use crate::cluster::{Cluster, Plan};
use crate::dice::Dice;
use crate::front::Told;
use crate::ledger::Ledger;
use crate::load::Load;
use crate::rounds;

/// After so many rounds the load pauses, and everything is looked at.
const ROUNDS_TO_CHECK: u64 = 20;
/// A round ends after so many acknowledged answers: some soon after the start, some later.
const ACKNOWLEDGED: std::ops::Range<u64> = 1..120;

#[test]
fn te_10_what_was_acknowledged_survives_a_replica_and_only_its_own_requests_are_lost() {
    let mut cluster = Cluster::start(&Plan::default());
    let mut ledger = Ledger::default();
    let (all, mut dice) = (rounds::of_replicas(), Dice::new(1));
    let mut done = 0;
    while done < all {
        let load = Load::start(&cluster.front, &cluster.admin, done);
        let batch = ROUNDS_TO_CHECK.min(all - done);
        for _ in 0..batch {
            load.acknowledge(dice.within(ACKNOWLEDGED), &mut ledger);
            let replica = usize::from(dice.one_in(2));
            cluster.kill(replica);
            // The other one goes on meanwhile.
            load.acknowledge(10, &mut ledger);
            cluster.restart(replica);
        }
        load.end(&mut ledger);
        done += batch;
        let at = usize::from(dice.one_in(2));
        check::every(&ledger, &cluster, at);
    }
    let still: Told<bool> = cluster.admin_at(0).is_active(1, &cluster.admin_at(1).token);
    assert_eq!(still, Ok(true));
    let Ledger { agents, credentials, tokens, acknowledged, .. } = &ledger;
    println!(
        "kill -9 of a replica: {all} rounds, {acknowledged} acknowledged ({} agents, {} \
         credentials, {} tokens), lost 0",
        agents.len(),
        credentials.len(),
        tokens.len()
    );
}
