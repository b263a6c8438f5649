//! The life of a credential: made, shown once, listed, rotated, revoked, expired.

use std::time::Duration;

use audit::Action;
use serde_json::{Value, json};

use crate::kit::{Answer, Client, Server};

fn at(client: &Client) -> String {
    format!("/api/v1/agents/{}/credentials", client.id)
}

fn this(client: &Client) -> String {
    format!("{}/{}", at(client), client.credential)
}

const HOUR: Duration = Duration::from_secs(3_600);

async fn listed(server: &Server, client: &Client) -> Vec<Value> {
    let token = server.token("agents:read").await;
    let page = server.get(at(client)).token(&token).send().await.expect(200);
    page.json["data"].as_array().unwrap().clone()
}

async fn rotate(server: &Server, client: &Client, body: &Value) -> Answer {
    let token = server.token("credentials:write").await;
    server.post(format!("{}/rotate", this(client))).token(&token).json(body).send().await
}

fn successor(client: &Client, made: &Answer) -> Client {
    Client {
        id: client.id.clone(),
        secret: made.text("clientSecret"),
        credential: made.text("credentialId"),
    }
}

async fn works(server: &Server, client: &Client) -> bool {
    let answer = server.ask(client, &[]).await;
    assert!(answer.status == 200 || answer.refusal() == (401, "invalid_client"));
    answer.status == 200
}

async fn is_active(server: &Server, token: &str) -> bool {
    let form = [("token", token)];
    let (id, secret) = (&server.admin.id, &server.admin.secret);
    let call = server.post("/api/v1/token/introspect").basic(id, secret).form(&form);
    call.send().await.expect(200).json["active"].as_bool().unwrap()
}

#[tokio::test]
async fn cr_01_a_secret_is_shown_once_and_is_in_no_other_answer_and_no_event() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let token = server.token("agents:read audit:read credentials:write").await;
    assert!(works(&server, &client).await);
    let made = rotate(&server, &client, &json!({ "overlapSeconds": 60 })).await.expect(201);
    assert!(works(&server, &successor(&client, &made)).await);
    // The kit looks for every secret and token that was ever shown in each of these answers.
    for path in [
        at(&client),
        format!("/api/v1/agents/{}", client.id),
        "/api/v1/agents".to_owned(),
        "/api/v1/audit?limit=100".to_owned(),
    ] {
        server.get(path).token(&token).send().await.expect(200);
    }
    server.get(this(&client)).token(&token).send().await.expect(405);
    let secrets = server.secrets();
    assert!(secrets.len() > 6, "{}", secrets.len());
    let events = format!("{:?}", server.events().await);
    for secret in secrets {
        let random = secret.get(33..).unwrap();
        assert!(!events.contains(random));
    }
}

#[tokio::test]
async fn a_credential_is_made_with_what_was_given_and_a_name_and_an_end_are_optional() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let token = server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{id}/credentials");
    let end = "2026-12-21T08:00:00.000000Z";
    let bare = server.post(&path).token(&token).send().await.expect(201);
    let named = json!({ "name": "ci", "expiresAt": "2026-12-21T09:00:00+01:00" });
    let named = server.post(&path).token(&token).json(&named).send().await.expect(201);
    let soon = json!({ "expiresAt": "2026-11-22T08:00:00Z", "organizationId": "ignored" });
    let soon = server.post(&path).token(&token).json(&soon).send().await.expect(201);
    for (made, name, expires, status) in [
        (&bare, Value::Null, Value::Null, "active"),
        (&named, json!("ci"), json!(end), "active"),
        (&soon, Value::Null, json!("2026-11-22T08:00:00.000000Z"), "expiring"),
    ] {
        assert_eq!(made.json["clientId"], json!(id));
        assert_eq!((&made.json["name"], &made.json["expiresAt"]), (&name, &expires));
        assert_eq!(made.json["status"], status);
        assert_eq!(made.header("cache-control"), Some("no-store"));
    }
    let client = successor(&Client { id, ..server.admin.clone() }, &soon);
    let names: Vec<_> =
        listed(&server, &client).await.into_iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, [Value::Null, json!("ci"), Value::Null]);
}

