//! CK: replicas whose clocks differ, and clocks that are set while servers run.

use serde_json::{Value, json};

use crate::caller::{self, Caller, Issued, Secret};
use crate::clock::MovedClock;
use crate::cluster::{Cluster, Plan};
use crate::front::heals_within;
use crate::process::{Process, Server, admin, data, idp};
use crate::rounds;
use crate::seen::SIGHT;
use crate::stopwatch::{now, until};
use crate::support::http::{self, Request};

const HOUR: i64 = 3_600;

/// The shortest life of a token there is.
const SHORT: (&str, &str) = ("IDP_TOKEN_LIFETIME_SECONDS", "60");

/// The second replica's clock is five seconds behind the first one's.
fn apart() -> Plan {
    Plan { clocks: vec![5, 0], ..Plan::default() }
}

/// An agent with a credential, and a token of this replica.
fn guest(cluster: &Cluster, caller: &Caller<'_>, name: &str, at: usize) -> (Secret, Issued) {
    let agent = caller.register(at, &format!("{name}@a.example"), "resume:write").unwrap();
    let secret = caller.give_credential(at, &agent).unwrap();
    let token = caller::issue(&cluster.front, at, &secret.client).unwrap().unwrap();
    (secret, token)
}

/// Whether the token is good, by introspection and as bearer, which say the same.
#[track_caller]
fn is_good(caller: &Caller<'_>, at: usize, token: &Issued) -> bool {
    let active = caller.is_active(at, &token.text).unwrap();
    assert_eq!(caller::is_let_in(caller.front, at, token).unwrap(), active, "at {at}");
    active
}

#[test]
fn ck_01_a_fresh_token_of_either_replica_is_good_on_both_five_seconds_apart() {
    let cluster = Cluster::start(&apart());
    for at in 0..2 {
        let caller = cluster.admin_at(at);
        for round in 0..10 {
            let (_, token) = guest(&cluster, &caller, &format!("guest-{at}-{round}"), at);
            assert!(is_good(&caller, 1 - at, &token) && is_good(&caller, at, &token));
        }
        // As who asks about another one, too.
        assert!(caller.is_active(1 - at, &caller.token).unwrap());
    }
}

/// Ways to end a token at this replica.
type Ending = fn(&Caller<'_>, usize, &Secret, &Issued);

const ENDINGS: [(&str, Ending); 4] = [
    ("revoked", |caller, at, _, token| caller.revoke(at, &token.text).unwrap()),
    ("suspended", |caller, at, _, token| status(caller, at, token, "suspended")),
    ("suspended-and-back", |caller, at, _, token| {
        status(caller, at, token, "suspended");
        status(caller, at, token, "active");
    }),
    ("credential-revoked", |caller, at, secret, token| {
        caller.revoke_credential(at, &token.agent, &secret.id).unwrap();
    }),
];

#[track_caller]
fn status(caller: &Caller<'_>, at: usize, token: &Issued, status: &str) {
    caller.patch(at, &token.agent, &json!({ "status": status })).unwrap();
}

#[test]
fn ck_01_what_one_replica_ends_is_ended_on_the_other_whichever_clock_is_behind() {
    let cluster = Cluster::start(&apart());
    let caller = cluster.admin_at(0);
    for (name, end) in ENDINGS {
        for (issued_at, ended_at) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
            let name = format!("{name}-{issued_at}-{ended_at}");
            let (secret, token) = guest(&cluster, &caller, &name, issued_at);
            end(&caller, ended_at, &secret, &token);
            let since = now();
            assert!(!is_good(&caller, ended_at, &token), "{name}");
            let other = 1 - ended_at;
            until(since, SIGHT, || caller.is_active(other, &token.text) == Ok(false));
            for at in (0..2).cycle().take(6) {
                assert!(!is_good(&caller, at, &token), "{name}");
            }
        }
    }
}

