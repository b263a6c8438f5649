//! Introspection: who may ask, what is told, and what ends a token.

use std::time::Duration;

use audit::{Action, Outcome};
use serde_json::{Value, json};

use crate::kit::{Answer, Client, Server, server::ISSUER};

const PATH: &str = "/api/v1/token/introspect";

async fn ask(server: &Server, client: &Client, token: &str) -> Answer {
    let call = server.post(PATH).basic(&client.id, &client.secret);
    call.form(&[("token", token)]).send().await
}

async fn is_active(server: &Server, token: &str) -> bool {
    let caller = server.admin.clone();
    ask(server, &caller, token).await.expect(200).json["active"].as_bool().unwrap()
}

#[tokio::test]
async fn a_good_token_is_told_with_everything_that_it_says() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let resource = "https://api.example.com";
    server.resource_server(&[resource]).await;
    let more = [("scope", "resume:read agents:read"), ("resource", resource)];
    let token = server.ask(&client, &more).await.expect(200).text("access_token");
    let told = ask(&server, &server.admin, &token).await.expect(200);
    for (name, value) in [
        ("active", json!(true)),
        ("scope", json!("agents:read resume:read")),
        ("client_id", json!(client.id)),
        ("sub", json!(client.id)),
        ("aud", json!([resource])),
        ("iss", json!(ISSUER)),
        ("token_type", json!("Bearer")),
        ("organization_id", json!(server.organization.to_string())),
        ("agent_type", json!("screener")),
    ] {
        assert_eq!(told.json[name], value, "{name}");
    }
    let life = told.json["exp"].as_i64().unwrap() - told.json["iat"].as_i64().unwrap();
    assert_eq!(life, 900);
    assert_eq!(told.header("pragma"), Some("no-cache"));
}

/// It would wait for a view, until the test is over.
#[tokio::test]
async fn a_second_token_and_a_second_introspection_are_answered_without_the_store() {
    let server = Server::start().await;
    let client = server.resource_server(&["urn:a"]).await;
    let token = server.ask(&server.admin, &[("resource", "urn:a")]).await.text("access_token");
    assert_eq!(ask(&server, &client, &token).await.expect(200).json["active"], true);
    let bearer = server.token_of(&client, "tokens:introspect").await;
    let by_bearer = || server.post(PATH).token(&bearer).form(&[("token", token.as_str())]).send();
    assert_eq!(by_bearer().await.expect(200).json["active"], true);

    let views = server.every_view().await;
    let again = server.token_of(&client, "").await;
    assert_eq!(ask(&server, &client, &token).await.expect(200).json["active"], true);
    assert_eq!(by_bearer().await.expect(200).json["active"], true);
    drop(views);
    assert_eq!(ask(&server, &client, &again).await.expect(200).json["active"], true);
}

