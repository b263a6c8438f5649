//! The keys of clients: registered, listed, removed, and the one way to authenticate that they make.

use std::time::Duration;

use audit::Action;
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::{join, join_all};
use kernel::Clock;
use serde_json::{Value, json};

use crate::kit::{Answer, Client, KeyPair, Server};

fn at(agent: &str) -> String {
    format!("/api/v1/agents/{agent}/keys")
}

async fn add(server: &Server, agent: &str, body: &Value) -> Answer {
    let token = server.token("credentials:write").await;
    server.post(at(agent)).token(&token).json(body).send().await
}

async fn add_jwk(server: &Server, agent: &str, jwk: &Value) -> Answer {
    add(server, agent, &json!({ "jwk": jwk })).await
}

async fn listed(server: &Server, agent: &str) -> Vec<Value> {
    let token = server.token("agents:read").await;
    let page = server.get(at(agent)).token(&token).send().await.expect(200);
    assert_eq!(page.json["total"], page.json["data"].as_array().unwrap().len());
    page.json["data"].as_array().unwrap().clone()
}

async fn remove(server: &Server, agent: &str, kid: &str) -> Answer {
    let token = server.token("credentials:write").await;
    server.delete(format!("{}/{kid}", at(agent))).token(&token).send().await
}

/// The public half with one member more, or another.
fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

