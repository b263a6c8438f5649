//! How a client authenticates at the OAuth endpoints, and how little it learns where it does not.

use audit::{Action, Outcome};
use credentials::ClientSecret;
use data_encoding::BASE64;
use kernel::ExposeSecret;
use local::SystemEntropy;
use serde_json::json;

use crate::kit::{Answer, Client, Server, call::encoded};

const ENDPOINTS: [&str; 3] = ["/api/v1/token", "/api/v1/token/introspect", "/api/v1/token/revoke"];
const FORM: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("token", "x")];

async fn basic(server: &Server, path: &str, id: &str, secret: &str) -> Answer {
    server.post(path).basic(id, secret).form(&FORM).send().await
}

async fn in_form(server: &Server, path: &str, id: &str, secret: &str) -> Answer {
    let form = [FORM[0], FORM[1], ("client_id", id), ("client_secret", secret)];
    server.post(path).form(&form).send().await
}

fn with_another_end(secret: &str) -> String {
    let other = if secret.ends_with('a') { 'b' } else { 'a' };
    let kept: String = secret.chars().take(secret.chars().count() - 1).collect();
    format!("{kept}{other}")
}

/// Clients that must not get in, each with its reason; some of them do not even exist.
async fn strangers(server: &Server) -> Vec<(&'static str, Client)> {
    let good = server.client(&[]).await;
    let token = server.token("agents:write credentials:write").await;
    let of = |id: &str, secret: &str| Client {
        id: id.to_owned(),
        secret: secret.to_owned(),
        credential: String::new(),
    };
    // Of the right credential and with the right checksum: only the random bits are others.
    let guessed = ClientSecret::generate(good.credential.parse().unwrap(), &SystemEntropy::new());
    let guessed = guessed.unwrap().into_text();
    let mut strangers = vec![
        ("a guessed secret", of(&good.id, guessed.expose_secret())),
        ("unknown id", of("01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091", &good.secret)),
        ("no id", of("nobody", &good.secret)),
        ("an id in upper case", of(&good.id.to_uppercase(), &good.secret)),
        ("another's secret", of(&good.id, &server.admin.secret)),
        ("a foreign secret", of(&good.id, &server.other_admin.secret)),
        ("a foreign id", of(&server.other_admin.id, &good.secret)),
        ("no secret of ours", of(&good.id, "secret")),
        ("a secret in upper case", of(&good.id, &good.secret.to_uppercase())),
        ("a wrong checksum (CA-15)", of(&good.id, &with_another_end(&good.secret))),
        ("a secret cut short", of(&good.id, good.secret.get(..90).unwrap())),
        ("a secret with more", of(&good.id, &format!("{}a", good.secret))),
        ("SQL", of("' OR 1=1 --", "' OR 1=1 --")),
        ("a long id", of(&"x".repeat(4_000), &good.secret)),
    ];
    for status in ["suspended", "revoked"] {
        let client = server.client(&[]).await;
        let call = server.patch(format!("/api/v1/agents/{}", client.id)).token(&token);
        call.json(&json!({ "status": status })).send().await.expect(200);
        strangers.push((status, client));
    }
    let client = server.client(&[]).await;
    let path = format!("/api/v1/agents/{}", client.id);
    server.delete(&path).token(&token).send().await.expect(204);
    strangers.push(("decommissioned", client));

    let client = server.client(&[]).await;
    let path = format!("/api/v1/agents/{}/credentials/{}", client.id, client.credential);
    server.delete(&path).token(&token).send().await.expect(204);
    strangers.push(("a revoked credential", client));

    let client = server.client(&[]).await;
    let path = format!("/api/v1/agents/{}/credentials/{}/rotate", client.id, client.credential);
    server.post(&path).token(&token).send().await.expect(201);
    strangers.push(("a superseded credential", client));

    let id = server.register_agent(json!({})).await;
    let soon = json!({ "expiresAt": "2026-11-21T08:30:00Z" });
    strangers.push(("an expired credential", server.credential(&id, &soon).await));
    server.clock.advance(std::time::Duration::from_secs(1_800));
    strangers
}