#[tokio::test]
async fn ir_01_only_who_may_know_is_told_and_nobody_is_told_why_not() {
    let server = Server::start().await;
    let subject = server.client(&[]).await;
    let resources = ["https://api.example.com", "urn:b"];
    let resource_server = server.resource_server(&resources).await;
    let more = [("scope", "resume:read"), ("resource", resources[0])];
    let token = server.ask(&subject, &more).await.expect(200).text("access_token");
    let stranger = server.client(&[]).await;
    let auditor = server.client(&["auditor"]).await;
    let operator = server.client(&["operator"]).await;
    let another_server = server.resource_server(&["https://api.example.com/", "urn:c"]).await;
    let no_server = server.resource_server(&[]).await;
    let other = server.other_admin.clone();
    for (who, client, active) in [
        ("the resource server", &resource_server, true),
        ("an admin", &server.admin, true),
        ("an operator", &operator, true),
        ("another resource server", &another_server, false),
        ("a resource server of nothing", &no_server, false),
        ("the subject itself", &subject, true),
        ("a client without the role", &stranger, false),
        ("an auditor", &auditor, false),
        ("another organization's admin", &other, false),
    ] {
        let (answer, events) = server.events_of_doing(ask(&server, client, &token)).await;
        assert_eq!(answer.status, 200, "{who}");
        assert_eq!(answer.json["active"], active, "{who}");
        if !active {
            assert_eq!(answer.body, br#"{"active":false}"#, "{who}");
        }
        let [event] = events.as_slice() else { panic!("{who} left {events:?}") };
        assert_eq!((event.action, event.outcome), (Action::TokenIntrospected, Outcome::Success));
        assert_eq!(event.metadata["active"], active);
        assert_eq!(event.agent.unwrap().to_string(), client.id);
    }
    let nobody = server.post(PATH).form(&[("token", token.as_str())]).send().await;
    assert_eq!(nobody.refusal(), (401, "invalid_client"));
}

#[tokio::test]
async fn ir_01_what_a_resource_server_learns_of_follows_its_roles_and_resources_at_once() {
    let server = Server::start().await;
    let caller = server.resource_server(&["urn:a"]).await;
    let bearer = server.token_of(&caller, "tokens:introspect").await;
    let token_for = async |resources: &[&str]| {
        let more: Vec<_> = resources.iter().map(|one| ("resource", *one)).collect();
        server.ask(&server.admin, &more).await.expect(200).text("access_token")
    };
    server.resource_server(&["urn:b"]).await;
    let both = token_for(&["urn:b", "urn:a"]).await;
    let other = token_for(&["urn:b"]).await;
    let plain = token_for(&[]).await;
    let learns = async || {
        let mut all = Vec::new();
        for token in [&both, &other, &plain, &bearer] {
            let by_client = ask(&server, &caller, token).await.expect(200).json;
            let call = server.post(PATH).token(&bearer).form(&[("token", token.as_str())]);
            let by_bearer = call.send().await.expect(200).json;
            assert_eq!(by_client["active"], by_bearer["active"]);
            all.push(by_client["active"].as_bool().unwrap());
        }
        all
    };
    let writer = server.token("agents:write").await;
    let change = async |body: Value| {
        let call = server.patch(format!("/api/v1/agents/{}", caller.id)).token(&writer);
        call.json(&body).send().await.expect(200);
    };
    assert_eq!(learns().await, [true, false, false, true]);
    change(json!({ "resources": [ISSUER] })).await;
    assert_eq!(learns().await, [false, false, true, true]);
    change(json!({ "resources": [] })).await;
    assert_eq!(learns().await, [false, false, false, true]);
    change(json!({ "roles": ["resource_server", "auditor"] })).await;
    assert_eq!(learns().await, [false, false, false, true]);
    change(json!({ "roles": ["resource_server", "operator"] })).await;
    assert_eq!(learns().await, [true; 4]);
}

#[tokio::test]
async fn a_bearer_needs_the_scope_and_a_token_needs_to_be_there() {
    let server = Server::start().await;
    let client = server.client(&["resource_server"]).await;
    let token = server.token_of(&client, "tokens:introspect").await;
    let plain = server.token_of(&client, "resume:read").await;
    let call = server.post(PATH).token(&token).form(&[("token", token.as_str())]);
    assert_eq!(call.send().await.expect(200).json["active"], true);
    // Not even its own: a bearer's token says what it may do.
    let call = server.post(PATH).token(&plain).form(&[("token", plain.as_str())]).send();
    let (answer, events) = server.events_of_doing(call).await;
    assert_eq!(answer.refusal(), (403, "insufficient_scope"));
    assert_eq!(events.iter().map(|event| event.action).collect::<Vec<_>>(), [Action::AccessDenied]);

    for form in [vec![], vec![("token", "")], vec![("token_type_hint", "access_token")]] {
        let answer = server.post(PATH).token(&token).form(&form).send().await;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{form:?}");
    }
    let twice = [("token", token.as_str()), ("token", plain.as_str())];
    let answer = server.post(PATH).token(&token).form(&twice).send().await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
    for hint in ["access_token", "refresh_token", "urn:unknown", ""] {
        let form = [("token", token.as_str()), ("token_type_hint", hint)];
        let answer = server.post(PATH).token(&token).form(&form).send().await.expect(200);
        assert_eq!(answer.json["active"], true, "{hint}");
    }
}

#[tokio::test]
async fn a_token_lives_until_its_end_and_no_longer() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let token = server.token_of(&client, "resume:read").await;
    server.clock.advance(Duration::from_secs(898));
    assert!(is_active(&server, &token).await);
    server.clock.advance(Duration::from_secs(2));
    assert!(!is_active(&server, &token).await);
}

