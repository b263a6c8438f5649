//! The quota of agents: what a plan allows, who counts, and what happens where several ask at once.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenancy::Quota;

use crate::kit::{Answer, Server, Settings};

const PATH: &str = "/api/v1/agents";

/// A server whose organizations may have so many agents, of which each has its admin already.
async fn allowing(agents: u64, other_agents: u64) -> Server {
    let (agents, other_agents) = (Quota::AtMost(agents), Quota::AtMost(other_agents));
    Server::with(Settings { agents, other_agents, ..Settings::default() }).await
}

async fn register(server: &Server, token: &str) -> Answer {
    server.post(PATH).token(token).json(&server.new_agent()).send().await
}

/// Refused, with these numbers.
fn assert_full(answer: &Answer, details: &Value) {
    assert_eq!(answer.refusal(), (403, "FREE_TIER_LIMIT_EXCEEDED"));
    assert_eq!(&answer.json["details"], details);
}

async fn used(server: &Server, token: &str) -> Value {
    let read = server.get("/api/v1/organization").token(token).send().await.expect(200);
    read.json["usage"]["agents"].clone()
}

#[tokio::test]
async fn rl_05_the_last_agent_of_a_quota_is_registered_and_the_next_refused_with_the_numbers() {
    let server = allowing(3, 2).await;
    let token = server.token("").await;
    for _ in 0..2 {
        register(&server, &token).await.expect(201);
    }
    let (refused, events) = server.events_of_doing(register(&server, &token)).await;
    assert_full(&refused, &json!({ "limit": 3, "used": 3, "plan": "enterprise" }));
    assert!(events.is_empty(), "{events:?}");
    assert_eq!(used(&server, &token).await, 3);

    // Another organization counts its own, by its own plan.
    let elsewhere = server.token_of(&server.other_admin, "").await;
    register(&server, &elsewhere).await.expect(201);
    let refused = register(&server, &elsewhere).await;
    assert_full(&refused, &json!({ "limit": 2, "used": 2, "plan": "free" }));
}

#[tokio::test]
async fn rl_05_an_agent_frees_its_place_when_it_is_decommissioned_and_not_before() {
    let server = allowing(2, 1).await;
    let token = server.token("").await;
    let id = register(&server, &token).await.expect(201).text("agentId");
    let full = json!({ "limit": 2, "used": 2, "plan": "enterprise" });
    for status in ["suspended", "active", "revoked"] {
        let body = json!({ "status": status });
        let change = server.patch(format!("{PATH}/{id}")).token(&token).json(&body);
        change.send().await.expect(200);
        assert_full(&register(&server, &token).await, &full);
    }
    server.delete(format!("{PATH}/{id}")).token(&token).send().await.expect(204);
    register(&server, &token).await.expect(201);
    server.archive(&id).await;
    assert_full(&register(&server, &token).await, &full);
}

#[tokio::test]
async fn rl_05_a_full_organization_answers_a_registration_again_and_tells_of_a_taken_address() {
    let server = allowing(2, 1).await;
    let token = server.token("agents:write").await;
    let body = server.new_agent();
    let under = |key: &'static str, body: &Value| {
        server.post(PATH).token(&token).header("idempotency-key", key).json(body).send()
    };
    let first = under("key-1", &body).await.expect(201);
    let again = under("key-1", &body).await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json, first.json);
    assert_eq!(under("key-2", &body).await.refusal(), (409, "AGENT_ALREADY_EXISTS"));

    // A refusal is not remembered: the same request passes once there is room.
    let another = server.new_agent();
    let refused = under("key-3", &another).await;
    assert_full(&refused, &json!({ "limit": 2, "used": 2, "plan": "enterprise" }));
    let path = format!("{PATH}/{}", first.text("agentId"));
    server.delete(path).token(&token).send().await.expect(204);
    let made = under("key-3", &another).await.expect(201);
    assert_eq!(made.header("idempotent-replayed"), None);
}

#[tokio::test]
async fn rl_05_twenty_registrations_at_once_fill_what_is_left_and_no_more() {
    let server = allowing(3, 1).await;
    let token = server.token("").await;
    let asked = join_all((0..20).map(|_| register(&server, &token)));
    let (answers, events) = server.events_of_doing(asked).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_full(answer, &json!({ "limit": 3, "used": 3, "plan": "enterprise" }));
    }
    assert_eq!((made, events.len()), (2, 2));
    assert_eq!(used(&server, &token).await, 3);
}

#[tokio::test]
async fn rl_05_whoever_may_not_register_learns_nothing_of_the_quota() {
    let server = allowing(1, 1).await;
    let reader = server.token("agents:read").await;
    assert_eq!(register(&server, &reader).await.refusal(), (403, "INSUFFICIENT_SCOPE"));
}
