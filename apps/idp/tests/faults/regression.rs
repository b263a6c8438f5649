//! AU-07: an older state of the whole database put back.

use crate::caller;
use crate::cluster::{Cluster, Plan};
use crate::departed::{Departed, of_file, of_lines};
use crate::front::heals_within;
use crate::log::{self, takes_over};
use crate::process::run;
use crate::stopwatch::{now, until};
use crate::verified::{finds, holds};

const HALTED: &str = "SELECT coalesce(max(halted), '') FROM audit_log";

/// How far the log has come.
const SIZES: &str = "SELECT size, signed_size FROM audit_log WHERE size > 0";

const HALTS: &str = "agentidp_audit_log_halts_total";

const REASON: &str = "yesterday's state was put back by a test";

#[test]
fn au_07_a_database_put_back_while_the_replicas_are_away_halts_the_log_until_acknowledged() {
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("checkpoints.ndjson");
    // One for both, as on a disk that both of them see.
    let setting = ("IDP_AUDIT_CHECKPOINT_FILE", file.to_str().unwrap().to_owned());
    let mut cluster = Cluster::start(&Plan { settings: vec![setting], ..Plan::default() });
    let mut departed = Departed::default();
    grow(&cluster, "early", &mut departed);
    keep_state(&cluster);
    grow(&cluster, "late", &mut departed);
    // It leaves a little after it is served.
    until(now(), takes_over(), || {
        of_file(&file).last().is_some_and(|newest| newest.size >= departed.greatest())
    });
    (0..2).for_each(|replica| cluster.kill(replica));
    put_back(&cluster);
    (0..2).for_each(|replica| cluster.restart(replica));

    until(now(), takes_over(), || !cluster.sql(HALTED).is_empty());
    assert!(cluster.sql(HALTED).contains("older state of the store was put back"));
    // Whoever did it counts it once it is committed.
    let halts = || [0, 1].map(|replica| log::counted(&cluster, replica, HALTS));
    until(now(), takes_over(), || halts() != [0, 0]);
    let halts = halts();
    assert_eq!(halts.iter().sum::<u64>(), 1, "it is halted once, by one of them");
    cluster.process(usize::from(halts[0] == 0)).logs("the audit log is halted");
    requests_go_on_and_nothing_is_signed(&cluster);

    acknowledge(&cluster);
    goes_on(&cluster, &departed);
    let lines = of_lines(&file);
    let said = lines.iter().find(|line| line["type"] == "acknowledgement").unwrap();
    assert_eq!(said["reason"], REASON);
}

#[test]
fn au_07_a_replica_without_a_file_remembers_what_it_signed_when_the_database_is_put_back_under_it()
{
    let mut cluster = Cluster::start(&Plan { replicas: 1, ..Plan::default() });
    let mut departed = Departed::default();
    grow(&cluster, "early", &mut departed);
    keep_state(&cluster);
    grow(&cluster, "late", &mut departed);
    put_back(&cluster);
    let back_at = now();
    until(back_at, takes_over(), || log::counted(&cluster, 0, HALTS) == 1);
    cluster.process(0).logs("the audit log is halted");
    requests_go_on_and_nothing_is_signed(&cluster);

    // What it remembers binds it as long as it runs.
    acknowledge(&cluster);
    until(now(), takes_over(), || log::counted(&cluster, 0, HALTS) == 2);
    cluster.kill(0);
    acknowledge(&cluster);
    cluster.restart(0);
    goes_on(&cluster, &departed);
}

/// Makes events, and keeps a checkpoint that covers them.
fn grow(cluster: &Cluster, name: &str, departed: &mut Departed) {
    let caller = cluster.admin_at(0);
    for number in 0..3 {
        let email = format!("{name}-{number}@a.example");
        let agent = caller.register(0, &email, "resume:write").unwrap();
        let event = caller.event_of(0, "agent.created", &agent).unwrap();
        caller.is_covered(0, &event, (now(), takes_over()));
        departed.take(caller.checkpoint(0).unwrap().unwrap());
    }
}

/// Copies the database.
fn keep_state(cluster: &Cluster) {
    away(cluster, |sql| sql("CREATE DATABASE yesterday TEMPLATE idp"));
}

/// Puts the copy in the place of the database.
fn put_back(cluster: &Cluster) {
    away(cluster, |sql| {
        sql("ALTER DATABASE idp RENAME TO today");
        sql("ALTER DATABASE yesterday RENAME TO idp");
    });
}

/// Does something to the database while nobody is in it, and waits until those replicas that run are
/// in it again.
fn away(cluster: &Cluster, change: impl FnOnce(&dyn Fn(&str))) {
    let sql = |statement: &str| drop(cluster.ground.sql_in("postgres", statement));
    cluster.front.database_goes();
    sql("ALTER DATABASE idp ALLOW_CONNECTIONS false");
    alone(cluster);
    change(&sql);
    sql("ALTER DATABASE idp ALLOW_CONNECTIONS true");
    let back_at = cluster.front.database_is_back();
    for at in (0..cluster.ground.ports.len()).filter(|at| cluster.runs(*at)) {
        until(back_at, heals_within(), || {
            caller::issue(&cluster.front, at, &cluster.admin).is_ok()
        });
    }
}

fn alone(cluster: &Cluster) {
    let others =
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'idp'";
    until(now(), takes_over(), || cluster.ground.sql_in("postgres", others) == "0");
}

fn requests_go_on_and_nothing_is_signed(cluster: &Cluster) {
    let (sizes, begun) = (cluster.sql(SIZES), now());
    // For longer than a checkpoint takes.
    until(begun, 2 * heals_within(), || {
        for at in 0..cluster.ground.ports.len() {
            let token = caller::issue(&cluster.front, at, &cluster.admin).unwrap().unwrap();
            assert_eq!(cluster.admin_at(at).is_active(at, &token.text), Ok(true));
        }
        begun.elapsed() > heals_within()
    });
    assert_eq!(cluster.sql(SIZES), sizes);
}

#[track_caller]
fn acknowledge(cluster: &Cluster) {
    let organization =
        cluster.sql("SELECT organization_id FROM audit_log WHERE halted IS NOT NULL");
    let arguments = ["audit", "acknowledge", "--organization", &organization, "--reason", REASON];
    let ended = run(&mut cluster.ground.command(&arguments, 0));
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    assert!(ended.out.starts_with("acknowledged: "), "{}", ended.out);
}

/// The log goes on and verifies, but not for whoever holds what left before.
fn goes_on(cluster: &Cluster, departed: &Departed) {
    let caller = cluster.admin_at(0);
    let mut after = Departed::default();
    grow(cluster, "after", &mut after);
    let told = caller.get(0, "/api/v1/audit?action=log.acknowledged").unwrap();
    assert_eq!(told["data"][0]["metadata"]["reason"], REASON, "{told}");
    let evidence = caller.evidence(cluster, 0, &after);
    holds(&evidence.by_idp());
    assert_eq!(cluster.sql(HALTED), "");
    let old = caller.evidence(cluster, 0, departed);
    finds(&old.by_idp(), "root-mismatch");
    finds(&old.by_python(), "root-mismatch");
}
