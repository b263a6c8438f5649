//! `idp keys` on the embedded store, and what of the configuration concerns signing keys.

use serde_json::Value;

use crate::process::{Process, Server, admin, data, idp, run};
use crate::support::http::Request;

fn keys(data: &std::path::Path) -> Vec<Value> {
    let listed = run(&mut idp(&["keys", "list", "--json"], data));
    assert_eq!(listed.code, Some(0), "{}", listed.log);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed["damaged"], serde_json::json!([]));
    listed["keys"].as_array().unwrap().clone()
}

fn states(data: &std::path::Path) -> Vec<String> {
    let mut states: Vec<_> =
        keys(data).iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect();
    states.sort();
    states
}

fn algorithm_of(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    let header = data_encoding::BASE64URL_NOPAD.decode(header.as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["alg"].clone()
}

fn shows_itself(server: &Server, token: &str) -> u16 {
    server.send(&Request::new("GET", "/api/v1/organization").bearer(token)).status
}

#[test]
fn keys_are_listed_and_compromised_while_the_server_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    let token = server.token(&admin(&data));
    let said = run(&mut idp(&["keys", "list"], &data)).refused();
    assert!(said.contains("in use by another idp process; stop that one"), "{said}");
    server.stop();

    let said = run(&mut idp(&["keys", "rotate"], &data)).refused();
    assert!(said.contains("it may sign from 20"), "{said}");
    let listed = keys(&data);
    let lost = listed.iter().find(|key| key["state"] == "active").unwrap();
    assert_eq!(lost["algorithm"], "ES256");
    assert!(lost["since"].is_string() && lost["createdAt"].is_string());
    let kid = lost["kid"].as_str().unwrap();
    let table = run(&mut idp(&["keys", "list"], &data));
    assert!(table.out.contains(kid) && table.out.contains("published"), "{}", table.out);
    let ended = run(&mut idp(&["keys", "compromise", kid], &data));
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    assert_eq!(states(&data), ["active", "compromised", "published"]);

    let server = Process::serve(&mut idp(&[], &data));
    assert_eq!(shows_itself(&server, &token), 401);
    assert_eq!(shows_itself(&server, &server.token(&admin(&data))), 200);
}

#[test]
fn before_the_first_start_there_is_nothing_to_rotate() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(&mut idp(&["keys", "rotate"], &data(&folder))).refused();
    assert!(said.contains("there is no organization yet"), "{said}");
}

#[test]
fn the_first_configured_algorithm_signs() {
    for algorithm in ["EdDSA", "RS256", "PS256", "ES256"] {
        let folder = tempfile::tempdir().unwrap();
        let data = data(&folder);
        let mut command = idp(&[], &data);
        let server = Process::serve(command.env("IDP_SIGNING_ALGORITHMS", algorithm));
        let token = server.token(&admin(&data));
        assert_eq!(algorithm_of(&token), algorithm);
        assert_eq!(shows_itself(&server, &token), 200);
    }
}

#[test]
fn another_algorithm_waits_until_verifiers_can_know_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    Process::serve(&mut idp(&[], &data)).stop();
    let mut command = idp(&[], &data);
    let server = Process::serve(command.env("IDP_SIGNING_ALGORITHMS", "EdDSA,ES256"));
    assert_eq!(algorithm_of(&server.token(&admin(&data))), "ES256");
    server.stop();
    assert_eq!(states(&data), ["active", "published", "published"]);
}

#[test]
fn what_nobody_could_mean_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("IDP_SIGNING_ALGORITHMS", ""),
        ("IDP_SIGNING_ALGORITHMS", "none"),
        ("IDP_SIGNING_ALGORITHMS", "ES256,ES256"),
        ("IDP_SIGNING_ALGORITHMS", "ES256,HS256"),
        ("IDP_KEY_ROTATION_DAYS", "0"),
        ("IDP_KEY_ROTATION_DAYS", "3651"),
    ] {
        let said = run(idp(&["config", "check"], &data(&folder)).env(name, value)).refused();
        assert!(said.contains(name), "{value}: {said}");
    }
    let shown =
        run(idp(&["config", "show"], &data(&folder)).env("IDP_SIGNING_ALGORITHMS", "PS256, ES256"));
    assert!(shown.out.contains(r#"signing_algorithms = ["PS256", "ES256"]"#), "{}", shown.out);
}