async fn set_status(server: &Server, agent: &str, status: &str) {
    let token = server.token("agents:write").await;
    let call = server.patch(format!("/api/v1/agents/{agent}")).token(&token);
    call.json(&json!({ "status": status })).send().await.expect(200);
}

#[tokio::test]
async fn ir_05_a_suspension_ends_every_token_for_good_and_new_ones_live_after_it() {
    let server = Server::start().await;
    for _ in 0..10 {
        let client = server.client(&[]).await;
        let before = server.token_of(&client, "resume:read").await;
        set_status(&server, &client.id, "suspended").await;
        assert!(!is_active(&server, &before).await);
        assert_eq!(server.ask(&client, &[]).await.refusal(), (401, "invalid_client"));
        set_status(&server, &client.id, "active").await;
        let after = server.token_of(&client, "resume:read").await;
        assert!(!is_active(&server, &before).await, "a token came back from the dead");
        assert!(is_active(&server, &after).await, "a token was born dead");
    }
}

#[tokio::test]
async fn ir_05_the_end_of_whatever_a_token_hangs_on_is_its_end() {
    let server = Server::start().await;
    let bystander = server.client(&[]).await;
    let unharmed = server.token_of(&bystander, "resume:read").await;
    for what in ["token", "credential", "revoked", "decommissioned"] {
        let writer = server.token("agents:write credentials:write").await;
        let client = server.client(&[]).await;
        let token = server.token_of(&client, "resume:read").await;
        assert!(is_active(&server, &token).await);
        let agent = format!("/api/v1/agents/{}", client.id);
        let call = match what {
            "token" => server.post("/api/v1/token/revoke").form(&[("token", token.as_str())]),
            "credential" => server.delete(format!("{agent}/credentials/{}", client.credential)),
            "revoked" => server.patch(agent).json(&json!({ "status": "revoked" })),
            _ => server.delete(agent),
        };
        let caller = if what == "token" { &token } else { &writer };
        let done = call.token(caller).send().await;
        assert!(done.status < 300, "{what}: {}", done.json);
        // IR-04: once inactive, never active again.
        for _ in 0..5 {
            assert!(!is_active(&server, &token).await, "{what}");
            server.clock.advance(Duration::from_secs(30));
        }
    }
    assert!(is_active(&server, &unharmed).await);
}

#[tokio::test]
async fn ir_05_the_tokens_of_an_organization_end_with_it() {
    let server = Server::start().await;
    let admin = server.other_admin.clone();
    let token = server.token_of(&admin, "agents:read").await;
    assert_eq!(ask(&server, &admin, &token).await.json["active"], true);
    server.suspend_other(true).await;
    assert_eq!(ask(&server, &admin, &token).await.refusal(), (401, "invalid_client"));
    let refused = server.get("/api/v1/agents").token(&token).send().await;
    assert_eq!(refused.refusal(), (401, "UNAUTHORIZED"));
    server.suspend_other(false).await;
    let fresh = server.token_of(&admin, "agents:read").await;
    assert_eq!(ask(&server, &admin, &token).await.json["active"], false);
    assert_eq!(ask(&server, &admin, &fresh).await.json["active"], true);
}

#[tokio::test]
async fn te_05_a_token_permits_no_more_than_its_agent_may_ask_for_now() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let token = server.token_of(&client, "resume:read agents:read agents:write").await;
    let writer = server.token("agents:write").await;
    let change = async |body: Value| {
        let call = server.patch(format!("/api/v1/agents/{}", client.id)).token(&writer);
        call.json(&body).send().await.expect(200);
    };
    let scope = async || ask(&server, &server.admin, &token).await.json["scope"].clone();
    assert_eq!(scope().await, "agents:read agents:write resume:read");
    change(json!({ "capabilities": ["resume:score"] })).await;
    assert_eq!(scope().await, "agents:read agents:write");
    change(json!({ "roles": ["auditor"] })).await;
    assert_eq!(scope().await, "agents:read");
    let made = server.post("/api/v1/agents").token(&token).json(&server.new_agent()).send().await;
    assert_eq!(made.refusal(), (403, "INSUFFICIENT_SCOPE"));
    change(json!({ "roles": [] })).await;
    assert_eq!(scope().await, "");
}