fn encoded(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

#[tokio::test]
async fn a_key_of_each_algorithm_is_registered_and_shown_as_it_is_kept() {
    let server = Server::start().await;
    for algorithm in ["ES256", "EdDSA", "RS256", "PS256"] {
        let agent = server.register_agent(json!({})).await;
        let given = KeyPair::of(algorithm).jwk();
        let added = add_jwk(&server, &agent, &given).await.expect(201);
        let kid = added.text("kid");
        assert_eq!(kid.len(), 43, "the thumbprint of RFC 7638");
        assert_eq!(added.header("location"), Some(format!("{}/{kid}", at(&agent)).as_str()));
        let mut kept = given;
        kept["alg"] = json!(algorithm);
        kept["use"] = json!("sig");
        kept["kid"] = json!(kid);
        assert_eq!(added.json["jwk"], kept);
        let said = ["clientId", "method", "algorithm", "status"].map(|name| added.text(name));
        assert_eq!(said, [agent.as_str(), "private_key_jwt", algorithm, "active"]);
        assert_eq!(listed(&server, &agent).await, [added.json]);
    }
}

#[tokio::test]
async fn a_key_goes_by_the_name_and_for_the_time_that_it_was_given() {
    let server = Server::start().await;
    let agent = server.register_agent(json!({})).await;
    let jwk = |kid: &str| with(KeyPair::es256().jwk(), "kid", kid);
    let named = json!({ "jwk": jwk("key-1"), "name": "ci", "organizationId": "ignored" });
    let named = add(&server, &agent, &named).await.expect(201);
    assert_eq!((named.text("kid"), named.text("name")), ("key-1".to_owned(), "ci".to_owned()));
    let ending = json!({ "jwk": jwk("a.b_c~d:e=f+g-h"), "expiresAt": "2026-11-22T08:00:00Z" });
    let ending = add(&server, &agent, &ending).await.expect(201);
    assert_eq!(ending.text("status"), "expiring");
    assert_eq!(ending.header("location").unwrap(), format!("{}/a.b_c~d:e=f+g-h", at(&agent)));
    server.clock.advance(Duration::from_secs(86_400));
    let statuses: Vec<_> =
        listed(&server, &agent).await.into_iter().map(|key| key["status"].clone()).collect();
    assert_eq!(statuses, ["expired", "active"]);
    remove(&server, &agent, "a.b_c~d:e=f+g-h").await.expect(204);
    for bad in ["", ".", "..", "a b", "a/b", "é", "a%2f", &"a".repeat(129)] {
        let refused = add_jwk(&server, &agent, &jwk(bad)).await;
        assert_eq!(refused.bad_fields(), ["jwk"], "{bad}: {}", refused.json);
    }
    let refused = add_jwk(&server, &agent, &with(KeyPair::es256().jwk(), "kid", 7)).await;
    assert_eq!(refused.bad_fields(), ["jwk"]);
    let past = json!({ "jwk": jwk("key-3"), "expiresAt": "2026-11-21T08:00:00Z" });
    assert_eq!(add(&server, &agent, &past).await.bad_fields(), ["expiresAt"]);
}

/// RSA with a modulus of so many bytes; nobody has its private half.
fn rsa(bytes: usize) -> Value {
    let mut modulus = vec![0xa5; bytes];
    modulus[bytes - 1] = 1;
    json!({ "kty": "RSA", "n": encoded(&modulus), "e": "AQAB", "alg": "RS256" })
}

#[tokio::test]
async fn jv_11_what_is_no_public_key_for_signatures_is_refused_and_leaves_nothing() {
    let server = Server::start().await;
    let agent = server.register_agent(json!({})).await;
    let (es256, ed25519) = (KeyPair::es256().jwk(), KeyPair::ed25519().jwk());
    let off_curve = with(es256.clone(), "y", encoded(&[7; 32]));
    let bad = [
        ("RSA of 1024 bits", rsa(128)),
        ("RSA of 16384 bits", rsa(2_048)),
        ("RSA with another exponent", with(rsa(256), "e", "Aw")),
        ("RSA that names no algorithm", with(rsa(256), "alg", Value::Null)),
        ("RSA for a MAC", with(rsa(256), "alg", "HS256")),
        ("a point off the curve", off_curve),
        (
            "a point at nothing",
            with(with(es256.clone(), "x", encoded(&[0; 32])), "y", encoded(&[0; 32])),
        ),
        ("a point of a small order", with(ed25519.clone(), "x", encoded(&[0; 32]))),
        ("for encryption", with(es256.clone(), "use", "enc")),
        ("to sign with", with(es256.clone(), "key_ops", json!(["sign", "verify"]))),
        ("with its private half", with(es256.clone(), "d", encoded(&[1; 32]))),
        ("with its private half, of RSA", with(rsa(256), "p", "AQAB")),
        ("a symmetric one", json!({ "kty": "oct", "k": encoded(&[1; 32]), "alg": "HS256" })),
        ("of another curve", with(es256.clone(), "crv", "P-384")),
        ("of another algorithm", with(es256.clone(), "alg", "ES384")),
        ("none", with(es256.clone(), "alg", "none")),
        ("a coordinate with padding", with(es256, "x", format!("{}=", encoded(&[1; 32])))),
        ("of another type", json!({ "kty": "AKP" })),
        ("nothing", json!({})),
        ("a text", json!("key")),
        ("a set", json!([ed25519])),
    ];
    let token = server.token("credentials:write").await;
    for (what, jwk) in bad {
        let asked = server.post(at(&agent)).token(&token).json(&json!({ "jwk": jwk })).send();
        let (refused, events) = server.events_of_doing(asked).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR"), "{what}");
        assert_eq!(refused.bad_fields(), ["jwk"], "{what}: {}", refused.json);
        assert!(events.is_empty(), "{what}");
    }
    for (body, field) in [
        (json!({}), "jwk"),
        (json!({ "jwk": null }), "jwk"),
        (json!({ "jwk": KeyPair::es256().jwk(), "jwks": [] }), "jwks"),
        (json!({ "jwk": KeyPair::es256().jwk(), "name": "" }), "name"),
    ] {
        assert_eq!(add(&server, &agent, &body).await.bad_fields(), [field], "{body}");
    }
    assert!(listed(&server, &agent).await.is_empty());
}

#[tokio::test]
async fn jv_11_what_a_refusal_of_a_private_key_says_holds_nothing_of_it() {
    let server = Server::start().await;
    let agent = server.register_agent(json!({})).await;
    let private = encoded(&[0xd5; 32]);
    let refused =
        add_jwk(&server, &agent, &with(KeyPair::es256().jwk(), "d", private.as_str())).await;
    assert_eq!(refused.bad_fields(), ["jwk"]);
    assert!(!refused.json.to_string().contains(&private));
    assert!(refused.json["details"]["fields"]["jwk"].as_str().unwrap().contains("private"));
    assert!(!format!("{:?}", server.events().await).contains(&private));
}

#[tokio::test]
async fn jv_11_an_eleventh_key_is_refused_with_the_limit_and_one_that_is_removed_makes_room() {
    let server = Server::start().await;
    let agent = server.register_agent(json!({})).await;
    let asked = join_all((0..30).map(|_| {
        let (server, agent) = (&server, &agent);
        async move { add_jwk(server, agent, &KeyPair::es256().jwk()).await }
    }));
    let answers = asked.await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 10);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!(answer.refusal(), (403, "FREE_TIER_LIMIT_EXCEEDED"));
        let details = json!({ "limit": 10, "used": 10, "plan": "enterprise" });
        assert_eq!(answer.json["details"], details);
    }
    assert_eq!(listed(&server, &agent).await.len(), 10);
    remove(&server, &agent, &made[3].text("kid")).await.expect(204);
    add_jwk(&server, &agent, &KeyPair::es256().jwk()).await.expect(201);
    let refused = add_jwk(&server, &agent, &KeyPair::es256().jwk()).await;
    assert_eq!(refused.refusal(), (403, "FREE_TIER_LIMIT_EXCEEDED"));
}