#[tokio::test]
async fn ca_12_whatever_is_wrong_with_a_client_the_answer_is_the_same_byte_for_byte() {
    let server = Server::start().await;
    let strangers = strangers(&server).await;
    for path in ENDPOINTS {
        let mut answers = (Vec::new(), Vec::new());
        for (why, client) in &strangers {
            let asked = basic(&server, path, &client.id, &client.secret);
            let (answer, events) = server.events_of_doing(asked).await;
            assert_eq!(answer.refusal(), (401, "invalid_client"), "{why} at {path}");
            assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"agentidp\""));
            let left: Vec<_> = events.iter().map(|event| (event.action, event.outcome)).collect();
            assert_eq!(left, [(Action::AuthFailed, Outcome::Failure)], "{why} at {path}");
            answers.0.push(answer.bare());

            let answer = in_form(&server, path, &client.id, &client.secret).await;
            assert_eq!(answer.refusal(), (401, "invalid_client"), "{why} at {path}");
            assert_eq!(answer.header("www-authenticate"), None);
            answers.1.push(answer.bare());
        }
        answers.0.dedup();
        answers.1.dedup();
        assert_eq!((answers.0.len(), answers.1.len()), (1, 1), "{path} tells clients apart");
    }
}

#[tokio::test]
async fn a_failure_is_in_the_log_of_whom_the_client_claimed_to_be() {
    let server = Server::start().await;
    let unknown = "01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091";
    for (id, organization, agent) in [
        (server.other_admin.id.as_str(), server.other, Some(server.other_admin.id.clone())),
        (server.admin.id.as_str(), server.organization, Some(server.admin.id.clone())),
        (unknown, server.organization, None),
    ] {
        let stranger = server.client(&[]).await;
        let asked = basic(&server, "/api/v1/token", id, &stranger.secret);
        let (_, events) = server.events_of_doing(asked).await;
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.organization, organization);
        assert_eq!(event.agent.map(|agent| agent.to_string()), agent);
    }
}

#[tokio::test]
async fn both_methods_work_at_every_endpoint() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    for path in ENDPOINTS {
        basic(&server, path, &client.id, &client.secret).await.expect(200);
        in_form(&server, path, &client.id, &client.secret).await.expect(200);
        let beside = [FORM[0], FORM[1], ("client_id", client.id.as_str())];
        let call = server.post(path).basic(&client.id, &client.secret).form(&beside);
        call.send().await.expect(200);
    }
}

#[tokio::test]
async fn ca_01_whoever_presents_nothing_is_refused_and_noted() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let bearer = server.token("tokens:introspect").await;
    let id_only = [FORM[0], FORM[1], ("client_id", client.id.as_str())];
    let secret_only = [FORM[0], FORM[1], ("client_secret", client.secret.as_str())];
    let path = "/api/v1/token";
    let calls = [
        ("nothing", server.post(path).form(&FORM), false),
        ("an id", server.post(path).form(&id_only), false),
        ("a secret", server.post(path).form(&secret_only), false),
        ("a bearer token", server.post(path).token(&bearer).form(&FORM), false),
        ("an empty Basic", server.post(path).header("authorization", "Basic").form(&FORM), true),
        ("an empty pair", server.post(path).basic("", "").form(&FORM), true),
        ("no secret", server.post(path).basic(&client.id, "").form(&FORM), true),
        (
            "another scheme",
            server.post(path).header("authorization", "Digest a").form(&FORM),
            false,
        ),
    ];
    for (what, call, tried) in calls {
        let (answer, events) = server.events_of_doing(call.send()).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{what}");
        let asked = answer.header("www-authenticate").map(|it| it.starts_with("Basic "));
        assert_eq!(asked, tried.then_some(true), "{what}");
        let left: Vec<_> = events.iter().map(|event| event.action).collect();
        assert_eq!(left, [Action::AuthFailed], "{what}");
    }
}

