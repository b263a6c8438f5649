//! CS-03: a replica that stands still while it holds its organization's lock.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::caller::Caller;
use crate::check;
use crate::cluster::{Cluster, Plan};
use crate::front::{answers_within, heals_within};
use crate::rounds;
use crate::stopwatch::{now, until};
use crate::support::http::{self, Request};

/// How soon changes go on: PostgreSQL gives the session of one that stands still twice the patience of
/// a replica, and one that waits for its lock may have asked just before.
fn goes_on() -> Duration {
    rounds::allowed(Duration::from_secs(8))
}

/// Whether a session waits for the log, in a transaction that has locked the organization. What only
/// takes notes of what was done waits too, and locks none.
const WAITS: &str = "SELECT count(*) > 0 FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE application_name = 'idp' AND wait_event_type = 'Lock' AND query LIKE '%append_events%'
    AND locktype = 'advisory' AND granted";

/// Whether it holds what it has locked, and nobody goes on with it.
const HOLDS: &str = "SELECT count(*) > 0 FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE application_name = 'idp' AND state = 'idle in transaction'
    AND query LIKE '%append_events%' AND locktype = 'advisory' AND granted";

/// How often it is tried to stop the replica while it holds the lock: on a busy machine it may have
/// given up by then.
const TRIES: u32 = 5;

#[test]
fn cs_03_a_replica_that_stands_still_with_a_lock_loses_it_and_commits_nothing() {
    let cluster = Cluster::start(&Plan::default());
    let caller = cluster.admin_at(1);
    let other = caller.register(1, "other@a.example", "resume:write").unwrap();
    let held = (0..TRIES).find_map(|number| frozen_with_lock(&cluster, &caller, &other, number));
    let held = held.expect("it never stood still with the lock");
    let path = format!("/api/v1/agents/{held}");
    let log = format!("/api/v1/audit?action=agent.updated&resourceId={held}");
    for at in 0..2 {
        assert_ne!(caller.get(at, &path).unwrap()["version"], "9.9.9");
        assert_eq!(caller.get(at, &log).unwrap()["data"], json!([]));
    }
    // Nor has it lost more than the one session.
    let back_at = cluster.front.database_is_back();
    let patch = json!({ "version": "3.0.0" });
    until(back_at, heals_within(), || caller.patch(0, &held, &patch).is_ok());
    check::no_session_is_stuck(&cluster);
}

/// Stops the first replica while it holds the lock, until the other one changes something, and returns
/// the agent that it was about to change. None where it had given up before it was stopped.
fn frozen_with_lock(
    cluster: &Cluster,
    caller: &Caller<'_>,
    other: &str,
    number: u32,
) -> Option<String> {
    let held = caller.register(1, &format!("held-{number}@a.example"), "resume:write").unwrap();
    let path = format!("/api/v1/agents/{held}");
    let change = Request::new("PATCH", &path).json(&json!({ "version": "9.9.9" }));
    let change = change.bearer(&caller.token);
    cluster.front.database_goes();
    let stood_still = thread::scope(|scope| {
        let locked = Locked::table(cluster, "audit_event");
        let front = &*cluster.front;
        let changing = scope.spawn(|| http::send(front.address(0), &change));
        while cluster.sql(WAITS) != "t" && !changing.is_finished() {}
        cluster.signal(0, Signal::STOP);
        drop(locked);
        let stopped_at = now();
        // Nobody else goes on with a session of it, so that what is not so by then never will be.
        let mut holds = false;
        until(stopped_at, heals_within(), || {
            holds = cluster.sql(HOLDS) == "t";
            holds || stopped_at.elapsed() > heals_within() / 2
        });
        if holds {
            others_go_on(cluster, caller, other, stopped_at);
        }
        cluster.signal(0, Signal::CONT);
        let answer = changing.join().unwrap();
        let is_refused = answer.as_ref().map_or(true, |it| it.status == 503);
        assert!(is_refused || !holds, "{answer:?}");
        holds
    });
    if !stood_still {
        cluster.front.database_is_back();
    }
    stood_still.then_some(held)
}

/// The other replica changes something as soon as the session of the first one is ended.
fn others_go_on(cluster: &Cluster, caller: &Caller<'_>, other: &str, stopped_at: Instant) {
    let mut refused = 0_u64;
    let patch = json!({ "version": "2.0.0" });
    let took = until(stopped_at, goes_on(), || {
        let done = caller.patch(1, other, &patch).is_ok();
        refused += u64::from(!done);
        done
    });
    assert!(refused > 0, "nobody waited for the lock");
    assert!(cluster.front.longest() <= answers_within(), "{:?}", cluster.front.longest());
    println!("a replica frozen with a lock: {refused} times 503, changes go on after {took:?}");
}

/// Keeps everybody from writing to a table, until it is dropped.
pub(crate) struct Locked(Child);

impl Locked {
    pub(crate) fn table(cluster: &Cluster, table: &str) -> Self {
        let mut child = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
            .args(["--dbname", &cluster.ground.postgres.url_for("idp")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("psql comes with PostgreSQL");
        let mut line = String::new();
        let input = child.stdin.as_mut().unwrap();
        writeln!(input, "BEGIN; LOCK TABLE {table} IN SHARE MODE; SELECT 'locked';").unwrap();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "locked");
        Self(child)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        // Without more to read, psql ends, and its transaction with it.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
