//! Redis killed, emptied and frozen, under load: nobody is refused for that, nothing that was revoked is
//! active again, and no limit is lifted.

use std::time::{Duration, Instant};

use crate::caller::{self, Client};
use crate::check;
use crate::cluster::{Cluster, Plan};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::rounds;
use crate::stopwatch::{now, until};
use crate::support::http::Request;

/// The requests a minute of each client.
const LIMIT: u64 = 100;

/// The limit, and a twentieth on top.
const LIMIT_AND_A_LITTLE: u64 = LIMIT + LIMIT / 20;

/// A minute, less what a request may take on its way.
const WINDOW: Duration = Duration::from_secs(59);

#[test]
fn do_05_redis_may_be_killed_emptied_and_frozen_and_nobody_is_refused_or_let_in_for_that() {
    let mut cluster = Cluster::start(&Plan::default());
    let mut ledger = Ledger::default();
    for round in 0..rounds::of_redis() {
        let load = Load::start(&cluster.front, &cluster.admin, round);
        load.acknowledge(40, &mut ledger);
        redis(&mut cluster).kill().unwrap();
        load.acknowledge(80, &mut ledger);
        redis(&mut cluster).restart().unwrap();
        load.acknowledge(40, &mut ledger);
        redis(&mut cluster).flush().unwrap();
        load.acknowledge(40, &mut ledger);
        redis(&mut cluster).freeze().unwrap();
        load.acknowledge(80, &mut ledger);
        redis(&mut cluster).thaw().unwrap();
        load.acknowledge(40, &mut ledger);
        load.end(&mut ledger);
    }
    check::every(&ledger, &cluster, 1);
    println!(
        "Redis killed, emptied and frozen: {} rounds, {} acknowledged, lost 0, no 5xx",
        rounds::of_redis(),
        ledger.acknowledged
    );
}

fn redis(cluster: &mut Cluster) -> &mut servers::Redis {
    cluster.ground.redis.as_mut().unwrap()
}

/// Replicas with a small limit, and somebody who uses it up.
fn limited(replicas: usize) -> (Cluster, Client) {
    let limit = ("IDP_PLANS_ENTERPRISE_REQUESTS_PER_MINUTE", LIMIT.to_string());
    let cluster = Cluster::start(&Plan { replicas, settings: vec![limit], ..Plan::default() });
    let caller = cluster.admin_at(0);
    let agent = caller.register(0, "many@a.example", "resume:write").unwrap();
    let client = caller.give_credential(0, &agent).unwrap().client;
    if rounds::are_many() {
        // A Redis that is new is believed nothing for a minute. Then it is, and loses it again.
        let ready = Request::new("GET", "/health/ready");
        until(now(), 2 * WINDOW, {
            let since = now();
            let front = &cluster.front;
            move || front.send(0, &ready).is_ok() && since.elapsed() > WINDOW + WINDOW / 10
        });
    }
    (cluster, client)
}

/// Asks so often, in turns at each replica, and remembers when it was admitted.
fn burst(cluster: &Cluster, client: &Client, requests: u64, admitted: &mut Vec<Instant>) {
    let replicas = 0..cluster.ground.ports.len();
    for at in replicas.cycle().take(usize::try_from(requests).unwrap()) {
        let (begun, answer) = (now(), caller::ask_for_token(&cluster.front, at, client).unwrap());
        match answer.status {
            200 => admitted.push(begun),
            429 => assert!(answer.header("retry-after").is_some(), "429 without Retry-After"),
            other => panic!("{other}: {}", answer.body),
        }
    }
}

/// The most that were admitted in any minute.
fn most_in_a_minute(admitted: &[Instant]) -> u64 {
    let window = |(at, first): (usize, &Instant)| {
        admitted[at..].iter().take_while(|it| it.duration_since(*first) < WINDOW).count()
    };
    let most = admitted.iter().enumerate().map(window).max().unwrap_or(0);
    u64::try_from(most).unwrap()
}

/// Uses up the limit, and twice as much again after everything that can be done to Redis.
fn through_all_faults(cluster: &mut Cluster, client: &Client) -> u64 {
    let mut admitted = Vec::new();
    burst(cluster, client, LIMIT / 2, &mut admitted);
    redis(cluster).flush().unwrap();
    burst(cluster, client, LIMIT, &mut admitted);
    redis(cluster).kill().unwrap();
    burst(cluster, client, LIMIT, &mut admitted);
    redis(cluster).restart().unwrap();
    burst(cluster, client, LIMIT, &mut admitted);
    redis(cluster).freeze().unwrap();
    burst(cluster, client, LIMIT, &mut admitted);
    redis(cluster).thaw().unwrap();
    redis(cluster).flush().unwrap();
    burst(cluster, client, LIMIT, &mut admitted);
    most_in_a_minute(&admitted)
}

#[test]
fn rl_07_one_replica_lifts_no_limit_whatever_is_done_to_redis() {
    let (mut cluster, client) = limited(1);
    let most = through_all_faults(&mut cluster, &client);
    assert!((LIMIT / 2..=LIMIT_AND_A_LITTLE).contains(&most), "{most}");
    println!("one replica, Redis emptied, killed and frozen: {most} of {LIMIT} a minute");
}

#[test]
fn rl_07_two_replicas_admit_no_more_than_the_limit_and_their_shares() {
    let (mut cluster, client) = limited(2);
    let most = through_all_faults(&mut cluster, &client);
    assert!((LIMIT / 2..=2 * LIMIT_AND_A_LITTLE).contains(&most), "{most}");
    println!("two replicas, Redis emptied, killed and frozen: {most} of {LIMIT} a minute");
}

#[test]
fn rl_01_a_limit_is_one_for_all_replicas() {
    let (cluster, client) = limited(2);
    let mut admitted = Vec::new();
    burst(&cluster, &client, 2 * LIMIT, &mut admitted);
    let most = most_in_a_minute(&admitted);
    assert!((LIMIT / 2..=LIMIT_AND_A_LITTLE).contains(&most), "{most}");
    println!("two replicas with Redis: {most} of {LIMIT} a minute");
}
