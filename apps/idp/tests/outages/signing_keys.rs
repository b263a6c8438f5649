//! JR-04, JR-06, JR-07: signing keys on a store that replicas share, by the command line beside them.

use std::{collections::BTreeSet, process::Child, time::Duration};

use kernel::Clock;
use local::SystemClock;
use serde_json::Value;

use crate::{
    client::introspects,
    installation::{Installation, Server},
    wire::{Request, send},
};

/// As if every key had been made, and become what it is, ten minutes before.
const AGED: &str = "SET session_replication_role = replica;
    UPDATE signing_key SET created_at = created_at - 600000000, state_at = state_at - 600000000";

const STATES: &str = "SELECT string_agg(state, ' ' ORDER BY state) FROM signing_key";

fn kids(server: &Server) -> BTreeSet<String> {
    let keys = send(&server.address, &Request::new("GET", "/.well-known/jwks.json")).expect(200);
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    keys["keys"].as_array().unwrap().iter().map(kid).collect()
}

fn is_active(server: &Server, token: &str, bearer: &str) -> bool {
    send(&server.address, &introspects(token, bearer)).expect(200)["active"] == true
}

/// The key that signs, as the command line has it.
fn active(installation: &Installation) -> String {
    let keys: Value = serde_json::from_str(&installation.idp(&["keys", "list", "--json"])).unwrap();
    let keys = keys["keys"].as_array().unwrap();
    keys.iter().find(|key| key["state"] == "active").unwrap()["kid"].as_str().unwrap().to_owned()
}

#[test]
fn jr_04_a_compromised_key_is_believed_by_no_replica_a_second_later() {
    let installation = Installation::start();
    let (one, other) = (installation.server(), installation.server());
    let admin = installation.admin();
    let lost = admin.token(&one.address);
    assert!(is_active(&one, &lost, &lost) && is_active(&other, &lost, &lost));
    let kid = active(&installation);
    let said = installation.idp(&["keys", "compromise", &kid]);
    let clock = SystemClock::new();
    let committed = clock.now();
    assert!(said.contains(&kid) && said.contains("signs by ES256 from now on"), "{said}");

    let mut dead = BTreeSet::new();
    while dead.len() < 2 {
        for server in [&one, &other] {
            let request = introspects(&lost, &lost);
            // Whoever asks with such a token is refused as well.
            if send(&server.address, &request).status == 401 {
                dead.insert(&server.address);
            }
        }
        let waited = clock.now().since(committed);
        assert!(waited < Duration::from_secs(1), "a replica believes it after {waited:?}");
    }
    for server in [&one, &other] {
        assert!(!kids(server).contains(&kid));
        let fresh = admin.token(&server.address);
        assert!(!is_active(server, &lost, &fresh) && is_active(server, &fresh, &fresh));
        let path = "/api/v1/audit?action=signing_key.compromised";
        let told = send(&server.address, &Request::new("GET", path).bearer(&fresh)).expect(200);
        assert_eq!(told["total"], 1);
        assert_eq!(told["data"][0]["resourceId"], kid.as_str());
    }
    assert_eq!(kids(&one), kids(&other));
}

#[test]
fn jr_06_of_several_that_rotate_at_once_one_does_and_replicas_follow() {
    let installation = Installation::start();
    let (one, other) = (installation.server(), installation.server());
    installation.sql(AGED);
    let before = active(&installation);
    let rotating: Vec<Child> =
        (0..4).map(|_| installation.command(&["keys", "rotate"]).spawn().unwrap()).collect();
    let ended: Vec<_> = rotating.into_iter().map(|one| one.wait_with_output().unwrap()).collect();
    let done = ended.iter().filter(|one| one.status.success()).count();
    for refused in ended.iter().filter(|one| !one.status.success()) {
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(said.contains("it may sign from 20") && said.contains("ES256"), "{said}");
    }
    assert_eq!(done, 1);
    assert_eq!(installation.sql(STATES), "active published retiring");
    let after = active(&installation);
    assert_ne!(after, before);
    for server in [&one, &other] {
        let signed_by_the_new = || {
            let token = installation.admin().token(&server.address);
            let header = token.split('.').next().unwrap();
            let header = data_encoding::BASE64URL_NOPAD.decode(header.as_bytes()).unwrap();
            serde_json::from_slice::<Value>(&header).unwrap()["kid"] == after.as_str()
        };
        assert!(std::iter::repeat_with(signed_by_the_new).take(20_000).any(|signed| signed));
        assert_eq!(kids(server).len(), 3);
    }
}

#[test]
fn jr_07_whoever_is_killed_while_it_rotates_leaves_one_key_that_signs() {
    let installation = Installation::start();
    installation.server().end();
    installation.sql(AGED);
    // Whoever rotates has read the keys by then, and waits to write the first of them.
    let held = installation.hold("LOCK TABLE signing_key IN SHARE MODE");
    let mut rotating = installation.command(&["keys", "rotate"]).spawn().unwrap();
    let waiting =
        "SELECT count(*) FROM pg_locks WHERE relation = 'signing_key'::regclass AND NOT granted";
    installation.wait_until(waiting, "1");
    rotating.kill().unwrap();
    rotating.wait().unwrap();
    drop(held);
    let server = installation.server();
    assert_eq!(installation.sql(STATES), "active published");
    installation.idp(&["keys", "rotate"]);
    assert_eq!(installation.sql(STATES), "active published retiring");
    let token = installation.admin().token(&server.address);
    assert!(is_active(&server, &token, &token));
}

const DAMAGED: &str = "SET session_replication_role = replica;
    UPDATE signing_key SET private_key = '', revision = 9 WHERE state = 'active'";

#[test]
fn sm_01_a_damaged_key_is_left_out_and_the_next_one_signs() {
    let installation = Installation::start();
    installation.server().end();
    let damaged = active(&installation);
    installation.sql(DAMAGED);
    let server = installation.server();
    let token = installation.admin().token(&server.address);
    assert!(is_active(&server, &token, &token));
    assert!(!kids(&server).contains(&damaged));
    assert_ne!(active(&installation), damaged);
    assert_eq!(installation.sql(STATES), "active published retiring");
    let log = server.end();
    assert!(log.contains("cannot be opened and is left out") && log.contains(&damaged), "{log}");
}

#[test]
fn a_key_that_does_not_exist_is_told_apart_from_one_that_is_over() {
    let installation = Installation::start();
    installation.server().end();
    let refused = |arguments: &[&str]| {
        let output = installation.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let said = refused(&["keys", "compromise", "no-key"]);
    assert!(said.contains("`no-key` is no id of a signing key"), "{said}");
    let unknown = "-".repeat(42) + "A";
    let said = refused(&["keys", "compromise", &unknown]);
    assert!(said.contains("there is no such signing key"), "{said}");
    let kid = active(&installation);
    installation.idp(&["keys", "compromise", &kid]);
    let said = refused(&["keys", "compromise", &kid]);
    assert!(said.contains("cannot become `compromised`"), "{said}");
    let said = refused(&["keys", "rotate"]);
    assert!(said.contains("it may sign from 20"), "{said}");
}
