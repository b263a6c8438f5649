//! The limit of credentials, and what happens where several ask at once.

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::kit::{Client, Server};

async fn live(server: &Server, agent: &str) -> usize {
    let token = server.token("agents:read").await;
    let path = format!("/api/v1/agents/{agent}/credentials?limit=100");
    let page = server.get(path).token(&token).send().await.expect(200);
    let rows = page.json["data"].as_array().unwrap();
    rows.iter().filter(|row| row["status"] == "active" || row["status"] == "expiring").count()
}

#[tokio::test]
async fn an_eleventh_credential_is_refused_with_the_limit_and_one_that_ended_makes_room() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let mut made = Vec::new();
    for _ in 0..10 {
        made.push(server.credential(&id, &json!({})).await);
    }
    let token = server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{id}/credentials");
    let rotate =
        |client: &Client| server.post(format!("{path}/{}/rotate", client.credential)).token(&token);
    let overlap = json!({ "overlapSeconds": 60 });
    let calls = [server.post(&path).token(&token), rotate(&made[0]).json(&overlap)];
    for call in calls {
        let (answer, events) = server.events_of_doing(call.send()).await;
        assert_eq!(answer.refusal(), (403, "FREE_TIER_LIMIT_EXCEEDED"));
        let details = json!({ "limit": 10, "used": 10, "plan": "enterprise" });
        assert_eq!(answer.json["details"], details);
        assert!(events.is_empty());
    }
    // Without an overlap the old one makes room for the new one.
    rotate(&made[0]).send().await.expect(201);
    server.delete(format!("{path}/{}", made[1].credential)).token(&token).send().await.expect(204);
    server.post(&path).token(&token).send().await.expect(201);
    assert_eq!(live(&server, &id).await, 10);
}

#[tokio::test]
async fn cr_03_fifty_at_once_never_exceed_the_limit() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let token = server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{id}/credentials");
    let asked = join_all((0..50).map(|_| server.post(&path).token(&token).send()));
    let (answers, events) = server.events_of_doing(asked).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.refusal(), (403, "FREE_TIER_LIMIT_EXCEEDED"));
    }
    assert_eq!((made, events.len(), live(&server, &id).await), (10, 10, 10));
}

#[tokio::test]
async fn cr_03_of_two_rotations_at_once_one_is_made() {
    let server = Server::start().await;
    let token = server.token("credentials:write").await;
    for round in 0..20 {
        let client = server.client(&[]).await;
        let path = format!("/api/v1/agents/{}/credentials/{}/rotate", client.id, client.credential);
        let rotate = || server.post(&path).token(&token).send();
        let ((one, two), events) = server.events_of_doing(join(rotate(), rotate())).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!((statuses, events.len()), ([201, 409], 1), "round {round}");
    }
}

#[tokio::test]
async fn cr_04_after_a_revocation_that_races_a_rotation_the_old_secret_is_dead() {
    let server = Server::start().await;
    let token = server.token("credentials:write").await;
    for round in 0..20 {
        let client = server.client(&[]).await;
        let path = format!("/api/v1/agents/{}/credentials/{}", client.id, client.credential);
        let overlap = json!({ "overlapSeconds": 60 });
        let rotate = server.post(format!("{path}/rotate")).token(&token).json(&overlap).send();
        let revoke = server.delete(&path).token(&token).send();
        let (rotated, revoked) = match round % 2 {
            0 => join(rotate, revoke).await,
            _ => {
                let (revoked, rotated) = join(revoke, rotate).await;
                (rotated, revoked)
            }
        };
        assert_eq!(revoked.status, 204);
        assert!([201, 409].contains(&rotated.status), "{}", rotated.json);
        let answer = server.ask(&client, &[]).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "round {round}");
    }
}
