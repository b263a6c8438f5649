//! What the log tells, and what it never does.

use std::fs;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::process::{Process, admin, data, idp, token_request};
use crate::support::http::Request;

/// The lines of a log that is JSON throughout.
fn parsed(log: &str) -> Vec<Value> {
    log.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn requests(log: &str) -> Vec<Value> {
    parsed(log).into_iter().filter(|line| line["message"] == "request").collect()
}

#[test]
fn a_request_leaves_one_line_that_says_who_asked_for_what() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    let admin = admin(&data);
    let token = server.token(&admin);
    let path = format!("/api/v1/agents/{}", admin["agentId"].as_str().unwrap());
    server.send(&Request::new("GET", &path).bearer(&token)).expect(200);
    server.send(&Request::new("GET", "/no/such/route")).expect(404);
    server.send(&Request::new("GET", "/health")).expect(200);

    let mut lines = requests(&server.stop().log);
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        assert!(line["latency_ms"].is_u64() && line["request_id"].is_string(), "{line:?}");
        for varying in ["timestamp", "latency_ms", "request_id", "level", "target", "message"] {
            assert!(line.remove(varying).is_some(), "{varying}");
        }
    }
    let (organization, agent) = (&admin["organizationId"], &admin["agentId"]);
    let known = |method, route, status| {
        json!({
            "method": method, "route": route, "status": status,
            "organization_id": organization, "agent_id": agent,
        })
    };
    let stranger = |route, status| json!({ "method": "GET", "route": route, "status": status });
    let expected = [
        known("POST", "/api/v1/token", 200),
        known("GET", "/api/v1/agents/{agentId}", 200),
        stranger("unmatched", 404),
        stranger("/health", 200),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn sl_01_no_secret_and_no_token_is_logged_even_when_everything_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(idp(&[], &data).env("IDP_LOG", "trace"));
    let admin = admin(&data);
    let (id, secret) = (text(&admin["clientId"]), text(&admin["clientSecret"]));
    let token = server.token(&admin);
    let path = format!("/api/v1/agents/{id}/credentials");
    let made = server.send(&Request::new("POST", &path).bearer(&token).json(&json!({})));
    let made = text(&made.expect(201)["clientSecret"]);
    let form = [("token", token.as_str()), ("client_id", &id), ("client_secret", &made)];
    server.send(&Request::new("POST", "/api/v1/token/introspect").bearer(&token).form(&form[..1]));
    server.send(&Request::new("POST", "/api/v1/token/revoke").form(&form)).expect(200);
    server.send(&Request::new("GET", &format!("/{token}?client_secret={secret}")));
    server.send(&Request::new("GET", "/api/v1/agents").bearer(&format!("{token}x")));
    let wrong = json!({ "clientId": id, "clientSecret": format!("{secret}x") });
    server.send(&token_request(&wrong)).expect(401);
    let ended = server.stop();
    assert_eq!(requests(&ended.log).len(), 7, "{}", ended.log);

    let signature = token.rsplit('.').next().unwrap().to_owned();
    let basic = BASE64.encode(format!("{id}:{secret}").as_bytes());
    let files = ["sealing.key", "pepper.key"].map(|name| read_key(&data.join(name)));
    for canary in [secret, made, token, signature, basic].iter().chain(&files) {
        assert!(canary.len() > 40, "too short to mean anything: {canary}");
        assert!(!ended.log.contains(canary.as_str()), "{}", ended.log);
        assert!(!ended.out.contains(canary.as_str()), "{}", ended.out);
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn read_key(path: &std::path::Path) -> String {
    fs::read_to_string(path).unwrap().trim().to_owned()
}
