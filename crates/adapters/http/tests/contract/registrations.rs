//! An agent's address is its own within its organization, and a key finds a registration again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::kit::{Answer, Server};

const PATH: &str = "/api/v1/agents";

async fn post(server: &Server, token: &str, body: &Value) -> Answer {
    server.post(PATH).token(token).json(body).send().await
}

#[tokio::test]
async fn tn_03_an_email_is_taken_in_any_case_within_its_organization_only_and_free_after_the_end() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let mut body = server.new_agent();
    let id = post(&server, &token, &body).await.expect(201).text("agentId");
    body["email"] = json!(body["email"].as_str().unwrap().to_uppercase());
    let asked = post(&server, &token, &body);
    let (taken, events) = server.events_of_doing(asked).await;
    assert_eq!(taken.refusal(), (409, "AGENT_ALREADY_EXISTS"));
    assert!(!String::from_utf8(taken.body).unwrap().contains(&id) && events.is_empty());

    let elsewhere = server.token_of(&server.other_admin, "agents:write").await;
    let made = post(&server, &elsewhere, &body).await.expect(201);
    assert_eq!(made.text("organizationId"), server.other.to_string());

    server.delete(format!("{PATH}/{id}")).token(&token).send().await.expect(204);
    let again = post(&server, &token, &body).await.expect(201);
    assert_ne!(again.text("agentId"), id);
    assert_eq!(again.json["email"], body["email"]);
}

#[tokio::test]
async fn a_registration_is_found_again_by_its_key_for_a_day() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let under = |token: String, key: &'static str, body: Value| {
        let server = &server;
        let call = server.post(PATH).token(&token).header("idempotency-key", key).json(&body);
        async move { call.send().await }
    };
    let body = server.new_agent();
    let first = under(token.clone(), "key-1", body.clone()).await.expect(201);
    assert_eq!(first.header("idempotent-replayed"), None);
    let asked = under(token.clone(), "key-1", body.clone());
    let (again, events) = server.events_of_doing(asked).await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert!(events.is_empty(), "{events:?}");

    let mut another = body.clone();
    another["owner"] = json!("somebody else");
    let conflict = under(token.clone(), "key-1", another.clone()).await;
    assert_eq!(conflict.refusal(), (409, "IDEMPOTENCY_CONFLICT"));
    assert_eq!(conflict.json["details"], json!({ "existingId": first.text("agentId") }));

    // ID-02, TN-11: another caller's equal key is another key, here and in another organization.
    let second_admin = server.client(&["admin"]).await;
    let second = server.token_of(&second_admin, "agents:write").await;
    another["email"] = json!(server.fresh_email());
    let independent = under(second, "key-1", another.clone()).await.expect(201);
    assert_eq!(independent.header("idempotent-replayed"), None);
    let other = server.token_of(&server.other_admin, "agents:write").await;
    under(other, "key-1", another.clone()).await.expect(201);

    server.clock.advance(Duration::from_secs(24 * 60 * 60));
    let token = server.token("agents:write").await;
    another["email"] = json!(server.fresh_email());
    let later = under(token, "key-1", another).await.expect(201);
    assert_eq!(later.header("idempotent-replayed"), None);
    assert_ne!(later.text("agentId"), first.text("agentId"));
}

#[tokio::test]
async fn id_01_equal_requests_in_parallel_make_one_agent() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let body = server.new_agent();
    let call = || server.post(PATH).token(&token).header("idempotency-key", "k").json(&body).send();
    let asked = futures_util::future::join_all((0..20).map(|_| call()));
    let (answers, events) = server.events_of_doing(asked).await;
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.clone().expect(201).text("agentId")).collect();
    assert_eq!((ids.len(), events.len()), (1, 1));
}

#[tokio::test]
async fn id_04_a_key_of_another_form_is_refused_and_one_of_255_characters_taken() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let long = "k".repeat(256);
    for key in ["", " ", "a b", "\u{e9}", "a\tb", long.as_str()] {
        let call = server.post(PATH).token(&token).header("idempotency-key", key);
        let answer = call.json(&server.new_agent()).send().await;
        assert_eq!(answer.bad_fields(), ["Idempotency-Key"], "{key:?}");
    }
    let longest = server.post(PATH).token(&token).header("idempotency-key", long.get(1..).unwrap());
    longest.json(&server.new_agent()).send().await.expect(201);
    let twice = server.post(PATH).token(&token).header("idempotency-key", "a");
    let twice = twice.header("idempotency-key", "a").json(&server.new_agent()).send().await;
    assert_eq!(twice.bad_fields(), ["Idempotency-Key"]);
}