#[tokio::test]
async fn a_key_or_its_id_is_not_registered_twice_until_it_is_removed() {
    let server = Server::start().await;
    let (agent, other) =
        (server.register_agent(json!({})).await, server.register_agent(json!({})).await);
    let jwk = with(KeyPair::es256().jwk(), "kid", "key-1");
    let first = add_jwk(&server, &agent, &jwk).await.expect(201);
    for again in [with(KeyPair::es256().jwk(), "kid", "key-1"), with(jwk.clone(), "kid", "key-2")] {
        let refused = add_jwk(&server, &agent, &again).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR"));
        assert_eq!(refused.bad_fields(), ["jwk"]);
    }
    // Of another agent it is another key.
    add_jwk(&server, &other, &jwk).await.expect(201);
    remove(&server, &agent, "key-1").await.expect(204);
    let second = add_jwk(&server, &agent, &jwk).await.expect(201);
    assert_ne!(second.text("credentialId"), first.text("credentialId"));
    let statuses: Vec<_> =
        listed(&server, &agent).await.into_iter().map(|key| key["status"].clone()).collect();
    assert_eq!(statuses, ["active", "revoked"]);
}

#[tokio::test]
async fn a_key_is_removed_once_and_one_that_never_was_is_not_there() {
    let server = Server::start().await;
    let agent = server.register_agent(json!({})).await;
    let other = server.register_agent(json!({})).await;
    let kid = add_jwk(&server, &agent, &KeyPair::es256().jwk()).await.expect(201).text("kid");
    let (gone, events) = server.events_of_doing(remove(&server, &agent, &kid)).await;
    assert_eq!(gone.status, 204);
    let removed = events.iter().filter(|event| event.action == Action::KeyRemoved).count();
    assert_eq!(removed, 1);
    let before = server.events().await.len();
    remove(&server, &agent, &kid).await.expect(204);
    let left: Vec<_> = server.events().await.split_off(before);
    assert!(left.iter().all(|event| event.action == Action::TokenIssued), "{left:?}");
    let listed = listed(&server, &agent).await;
    assert_eq!(listed[0]["status"], "revoked");
    assert!(listed[0]["revokedAt"].is_string());
    for (agent, kid) in [(&agent, "never"), (&other, kid.as_str())] {
        assert_eq!(remove(&server, agent, kid).await.refusal(), (404, "NOT_FOUND"));
    }
}

async fn works(server: &Server, client: &Client) -> bool {
    server.ask(client, &[]).await.status == 200
}

