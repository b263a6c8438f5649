//! How a client authenticates by an assertion that it signs, `private_key_jwt`: once, for this
//! issuer, and by no other way.

use std::time::Duration;

use audit::{Action, Outcome};
use kernel::Clock;
use serde_json::json;

use crate::kit::{
    Answer, KeyPair, Server, SigningClient,
    server::ISSUER,
    signing_client::{ASSERTION_TYPE, register},
};

const ENDPOINTS: [&str; 3] = ["/api/v1/token", "/api/v1/token/introspect", "/api/v1/token/revoke"];
async fn ask(server: &Server, path: &str, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let form = [
        &[
            ("grant_type", "client_credentials"),
            ("token", "x"),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ],
        more,
    ]
    .concat();
    server.post(path).form(&form).send().await
}

#[tokio::test]
async fn a_client_gets_a_token_by_an_assertion_of_any_kind_of_key() {
    let server = Server::start().await;
    for algorithm in ["ES256", "EdDSA", "RS256", "PS256"] {
        let client = SigningClient::with(&server, KeyPair::of(algorithm)).await;
        for (jti, more) in [("1", vec![]), ("2", vec![("client_id", client.id.as_str())])] {
            let assertion = client.assertion(&server, jti);
            let asked = ask(&server, ENDPOINTS[0], &assertion, &more);
            let (answer, events) = server.events_of_doing(asked).await;
            let token = answer.expect(200).text("access_token");
            let left: Vec<_> = events.iter().map(|event| (event.action, event.outcome)).collect();
            assert_eq!(left, [(Action::TokenIssued, Outcome::Success)]);
            let own = server.get(format!("/api/v1/agents/{}", client.id)).token(&token);
            own.send().await.expect(200);
        }
    }
}

#[tokio::test]
async fn ir_05_a_token_dies_with_the_key_that_obtained_it() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    let asked = ask(&server, ENDPOINTS[0], &client.assertion(&server, "1"), &[]).await;
    let token = asked.expect(200).text("access_token");
    let own = format!("/api/v1/agents/{}", client.id);
    server.get(&own).token(&token).send().await.expect(200);

    let admin = server.token("credentials:write agents:read").await;
    let keys = server.get(format!("{own}/keys")).token(&admin).send().await.expect(200);
    let kid = keys.json["data"][0]["kid"].as_str().unwrap();
    server.delete(format!("{own}/keys/{kid}")).token(&admin).send().await.expect(204);
    let refused = server.get(&own).token(&token).send().await;
    assert_eq!(refused.refusal().0, 401);
    let refused = ask(&server, ENDPOINTS[0], &client.assertion(&server, "2"), &[]).await;
    assert_eq!(refused.refusal(), (401, "invalid_client"));
}

#[tokio::test]
async fn ca_02_two_ways_at_once_are_refused_whole() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    let other = server.client(&[]).await;
    for path in ENDPOINTS {
        let assertion = client.assertion(&server, path);
        let secret = [("client_id", other.id.as_str()), ("client_secret", other.secret.as_str())];
        let answer = ask(&server, path, &assertion, &secret).await;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{path}");
        let form = [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &*assertion)];
        let both = server.post(path).basic(&other.id, &other.secret).form(&form).send().await;
        assert_eq!(both.refusal(), (400, "invalid_request"), "{path}");
    }
}

#[tokio::test]
async fn ca_03_a_client_of_a_key_gets_in_by_no_secret_and_one_of_a_secret_by_no_assertion() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let pair = KeyPair::es256();
    let signing = SigningClient { id: client.id.clone(), pair };
    for path in ENDPOINTS {
        let refused = ask(&server, path, &signing.assertion(&server, path), &[]).await;
        assert_eq!(refused.refusal(), (401, "invalid_client"), "{path}");
    }
    register(&server, &client.id, &signing.pair).await.expect(201);
    for path in ENDPOINTS {
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let refused = server.post(path).basic(&client.id, &client.secret).form(&form).send().await;
        assert_eq!(refused.refusal(), (401, "invalid_client"), "{path}");
        let beside = [form[0], form[1], ("client_assertion", "e30.e30.")];
        let call = server.post(path).basic(&client.id, &client.secret).form(&beside);
        assert_eq!(call.send().await.refusal(), (400, "invalid_request"), "{path}");
        let good = ask(&server, path, &signing.assertion(&server, &format!("2{path}")), &[]).await;
        assert_eq!(good.status, 200, "{path}");
    }
}

#[tokio::test]
async fn ca_04_the_id_in_the_form_is_the_clients_own() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    let other = server.client(&[]).await;
    for path in ENDPOINTS {
        for id in [other.id.as_str(), server.other_admin.id.as_str(), "nobody"] {
            let assertion = client.assertion(&server, path);
            let refused = ask(&server, path, &assertion, &[("client_id", id)]).await;
            assert_eq!(refused.refusal(), (401, "invalid_client"), "{path}: {id}");
        }
    }
}