#[test]
fn ck_01_who_comes_back_gets_good_tokens_at_once_whichever_clock_is_behind() {
    let cluster = Cluster::start(&apart());
    let caller = cluster.admin_at(0);
    for (ended_at, issued_at) in [(0, 1), (1, 0), (0, 0), (1, 1)] {
        let name = format!("returns-{ended_at}-{issued_at}");
        let (secret, mut token) = guest(&cluster, &caller, &name, issued_at);
        for _ in 0..3 {
            status(&caller, ended_at, &token, "suspended");
            status(&caller, ended_at, &token, "active");
            let mut fresh = None;
            // A replica that has not heard yet gives what is dead for those that have: it asks again.
            until(now(), rounds::allowed(SIGHT), || {
                fresh = caller::issue(&cluster.front, issued_at, &secret.client).unwrap();
                let is_active =
                    |at| caller.is_active(at, &fresh.as_ref().unwrap().text) == Ok(true);
                fresh.is_some() && (0..2).all(is_active)
            });
            let old = std::mem::replace(&mut token, fresh.unwrap());
            for at in 0..2 {
                assert!(is_good(&caller, at, &token), "{name}");
                assert!(!is_good(&caller, at, &old), "{name}");
            }
        }
    }
}

#[test]
fn ck_01_a_rotated_secret_stops_at_once_on_the_replica_whose_clock_is_behind() {
    let cluster = Cluster::start(&apart());
    let caller = cluster.admin_at(0);
    for rotated_at in 0..2 {
        let name = format!("rotated-{rotated_at}");
        let (old, _) = guest(&cluster, &caller, &name, rotated_at);
        caller.rotate(rotated_at, &old.client.id, &old.id).unwrap();
        let since = now();
        let is_refused = |at| caller::issue(&cluster.front, at, &old.client).unwrap().is_none();
        assert!(is_refused(rotated_at));
        until(since, SIGHT, || is_refused(1 - rotated_at));
    }
}

#[test]
fn ck_02_a_clock_that_is_set_forward_and_back_brings_nothing_back_on_replicas() {
    let (name, short) = SHORT;
    let settings = vec![(name, short.to_owned())];
    let mut cluster = Cluster::start(&Plan { clocks: vec![0, 0], settings, ..Plan::default() });
    let caller = cluster.admin_at(1);
    let (_, expired) = guest(&cluster, &caller, "expired", 0);
    let (_, revoked) = guest(&cluster, &caller, "revoked", 0);
    caller.revoke(0, &revoked.text).unwrap();

    cluster.ground.set_clock(0, HOUR);
    let later = cluster.admin_at(0);
    assert!(!is_good(&later, 0, &expired), "an hour is longer than its life");
    // Each revocation clears up after some that are over by the clock of the replica.
    let again = caller::issue(&cluster.front, 0, &cluster.admin).unwrap().unwrap();
    later.revoke(0, &again.text).unwrap();
    assert_eq!(remembered(&cluster, &revoked), "1", "by the clock of PostgreSQL it is not over");

    cluster.ground.set_clock(0, 0);
    assert!(!is_good(&later, 0, &expired), "the clock of a process does not go back");
    assert!(!is_good(&later, 0, &revoked));
    // One that is started now follows the machine.
    cluster.kill(0);
    cluster.restart(0);
    let caller = cluster.admin_at(0);
    for at in 0..2 {
        assert!(!is_good(&caller, at, &revoked));
    }
}

fn remembered(cluster: &Cluster, token: &Issued) -> String {
    cluster.sql(&format!("SELECT count(*) FROM revoked_token WHERE token_id = '{}'", token.id))
}