#[tokio::test]
async fn ca_02_two_methods_are_refused_even_where_one_would_pass() {
    let server = Server::start().await;
    let client = server.client(&["resource_server"]).await;
    let bearer = server.token("tokens:introspect").await;
    let (id, secret) = (client.id.as_str(), client.secret.as_str());
    let both = [FORM[0], FORM[1], ("client_id", id), ("client_secret", secret)];
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let asserted =
        [FORM[0], FORM[1], ("client_assertion", "a.b.c"), ("client_assertion_type", kind)];
    for path in ENDPOINTS {
        for (what, call) in [
            ("Basic and form", server.post(path).basic(id, secret).form(&both)),
            ("bearer and form", server.post(path).token(&bearer).form(&both)),
            ("Basic and assertion", server.post(path).basic(id, secret).form(&asserted)),
            ("Basic twice", server.post(path).basic(id, secret).basic(id, secret).form(&FORM)),
            ("Basic and bearer", server.post(path).basic(id, secret).token(&bearer).form(&FORM)),
        ] {
            let answer = call.send().await;
            assert_eq!(answer.refusal(), (400, "invalid_request"), "{what} at {path}");
        }
    }
}

#[tokio::test]
async fn ca_04_an_id_in_the_form_that_is_not_the_one_in_basic_is_refused() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let form = [FORM[0], ("client_id", server.admin.id.as_str())];
    let call = server.post("/api/v1/token").basic(&client.id, &client.secret).form(&form);
    assert_eq!(call.send().await.refusal(), (401, "invalid_client"));
}

#[tokio::test]
async fn ca_11_basic_is_decoded_as_rfc_6749_has_it_or_refused() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let (id, secret) = (&client.id, &client.secret);
    let raw = |pair: &str| format!("Basic {}", BASE64.encode(pair.as_bytes()));
    let good = raw(&format!("{id}:{secret}"));
    let unpadded = good.trim_end_matches('=').to_owned();
    for (header, expected) in [
        (good.clone(), 200),
        (good.replace("Basic", "basic"), 200),
        (raw(&format!("{}:{}", encoded(id), encoded(secret))), 200),
        (raw(&format!("{id}:{secret}:")), 401),
        (raw(&format!("{id}:{secret}\0")), 401),
        (raw(&format!("{id}:%zz{secret}")), 401),
        (raw(&format!("{id}%00:{secret}")), 401),
        (raw(id), 401),
        (format!("{good}!"), 401),
        (format!("{good} {good}"), 401),
        ("Basic \u{e9}".to_owned(), 401),
        (format!("Basic {}", "A".repeat(1_000_000)), 401),
        (format!("{unpadded}%"), 401),
    ] {
        let call = server.post("/api/v1/token").header("authorization", &header).form(&FORM);
        let answer = call.send().await;
        assert_eq!(answer.status, expected, "{}", header.chars().take(120).collect::<String>());
    }
}

#[tokio::test]
async fn ca_16_a_parameter_in_the_uri_is_refused_whatever_the_body_says() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    for path in ENDPOINTS {
        for query in [
            format!("client_secret={}", client.secret),
            format!("client_id={}&client_secret={}", client.id, client.secret),
            "grant_type=client_credentials".to_owned(),
            "unknown".to_owned(),
        ] {
            let call = server.post(format!("{path}?{query}"));
            let answer = call.basic(&client.id, &client.secret).form(&FORM).send().await;
            assert_eq!(answer.refusal(), (400, "invalid_request"), "{path} {query}");
        }
        let empty = server.post(format!("{path}?")).basic(&client.id, &client.secret);
        empty.form(&FORM).send().await.expect(200);
    }
}