#[tokio::test]
async fn cr_08_a_bad_name_or_end_is_refused_by_its_name() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let token = server.token("credentials:write").await;
    for (body, fields) in [
        (json!({ "name": "" }), vec!["name"]),
        (json!({ "name": " " }), vec!["name"]),
        (json!({ "name": "x".repeat(129) }), vec!["name"]),
        (json!({ "name": "a\nb" }), vec!["name"]),
        (json!({ "name": 1 }), vec!["name"]),
        (json!({ "expiresAt": "2026-11-21T07:59:59Z" }), vec!["expiresAt"]),
        (json!({ "expiresAt": "2026-11-21T08:00:00Z" }), vec!["expiresAt"]),
        (json!({ "expiresAt": "soon" }), vec!["expiresAt"]),
        (json!({ "expiresAt": "10000-01-01T00:00:00Z" }), vec!["expiresAt"]),
        (json!({ "expiresAt": 1_795_334_400 }), vec!["expiresAt"]),
        (
            json!({ "secret": "mine", "clientSecret": "mine", "name": 1 }),
            vec!["clientSecret", "name", "secret"],
        ),
        (json!([]), vec!["body"]),
    ] {
        let call = server.post(format!("/api/v1/agents/{id}/credentials")).token(&token);
        let (answer, events) = server.events_of_doing(call.json(&body).send()).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{body}");
        assert_eq!(answer.bad_fields(), fields, "{body}");
        assert!(events.is_empty());
    }
    let client = server.client(&[]).await;
    for overlap in [json!(-1), json!(604_801), json!(1.5), json!("60"), json!(true), json!([])] {
        let answer = rotate(&server, &client, &json!({ "overlapSeconds": overlap })).await;
        assert_eq!(answer.bad_fields(), ["overlapSeconds"], "{overlap}");
    }
    let surplus = rotate(&server, &client, &json!({ "overlap": 1 })).await;
    assert_eq!(surplus.bad_fields(), ["overlap"]);
}

#[tokio::test]
async fn ones_own_credentials_need_no_scope_and_anothers_do() {
    let server = Server::start().await;
    let own = server.client(&[]).await;
    let other = server.client(&[]).await;
    let token = server.token_of(&own, "resume:read").await;
    for (client, expected) in [(&other, 403), (&own, 200)] {
        server.get(at(client)).token(&token).send().await.expect(expected);
    }
    let calls = |client: &Client| {
        let rotate = server.post(format!("{}/rotate", this(client)));
        [server.post(at(client)), rotate, server.delete(this(client))]
    };
    for call in calls(&other) {
        let answer = call.token(&token).send().await;
        assert_eq!(answer.refusal(), (403, "INSUFFICIENT_SCOPE"));
        assert_eq!(answer.json["details"], json!({ "required": "credentials:write" }));
    }
    for (call, expected) in calls(&own).into_iter().zip([201, 201, 204]) {
        call.token(&token).send().await.expect(expected);
    }
}

#[tokio::test]
async fn cr_02_a_rotated_credential_works_for_its_overlap_and_not_a_moment_longer() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let made = rotate(&server, &client, &json!({ "overlapSeconds": 3600 })).await.expect(201);
    let next = successor(&client, &made);
    let token = server.token_of(&client, "resume:read").await;
    let statuses = async || {
        let rows = listed(&server, &client).await;
        rows.iter().map(|row| row["status"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(statuses().await, ["active", "expiring"]);
    server.clock.advance(HOUR - Duration::from_secs(1));
    assert!(works(&server, &client).await && works(&server, &next).await);
    let late = server.token_of(&client, "resume:read").await;
    server.clock.advance(Duration::from_secs(1));
    assert!(!works(&server, &client).await && works(&server, &next).await);
    assert_eq!(statuses().await, ["active", "expired"]);
    // What it obtained lives on until its own end.
    assert!(is_active(&server, &late).await && !is_active(&server, &token).await);

    let made = rotate(&server, &next, &json!({})).await.expect(201);
    assert!(!works(&server, &next).await);
    assert!(works(&server, &successor(&client, &made)).await);
}

#[tokio::test]
async fn a_successor_keeps_the_name_and_the_length_of_the_life() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let body = json!({ "name": "ci", "expiresAt": "2026-11-21T10:00:00Z" });
    let client = server.credential(&id, &body).await;
    server.clock.advance(HOUR);
    let made = rotate(&server, &client, &json!({ "overlapSeconds": 86_400 })).await.expect(201);
    assert_eq!(made.json["name"], "ci");
    assert!(made.text("expiresAt").starts_with("2026-11-21T11:00:0"), "{}", made.json);
    server.clock.advance(HOUR);
    assert!(!works(&server, &client).await, "an overlap made a credential outlive its end");
    assert!(works(&server, &successor(&client, &made)).await);
}

#[tokio::test]
async fn cr_07_a_credential_is_rotated_once_and_only_while_it_works() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    rotate(&server, &client, &json!({ "overlapSeconds": 60 })).await.expect(201);
    let (again, events) = server.events_of_doing(rotate(&server, &client, &json!({}))).await;
    assert_eq!(again.refusal(), (409, "INVALID_STATE_TRANSITION"));
    assert_eq!(again.json["details"], json!({ "from": "rotated", "to": "rotated" }));
    // The one event is of the token that the rotation was asked for with.
    assert_eq!(events.iter().map(|event| event.action).collect::<Vec<_>>(), [Action::TokenIssued]);

    let token = server.token("credentials:write").await;
    let revoked = server.client(&[]).await;
    server.delete(this(&revoked)).token(&token).send().await.expect(204);
    let id = server.register_agent(json!({})).await;
    let expired = server.credential(&id, &json!({ "expiresAt": "2026-11-21T09:00:00Z" })).await;
    server.clock.advance(HOUR);
    for (client, from) in [(&revoked, "revoked"), (&expired, "expired")] {
        let answer = rotate(&server, client, &json!({})).await;
        assert_eq!(answer.refusal(), (409, "INVALID_STATE_TRANSITION"));
        assert_eq!(answer.json["details"], json!({ "from": from, "to": "rotated" }));
        assert!(!works(&server, client).await);
    }
}