#[test]
fn ck_02_while_a_clock_is_an_hour_behind_time_goes_on_and_tokens_are_good_on_both_replicas() {
    let cluster = Cluster::start(&Plan { clocks: vec![0, 0], ..Plan::default() });
    let caller = cluster.admin_at(1);
    let agent = caller.register(1, "limited@a.example", "resume:write").unwrap();
    let soon =
        kernel::Clock::now(&local::SystemClock::new()).plus(std::time::Duration::from_secs(2));
    let path = format!("/api/v1/agents/{agent}/credentials");
    let body = json!({ "expiresAt": soon.to_string() });
    let made = Request::new("POST", &path).bearer(&caller.token).json(&body);
    let made = http::send(cluster.front.address(0), &made).unwrap().expect(201);
    let secret = caller::text(&made["clientSecret"]);
    let client = caller::Client { id: agent, secret };

    cluster.ground.set_clock(0, -HOUR);
    for at in 0..2 {
        let (_, token) = guest(&cluster, &caller, &format!("late-{at}"), at);
        assert!(is_good(&caller, 0, &token) && is_good(&caller, 1, &token));
    }
    // At half its pace.
    let over = 2 * heals_within() + heals_within();
    until(now(), over, || caller::issue(&cluster.front, 0, &client).unwrap().is_none());
}

#[test]
fn ck_04_a_replica_whose_clock_is_not_the_databases_says_so_and_serves() {
    let warn = ("IDP_LOG", "warn".to_owned());
    let plan = Plan { clocks: vec![0, 30], settings: vec![warn], ..Plan::default() };
    let cluster = Cluster::start(&plan);
    let ask = |at: usize, path: &str| {
        http::send(cluster.front.address(at), &Request::new("GET", path)).unwrap().expect(200)
    };
    let told = |at| -> (Value, Value) {
        let detailed = ask(at, "/health/detailed");
        (detailed["status"].clone(), detailed["services"]["database"]["reason"].clone())
    };
    assert_eq!(told(0), (json!("healthy"), Value::Null));
    assert_eq!(told(1), (json!("degraded"), json!("clockSkew")));
    assert_eq!(ask(1, "/health/ready")["status"], "ready");
    cluster
        .process(1)
        .logs("the clocks of this server and of the database are more than 10 s apart");
    let caller = cluster.admin_at(1);
    assert!(caller.is_active(1, &caller.token).unwrap());
}

/// On one machine the database has the server's clock, and nobody else knows better.
#[test]
fn ck_02_a_clock_that_is_set_forward_and_back_brings_no_revoked_token_back_on_one_machine() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let clock = MovedClock::new(folder.path().join("clock"), 0);
    // The same for both servers: their issuer has it.
    let port = servers::free_port().to_string();
    let start = || {
        let mut command = idp(&["serve"], &data);
        command.envs([("IDP_LOG", "error"), ("PORT", &port), SHORT]);
        clock.give_to(&mut command);
        Process::serve(&mut command)
    };
    let server = start();
    let token = |server: &Server| server.token(&admin(&data));
    let revoke = |server: &Server, token: &str, bearer: &str| {
        let revocation = Request::new("POST", "/api/v1/token/revoke").form(&[("token", token)]);
        server.send(&revocation.bearer(bearer)).expect(200);
    };
    let (revoked, other) = (token(&server), token(&server));
    revoke(&server, &revoked, &token(&server));
    clock.set(HOUR);
    let later = token(&server);
    revoke(&server, &later, &token(&server));
    clock.set(0);
    let id = server.process.id();
    server.stop();
    MovedClock::clear_up_after(id);

    let server = start();
    let is_active = |judged: &str| {
        let asked = Request::new("POST", "/api/v1/token/introspect").form(&[("token", judged)]);
        server.send(&asked.bearer(&token(&server))).expect(200)["active"] == true
    };
    // The one is still within its life, and so would the other be.
    assert!(is_active(&other));
    assert!(!is_active(&revoked));
    let id = server.process.id();
    server.stop();
    MovedClock::clear_up_after(id);
}

/// By which of two clocks that are far apart keys should be rotated nobody can tell.
#[test]
fn ck_04_a_replica_whose_clock_is_far_ahead_rotates_no_signing_key() {
    let mut cluster = Cluster::start(&Plan { clocks: vec![0, 0], ..Plan::default() });
    let states = "SELECT string_agg(state, ' ' ORDER BY state) FROM signing_key";
    assert_eq!(cluster.sql(states), "active published");
    cluster.ground.set_clock(1, 200 * 24 * HOUR);
    cluster.kill(1);
    cluster.restart(1);
    assert_eq!(cluster.sql(states), "active published");
}