#[tokio::test]
async fn ca_03_the_first_key_ends_every_secret_and_their_tokens_in_one_go() {
    let server = Server::start().await;
    let first = server.client(&["admin"]).await;
    let second = server.credential(&first.id, &json!({ "name": "second" })).await;
    let token = server.token_of(&second, "agents:read").await;
    let path = format!("/api/v1/agents/{}/keys", first.id);
    server.get(&path).token(&token).send().await.expect(200);
    let writer = server.token("credentials:write").await;
    let body = json!({ "jwk": KeyPair::ed25519().jwk() });
    let asked = server.post(&path).token(&writer).json(&body).send();
    let (added, events) = server.events_of_doing(asked).await;
    let kid = added.expect(201).text("kid");
    let actions: Vec<_> = events.iter().map(|event| event.action).collect();
    let ends = Action::CredentialRevoked;
    assert_eq!(actions, [ends, ends, Action::KeyAdded]);
    let told = |name: &str| events[2].metadata[name].as_str().unwrap().to_owned();
    assert_eq!([told("agentId"), told("kid")], [first.id.clone(), kid.clone()]);
    assert_eq!([told("method"), told("algorithm")], ["private_key_jwt", "EdDSA"]);
    assert!(!works(&server, &first).await && !works(&server, &second).await);
    let dead = server.get(&path).token(&token).send().await;
    assert_eq!(dead.refusal(), (401, "UNAUTHORIZED"));

    // A second key ends nothing any more.
    let body = json!({ "jwk": KeyPair::es256().jwk() });
    let asked = server.post(&path).token(&writer).json(&body).send();
    let (_, events) = server.events_of_doing(asked).await;
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn ca_03_no_secret_is_made_or_rotated_while_a_key_is_there() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let kid = add_jwk(&server, &client.id, &KeyPair::es256().jwk()).await.expect(201).text("kid");
    let writer = server.token("credentials:write").await;
    let secrets = format!("/api/v1/agents/{}/credentials", client.id);
    let rotate = format!("{secrets}/{}/rotate", client.credential);
    for path in [&secrets, &rotate] {
        let (refused, events) =
            server.events_of_doing(server.post(path).token(&writer).send()).await;
        assert_eq!(refused.refusal(), (409, "INVALID_STATE_TRANSITION"), "{path}");
        let expected = json!({ "from": "private_key_jwt", "to": "client_secret" });
        assert_eq!(refused.json["details"], expected, "{path}");
        assert!(events.is_empty());
    }
    remove(&server, &client.id, &kid).await.expect(204);
    let made = server.credential(&client.id, &json!({})).await;
    assert!(works(&server, &made).await && !works(&server, &client).await);
}

#[tokio::test]
async fn ca_03_a_key_that_has_expired_still_keeps_secrets_away_until_it_is_removed() {
    let server = Server::start().await;
    let agent = server.register_agent(json!({})).await;
    let body = json!({ "jwk": KeyPair::es256().jwk(), "expiresAt": "2026-11-21T09:00:00Z" });
    let kid = add(&server, &agent, &body).await.expect(201).text("kid");
    server.clock.advance(Duration::from_secs(3_600));
    let writer = server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{agent}/credentials");
    let refused = server.post(&path).token(&writer).send().await;
    assert_eq!(refused.refusal(), (409, "INVALID_STATE_TRANSITION"));
    remove(&server, &agent, &kid).await.expect(204);
    server.post(&path).token(&writer).send().await.expect(201);
}

/// It still lets somebody in where a clock is as far behind as clocks may be.
#[tokio::test]
async fn ck_01_the_first_key_ends_a_secret_too_that_has_just_ended_by_this_clock() {
    let server = Server::start().await;
    let agent = server.register_agent(json!({})).await;
    let ends = |after: u64| {
        let at = server.clock.now().plus(Duration::from_secs(after));
        json!({ "expiresAt": at.to_string() })
    };
    let long_over = server.credential(&agent, &ends(60)).await;
    let just_over = server.credential(&agent, &ends(72)).await;
    server.clock.advance(Duration::from_secs(75));
    let writer = server.token("credentials:write").await;
    let body = json!({ "jwk": KeyPair::es256().jwk() });
    let asked = server.post(at(&agent)).token(&writer).json(&body).send();
    let (added, events) = server.events_of_doing(asked).await;
    added.expect(201);
    let actions: Vec<_> = events.iter().map(|event| event.action).collect();
    assert_eq!(actions, [Action::CredentialRevoked, Action::KeyAdded]);
    let token = server.token("agents:read").await;
    for (secret, status) in [(&long_over, "expired"), (&just_over, "revoked")] {
        let path = format!("/api/v1/agents/{agent}/credentials");
        let page = server.get(path).token(&token).send().await.expect(200);
        let all = page.json["data"].as_array().unwrap();
        let shown = all.iter().find(|one| one["credentialId"] == json!(secret.credential)).unwrap();
        assert_eq!(shown["status"], status);
    }
}

