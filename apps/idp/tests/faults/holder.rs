//! CS-03: a replica that stands still while it holds its organization's lock.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::check;
use crate::cluster::{Cluster, Plan};
use crate::front::{ANSWER, HEAL};
use crate::stopwatch::{now, until};
use crate::support::http::{self, Request};

/// How soon changes go on: PostgreSQL gives the session of one that stands still twice the patience of
/// a replica, and one that waits for its lock may have asked just before.
const GOES_ON: Duration = Duration::from_secs(8);

/// Whether a session waits for the log, in a transaction that has locked the organization.
const WAITS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idp'
    AND wait_event_type = 'Lock' AND query LIKE '%append_events%'";

/// Whether it holds what it has locked, and nobody goes on with it.
const HOLDS: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idp'
    AND state = 'idle in transaction' AND query LIKE '%append_events%'";

#[test]
fn cs_03_a_replica_that_stands_still_with_a_lock_loses_it_and_commits_nothing() {
    let cluster = Cluster::start(&Plan::default());
    let caller = cluster.admin_at(1);
    let held = caller.register(1, "held@a.example", "resume:write").unwrap();
    let other = caller.register(1, "other@a.example", "resume:write").unwrap();
    let path = format!("/api/v1/agents/{held}");
    let change = Request::new("PATCH", &path).json(&json!({ "version": "9.9.9" }));
    let change = change.bearer(&caller.token);
    cluster.front.database_goes();
    thread::scope(|scope| {
        let locked = Locked::table(&cluster, "audit_event");
        let changing = scope.spawn(|| http::send(cluster.front.address(0), &change));
        until(now(), HEAL, || cluster.sql(WAITS) == "1");
        cluster.signal(0, Signal::STOP);
        drop(locked);
        let stopped_at = now();
        until(stopped_at, HEAL, || cluster.sql(HOLDS) == "1");

        let mut refused = 0_u64;
        let patch = json!({ "version": "2.0.0" });
        let took = until(stopped_at, GOES_ON, || {
            let done = caller.patch(1, &other, &patch).is_ok();
            refused += u64::from(!done);
            done
        });
        assert!(refused > 0, "nobody waited for the lock");
        assert!(cluster.front.longest() <= ANSWER, "{:?}", cluster.front.longest());
        println!("a replica frozen with a lock: {refused} times 503, changes go on after {took:?}");

        cluster.signal(0, Signal::CONT);
        let answer = changing.join().unwrap();
        assert!(answer.as_ref().map_or(true, |it| it.status == 503), "{answer:?}");
    });
    let log = format!("/api/v1/audit?action=agent.updated&resourceId={held}");
    for at in 0..2 {
        assert_ne!(caller.get(at, &path).unwrap()["version"], "9.9.9");
        assert_eq!(caller.get(at, &log).unwrap()["data"], json!([]));
    }
    // Nor has it lost more than the one session.
    let back_at = cluster.front.database_is_back();
    let patch = json!({ "version": "3.0.0" });
    until(back_at, HEAL, || caller.patch(0, &held, &patch).is_ok());
    check::no_session_is_stuck(&cluster);
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
