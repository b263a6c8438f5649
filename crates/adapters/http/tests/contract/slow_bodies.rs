//! A caller that is let in, and ends while its body is still on its way.

use serde_json::{Value, json};

use crate::kit::{Client, Server, call::Call};

/// An admin with a token of its own, and one request that it begins: of each kind that has a body.
async fn begun<'a>(server: &'a Server, admin: &Client) -> Vec<Call<'a>> {
    let own = format!("/api/v1/agents/{}", admin.id);
    let other = server.client(&[]).await;
    let credentials = format!("/api/v1/agents/{}/credentials", other.id);
    let rotate = format!("{credentials}/{}/rotate", other.credential);
    let token = server.token_of(admin, "agents:write credentials:write").await;
    vec![
        server.post("/api/v1/agents").json(&server.new_agent()).token(&token),
        server.patch(own).json(&json!({ "owner": "somebody else" })).token(&token),
        server.post(credentials).json(&json!({})).token(&token),
        server.post(rotate).json(&json!({})).token(&token),
    ]
}

async fn refused_after(end: impl for<'a> Fn(&'a Server, &Client, &str) -> Call<'a>) {
    let server = Server::start().await;
    let token = server.token("agents:write credentials:write").await;
    for nth in 0..4 {
        let admin = server.client(&["admin"]).await;
        let call = begun(&server, &admin).await.swap_remove(nth);
        let call = call.while_sending(end(&server, &admin, &token));
        let (answer, events) = server.events_of_doing(call.send()).await;
        assert_eq!(answer.refusal(), (401, "UNAUTHORIZED"), "{nth}");
        let kinds: Vec<_> = events.iter().map(|event| event.action.name()).collect();
        assert_eq!((kinds.len(), kinds[1]), (2, "auth.failed"), "{nth} {kinds:?}");
    }
}

fn patch<'a>(server: &'a Server, admin: &Client, token: &str, body: &Value) -> Call<'a> {
    server.patch(format!("/api/v1/agents/{}", admin.id)).json(body).token(token)
}

#[tokio::test]
async fn a_caller_that_is_suspended_before_its_body_arrives_does_nothing() {
    refused_after(|server, admin, token| {
        patch(server, admin, token, &json!({ "status": "suspended" }))
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_is_revoked_before_its_body_arrives_does_nothing() {
    refused_after(|server, admin, token| {
        patch(server, admin, token, &json!({ "status": "revoked" }))
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_loses_its_roles_before_its_body_arrives_does_nothing() {
    refused_after(|server, admin, token| patch(server, admin, token, &json!({ "roles": [] })))
        .await;
}

#[tokio::test]
async fn a_caller_whose_credential_is_revoked_before_its_body_arrives_does_nothing() {
    refused_after(|server, admin, token| {
        let path = format!("/api/v1/agents/{}/credentials/{}", admin.id, admin.credential);
        server.delete(path).token(token)
    })
    .await;
}