#[tokio::test]
async fn ca_05_to_07_an_assertion_that_is_bent_in_any_way_is_one_refusal() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    let now = server.clock.now().unix_seconds();
    let other = server.client(&[]).await;
    let mut bent = vec![
        client.with_claim(&server, "iss", json!(other.id)),
        client.with_claim(&server, "sub", json!(other.id)),
        client.with_claim(&server, "aud", json!(format!("{ISSUER}/api/v1/token"))),
        client.with_claim(&server, "aud", json!([ISSUER])),
        client.with_claim(&server, "aud", json!([ISSUER, "https://evil.example"])),
        client.with_claim(&server, "aud", json!(format!("{ISSUER}/"))),
        client.with_claim(&server, "exp", json!(now - 300)),
        client.with_claim(&server, "exp", json!(now)),
        client.with_claim(&server, "exp", json!(now + 31_536_000)),
        client.with_claim(&server, "exp", json!((now + 60) * 1_000)),
    ];
    for name in ["iss", "sub", "aud", "exp", "jti"] {
        let mut claims = client.claims(&server, "bent");
        claims.as_object_mut().unwrap().remove(name);
        bent.push(client.pair.signed(&client.header(), &claims));
    }
    for algorithm in ["none", "HS256", "RS256"] {
        let header = json!({ "alg": algorithm });
        bent.push(client.pair.signed(&header, &client.claims(&server, "bent")));
    }
    let forger = SigningClient { id: client.id.clone(), pair: KeyPair::es256() };
    bent.push(forger.assertion(&server, "bent"));
    bent.push(client.assertion(&server, "bent").replace('.', ".."));
    bent.push("a.b.c".to_owned());
    let unknown = "01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091".to_owned();
    bent.push(SigningClient { id: unknown, pair: KeyPair::es256() }.assertion(&server, "bent"));
    for path in ENDPOINTS {
        let mut answers = Vec::new();
        for assertion in &bent {
            let asked = ask(&server, path, assertion, &[]);
            let (answer, events) = server.events_of_doing(asked).await;
            assert_eq!(answer.refusal(), (401, "invalid_client"), "{path}: {assertion}");
            let left: Vec<_> = events.iter().map(|event| (event.action, event.outcome)).collect();
            assert_eq!(left, [(Action::AuthFailed, Outcome::Failure)], "{path}: {assertion}");
            answers.push(answer.bare());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{path} tells why");
    }
    // None of them used up the id.
    ask(&server, ENDPOINTS[0], &client.assertion(&server, "bent"), &[]).await.expect(200);
}

#[tokio::test]
async fn ca_08_of_many_uses_at_once_one_gets_in() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    for round in 0..4 {
        let assertion = client.assertion(&server, &round.to_string());
        let uses = (0..16).map(|_| ask(&server, ENDPOINTS[0], &assertion, &[]));
        let answers = futures_util::future::join_all(uses).await;
        let let_in = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(let_in, 1, "round {round}");
        let refused = answers.iter().filter(|answer| answer.status != 200);
        for answer in refused {
            assert_eq!(answer.refusal(), (401, "invalid_client"));
        }
    }
}

#[tokio::test]
async fn ca_09_an_assertion_is_used_once_at_whatever_endpoint() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    for (first, path) in ENDPOINTS.into_iter().enumerate() {
        let assertion = client.assertion(&server, path);
        assert_eq!(ask(&server, path, &assertion, &[]).await.status, 200, "{path}");
        for again in ENDPOINTS {
            let refused = ask(&server, again, &assertion, &[]).await;
            assert_eq!(refused.refusal(), (401, "invalid_client"), "{first}: {path}, {again}");
        }
    }
}

#[tokio::test]
async fn ca_10_the_id_of_one_client_is_not_used_up_by_another() {
    let server = Server::start().await;
    let (one, two) =
        (SigningClient::registered(&server).await, SigningClient::registered(&server).await);
    for client in [&one, &two] {
        ask(&server, ENDPOINTS[0], &client.assertion(&server, "1"), &[]).await.expect(200);
    }
}

#[tokio::test]
async fn ck_01_a_client_whose_clock_is_a_little_ahead_is_let_in() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    let ahead = |seconds: i64| {
        let made = server.clock.now().unix_seconds() + seconds;
        let mut claims = client.claims(&server, &seconds.to_string());
        claims["iat"] = json!(made);
        claims["nbf"] = json!(made);
        claims["exp"] = json!(made + 300);
        client.pair.signed(&client.header(), &claims)
    };
    ask(&server, ENDPOINTS[0], &ahead(5), &[]).await.expect(200);
    ask(&server, ENDPOINTS[0], &ahead(10), &[]).await.expect(200);
    let refused = ask(&server, ENDPOINTS[0], &ahead(11), &[]).await;
    assert_eq!(refused.refusal(), (401, "invalid_client"));
}

#[tokio::test]
async fn a_client_that_is_suspended_gets_in_by_no_assertion_and_uses_none_up() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    let token = server.token("agents:write").await;
    let status = async |status: &str| {
        let call = server.patch(format!("/api/v1/agents/{}", client.id)).token(&token);
        call.json(&json!({ "status": status })).send().await.expect(200);
    };
    let assertion = client.assertion(&server, "1");
    status("suspended").await;
    let refused = ask(&server, ENDPOINTS[0], &assertion, &[]).await;
    assert_eq!(refused.refusal(), (401, "invalid_client"));
    status("active").await;
    ask(&server, ENDPOINTS[0], &assertion, &[]).await.expect(200);
    server.clock.advance(Duration::from_secs(60));
    let late = ask(&server, ENDPOINTS[0], &assertion, &[]).await;
    assert_eq!(late.refusal(), (401, "invalid_client"));
}

#[tokio::test]
async fn an_assertion_of_another_kind_or_half_of_one_is_told_so() {
    let server = Server::start().await;
    let client = SigningClient::registered(&server).await;
    let assertion = client.assertion(&server, "1");
    for form in [
        vec![("client_assertion", &*assertion)],
        vec![("client_assertion_type", ASSERTION_TYPE)],
        vec![
            ("client_assertion", &*assertion),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
        ],
    ] {
        for path in ENDPOINTS {
            let answer = server.post(path).form(&form).send().await;
            assert_eq!(answer.refusal(), (400, "invalid_request"), "{path}");
        }
    }
}
