//! How soon a replica sees what another one has acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::caller::{self, Caller, Issued, Secret};
use crate::cluster::{Cluster, Plan};
use crate::rounds;
use crate::stopwatch::{now, until};

/// How soon.
pub(crate) const SIGHT: Duration = Duration::from_secs(1);

/// A way to end a token.
type Ending = fn(&Caller<'_>, &Secret, &Issued);

/// All ways, each acknowledged by the first replica.
const ENDINGS: [(&str, Ending); 5] = [
    ("revocation of a token", |caller, secret, token| {
        let done = caller::revoke_token(caller.front, 0, &token.text, &secret.client);
        assert_eq!(done, Ok(true));
    }),
    ("suspension", |caller, _, token| {
        caller.patch(0, &token.agent, &json!({ "status": "suspended" })).unwrap();
    }),
    ("revocation of an agent", |caller, _, token| {
        caller.patch(0, &token.agent, &json!({ "status": "revoked" })).unwrap();
    }),
    ("decommission", |caller, _, token| caller.decommission(0, &token.agent).unwrap()),
    ("revocation of a credential", |caller, _, token| {
        caller.revoke_credential(0, &token.agent, &token.credential).unwrap();
    }),
];

#[test]
fn ir_04_ir_05_what_ends_on_one_replica_ends_on_the_other_within_a_second() {
    measure("with Redis", &Plan::default());
}

#[test]
fn ir_04_ir_05_without_redis_as_well() {
    measure("without Redis", &Plan { redis: false, ..Plan::default() });
}

fn measure(which: &str, plan: &Plan) {
    let cluster = Cluster::start(plan);
    let caller = cluster.admin_at(0);
    let mut longest: BTreeMap<&str, Duration> = BTreeMap::new();
    for round in 0..rounds::of_sight() {
        for (what, end) in ENDINGS {
            let name = format!("{}-{round}@a.example", what.replace(' ', "-"));
            let took = ends(&cluster, &caller, &name, end);
            let longest = longest.entry(what).or_default();
            *longest = took.max(*longest);
        }
    }
    println!("seen by the other replica, {which}, at the latest after: {longest:?}");
}

/// How long the other replica takes to see it. The one that acknowledges sees it at once, and neither
/// ever takes it back.
fn ends(cluster: &Cluster, caller: &Caller<'_>, name: &str, end: Ending) -> Duration {
    let front = &cluster.front;
    let agent = caller.register(0, name, "resume:write").unwrap();
    let secret = caller.give_credential(0, &agent).unwrap();
    let token = caller::issue(front, 0, &secret.client).unwrap().unwrap();
    for at in 0..2 {
        assert_eq!(caller.is_active(at, &token.text), Ok(true), "{name}");
        assert_eq!(caller::is_let_in(front, at, &token), Ok(true), "{name}");
    }
    end(caller, &secret, &token);
    let ended_at = now();
    assert_eq!(caller.is_active(0, &token.text), Ok(false), "{name}");
    assert_eq!(caller::is_let_in(front, 0, &token), Ok(false), "{name}");
    let introspected = until(ended_at, SIGHT, || caller.is_active(1, &token.text) == Ok(false));
    let seen = until(ended_at, SIGHT, || caller::is_let_in(front, 1, &token) == Ok(false));
    // Once inactive, never active again.
    for at in (0..2).cycle().take(10) {
        assert_eq!(caller.is_active(at, &token.text), Ok(false), "{name}");
        assert_eq!(caller::is_let_in(front, at, &token), Ok(false), "{name}");
    }
    introspected.max(seen)
}

#[test]
fn te_05_a_scope_that_was_taken_away_is_granted_on_no_replica_after_a_second() {
    let cluster = Cluster::start(&Plan::default());
    let caller = cluster.admin_at(0);
    let rounds = 0..rounds::of_sight();
    let longest = rounds.map(|round| loses_a_scope(&cluster, &caller, round)).max();
    println!("a scope is granted by the other replica for at most {longest:?}");
}

/// How long until a capability that was taken away is granted nowhere any more.
fn loses_a_scope(cluster: &Cluster, caller: &Caller<'_>, round: u64) -> Duration {
    let (front, scope) = (&cluster.front, ["resume:write"]);
    let agent = caller.register(0, &format!("te-05-{round}@a.example"), scope[0]).unwrap();
    let client = caller.give_credential(0, &agent).unwrap().client;
    let is_granted = |at| caller::issue_with(front, at, &client, &scope).unwrap().is_some();
    assert!(is_granted(0) && is_granted(1));
    // Between two requests of one who names no scope, too: it gets what is left.
    let granted = |at| caller::ask_for_token(front, at, &client).unwrap().expect(200);
    assert_eq!(granted(1)["scope"], "resume:read resume:write");
    caller.patch(0, &agent, &json!({ "capabilities": ["resume:read"] })).unwrap();
    let ended_at = now();
    assert!(!is_granted(0));
    let seen = until(ended_at, SIGHT, || !is_granted(1));
    assert!(!is_granted(1) && !is_granted(0));
    assert!((0..2).all(|at| granted(at)["scope"] == "resume:read"));
    seen
}