#[tokio::test]
async fn a_credential_is_revoked_once_with_its_tokens_and_its_neighbours_live() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let neighbour = server.credential(&client.id, &json!({})).await;
    let token = server.token_of(&client, "resume:read").await;
    let beside = server.token_of(&neighbour, "resume:read").await;
    let writer = server.token("credentials:write").await;
    for expected in [vec![Action::CredentialRevoked], vec![]] {
        let call = server.delete(this(&client)).token(&writer).send();
        let (answer, events) = server.events_of_doing(call).await;
        answer.expect(204);
        assert_eq!(events.iter().map(|event| event.action).collect::<Vec<_>>(), expected);
    }
    assert!(!works(&server, &client).await && !is_active(&server, &token).await);
    assert!(works(&server, &neighbour).await && is_active(&server, &beside).await);
    let rows = listed(&server, &client).await;
    assert_eq!((&rows[0]["status"], &rows[0]["revokedAt"]), (&json!("active"), &Value::Null));
    assert_eq!(rows[1]["status"], "revoked");
    assert!(rows[1]["revokedAt"].is_string() && rows[1]["lastUsedAt"].is_string());
}

#[tokio::test]
async fn a_credential_of_another_agent_is_not_there() {
    let server = Server::start().await;
    let (one, two) = (server.client(&[]).await, server.client(&[]).await);
    let token = server.token("credentials:write").await;
    let crossed = Client { credential: two.credential.clone(), ..one.clone() };
    let calls = [server.post(format!("{}/rotate", this(&crossed))), server.delete(this(&crossed))];
    for call in calls {
        let (answer, events) = server.events_of_doing(call.token(&token).send()).await;
        assert_eq!((answer.refusal(), events.len()), ((404, "NOT_FOUND"), 0));
    }
    assert!(works(&server, &two).await);
}

#[tokio::test]
async fn cr_05_the_credentials_of_an_agent_end_with_it_and_a_namesake_revives_nothing() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    for end in ["revoked", "decommissioned"] {
        let email = server.fresh_email();
        let id = server.register_agent(json!({ "email": email })).await;
        let client = server.credential(&id, &json!({})).await;
        let spare = server.credential(&id, &json!({})).await;
        let held = server.token_of(&client, "resume:read").await;
        let path = format!("/api/v1/agents/{id}");
        match end {
            "revoked" => {
                let body = json!({ "status": "revoked" });
                server.patch(&path).token(&token).json(&body).send().await.expect(200);
                let made = server.post(at(&client)).token(&server.token("credentials:write").await);
                assert_eq!(made.send().await.refusal(), (409, "INVALID_STATE_TRANSITION"));
                server.delete(&path).token(&token).send().await.expect(204);
            }
            _ => {
                server.delete(&path).token(&token).send().await.expect(204);
            }
        }
        let statuses: Vec<_> =
            listed(&server, &client).await.into_iter().map(|row| row["status"].clone()).collect();
        assert_eq!(statuses, [json!("revoked"), json!("revoked")]);
        let made = rotate(&server, &spare, &json!({})).await;
        assert_eq!(made.refusal(), (403, "AGENT_DECOMMISSIONED"));
        let namesake = server.register_agent(json!({ "email": email })).await;
        assert_ne!(namesake, id);
        for old in [&client, &spare] {
            let as_namesake = Client { id: namesake.clone(), ..old.clone() };
            assert!(!works(&server, old).await && !works(&server, &as_namesake).await);
        }
        assert!(!is_active(&server, &held).await);
    }
}

#[tokio::test]
async fn a_list_of_credentials_is_paged_like_every_other() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    for _ in 0..4 {
        server.credential(&client.id, &json!({})).await;
    }
    let token = server.token("agents:read").await;
    let mut seen = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let path = format!("{}?{query}", at(&client));
        let page = server.get(path).token(&token).send().await.expect(200);
        assert_eq!(page.json["total"], 5);
        seen.extend(page.json["data"].as_array().unwrap().clone());
        match page.json["nextCursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, listed(&server, &client).await);
    let bad = server.get(format!("{}?status=active", at(&client))).token(&token).send().await;
    assert_eq!(bad.bad_fields(), ["status"]);
}