/// With the last use of the token of its secret.
#[tokio::test]
async fn an_agent_registers_its_own_first_key_and_its_token_ends_with_the_secret() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let token = server.token_of(&client, "").await;
    let body = json!({ "jwk": KeyPair::es256().jwk() });
    let again = json!({ "jwk": KeyPair::es256().jwk() });
    let own = || server.post(at(&client.id)).token(&token);
    own().json(&body).send().await.expect(201);
    assert_eq!(own().json(&again).send().await.refusal(), (401, "UNAUTHORIZED"));
    let read = server.get(at(&client.id)).token(&token).send().await;
    assert_eq!(read.refusal(), (401, "UNAUTHORIZED"));
    assert_eq!(listed(&server, &client.id).await.len(), 1);
}

#[tokio::test]
async fn ca_03_a_secret_and_a_key_that_race_never_stand_side_by_side() {
    let server = Server::start().await;
    let writer = server.token("credentials:write").await;
    for round in 0..20 {
        let agent = server.register_agent(json!({})).await;
        let body = json!({ "jwk": KeyPair::es256().jwk() });
        let key = server.post(at(&agent)).token(&writer).json(&body).send();
        let path = format!("/api/v1/agents/{agent}/credentials");
        let secret = server.post(&path).token(&writer).send();
        let (key, secret) = match round % 2 {
            0 => join(key, secret).await,
            _ => {
                let (secret, key) = join(secret, key).await;
                (key, secret)
            }
        };
        key.expect(201);
        if secret.status != 201 {
            assert_eq!(secret.refusal(), (409, "INVALID_STATE_TRANSITION"), "round {round}");
            continue;
        }
        let client = Client {
            id: agent,
            secret: secret.text("clientSecret"),
            credential: secret.text("credentialId"),
        };
        assert!(!works(&server, &client).await, "round {round}");
    }
}

#[tokio::test]
async fn whoever_may_not_act_upon_an_agent_gives_it_no_key() {
    let server = Server::start().await;
    let operator = server.client(&["operator"]).await;
    let token = server.token_of(&operator, "credentials:write").await;
    let body = json!({ "jwk": KeyPair::es256().jwk() });
    // A key for an admin would be a way to become one.
    let paths = [at(&server.admin.id), at(&server.other_admin.id)];
    for path in paths {
        let refused = server.post(&path).token(&token).json(&body).send().await;
        assert_eq!(refused.refusal(), (403, "AUTHORIZATION_ERROR"), "{path}");
        let refused = server.delete(format!("{path}/any")).token(&token).send().await;
        assert_eq!(refused.refusal(), (403, "AUTHORIZATION_ERROR"), "{path}");
    }
    assert!(works(&server, &server.admin).await);
}

#[tokio::test]
async fn an_agent_that_ended_gets_no_key_and_those_that_it_had_count_as_revoked() {
    let server = Server::start().await;
    let writer = server.token("agents:write").await;
    for (status, expected) in [
        ("revoked", (409, "INVALID_STATE_TRANSITION")),
        ("decommissioned", (403, "AGENT_DECOMMISSIONED")),
    ] {
        let agent = server.register_agent(json!({})).await;
        add_jwk(&server, &agent, &KeyPair::es256().jwk()).await.expect(201);
        let path = format!("/api/v1/agents/{agent}");
        if status == "revoked" {
            let body = json!({ "status": "revoked" });
            server.patch(path).token(&writer).json(&body).send().await.expect(200);
        } else {
            server.delete(path).token(&writer).send().await.expect(204);
        }
        let refused = add_jwk(&server, &agent, &KeyPair::es256().jwk()).await;
        assert_eq!(refused.refusal(), expected);
        assert_eq!(listed(&server, &agent).await[0]["status"], "revoked");
    }
}
