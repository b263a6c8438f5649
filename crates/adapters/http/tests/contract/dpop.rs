//! Tokens that are bound to a key (RFC 9449): how one is got, how it is shown, and what is no proof.

use std::{collections::BTreeSet, time::Duration};

use audit::{Action, Outcome};
use axum::http::Method;
use futures_util::future::join_all;
use kernel::Clock;
use serde_json::{Value, json};

use crate::kit::{
    Answer, Client, KeyPair, Prover, Server, Settings,
    prover::{AGENTS, TOKEN, hash},
};

/// The claims with one of them otherwise; with `null`, without it.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    let members = claims.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    claims
}

fn challenges(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all("www-authenticate").iter().map(|one| one.to_str().unwrap()).collect()
}

/// A refusal of a proof by the management API.
#[track_caller]
fn refused_at_the_resource(answer: &Answer, error: &str) {
    assert_eq!(answer.refusal(), (401, "UNAUTHORIZED"), "{error}");
    let [challenge] = challenges(answer)[..] else { panic!("{:?}", challenges(answer)) };
    assert!(challenge.starts_with(&format!("DPoP error=\"{error}\", ")), "{challenge}");
    assert!(challenge.contains("algs=\"ES256 EdDSA Ed25519 PS256\""), "{challenge}");
    assert!(challenge.contains("/.well-known/oauth-protected-resource\""), "{challenge}");
}

/// A proof of the request, altered, is refused at the token endpoint and at the management API.
async fn refused_everywhere(
    server: &Server,
    client: &Client,
    alter: impl Fn(&Prover<'_>, Value) -> String,
) {
    let prover = Prover::new(server);
    let token = prover.token(client).await;
    let nonce = prover.nonce(client).await;
    let proof = alter(&prover, prover.claims("POST", TOKEN, &nonce));
    let asked = prover.ask_with(client, &proof).await;
    assert_eq!(asked.refusal(), (400, "invalid_dpop_proof"));
    let proof = alter(&prover, prover.claims_with(&token, ("GET", AGENTS), &nonce));
    let call = server.get(AGENTS).header("authorization", format!("DPoP {token}"));
    let shown = call.header("dpop", proof).send().await;
    refused_at_the_resource(&shown, "invalid_dpop_proof");
}

#[tokio::test]
async fn a_token_is_bound_to_the_key_of_a_proof_and_shown_with_one_and_says_so() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    for algorithm in ["ES256", "EdDSA", "PS256"] {
        let prover = Prover::with(&server, KeyPair::of(algorithm));
        let nonce = prover.nonce(&client).await;
        let answer = prover.ask(&client, &prover.claims("POST", TOKEN, &nonce)).await.expect(200);
        assert_eq!(answer.text("token_type"), "DPoP", "{algorithm}");
        let token = answer.text("access_token");
        let nonce = answer.header("dpop-nonce").unwrap();

        let claims = prover.claims_with(&token, ("GET", AGENTS), nonce);
        let shown = prover.list(&token, &claims).await.expect(200);
        assert!(shown.header("dpop-nonce").is_some());

        let introspect = server.post("/api/v1/token/introspect");
        let form = [("token", token.as_str())];
        let told = introspect.basic(&client.id, &client.secret).form(&form).send().await;
        let jwk = prover.pair.jwk();
        let members = match algorithm {
            "ES256" => {
                json!({"crv": "P-256", "kty": "EC", "x": jwk["x"], "y": jwk["y"]})
            }
            "EdDSA" => json!({"crv": "Ed25519", "kty": "OKP", "x": jwk["x"]}),
            _ => json!({"e": "AQAB", "kty": "RSA", "n": jwk["n"]}),
        };
        let thumbprint = hash(&members.to_string());
        assert_eq!(told.json["cnf"], json!({ "jkt": thumbprint }), "{algorithm}");
        assert_eq!(told.json["token_type"], "DPoP");
    }
}

#[tokio::test]
async fn a_proof_of_a_request_that_is_refused_for_something_else_is_not_used_up() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let prover = Prover::new(&server);
    let nonce = prover.nonce(&client).await;
    let proof = prover.proof(&prover.claims("POST", TOKEN, &nonce));
    for (more, error) in [
        (("scope", "agents:write"), "invalid_scope"),
        (("resource", "https://nobody.example"), "invalid_target"),
    ] {
        let form = [("grant_type", "client_credentials"), more];
        let call = server.post(TOKEN).basic(&client.id, &client.secret).form(&form);
        let refused = call.header("dpop", &proof).send().await;
        assert_eq!(refused.refusal(), (400, error));
    }
    prover.ask_with(&client, &proof).await.expect(200);
    let again = prover.ask_with(&client, &proof).await;
    assert_eq!(again.refusal(), (400, "invalid_dpop_proof"));
}

#[tokio::test]
async fn a_bound_token_is_shown_at_the_oauth_endpoints_too() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let prover = Prover::new(&server);
    let token = prover.token(&client).await;
    for path in ["/api/v1/token/introspect", "/api/v1/token/revoke"] {
        let call = || {
            let call = server.post(path).header("authorization", format!("DPoP {token}"));
            call.form(&[("token", "another")])
        };
        let claims = prover.claims_with(&token, ("POST", path), "");
        let answer = call().header("dpop", prover.proof(&claims)).send().await;
        assert_eq!(answer.refusal(), (401, "use_dpop_nonce"), "{path}");
        assert!(challenges(&answer)[0].starts_with("DPoP error=\"use_dpop_nonce\""));
        let nonce = answer.header("dpop-nonce").unwrap().to_owned();

        let claims = prover.claims_with(&token, ("POST", path), &nonce);
        let proof = prover.proof(&claims);
        // At introspection the scope is asked for, which this token lacks.
        let shown = call().header("dpop", &proof).send().await;
        assert!(matches!(shown.status, 200 | 403), "{path}: {}", shown.status);
        let again = call().header("dpop", &proof).send().await;
        assert_eq!(again.refusal(), (401, "invalid_dpop_proof"), "{path}");
        let bare = call().send().await;
        assert_eq!(bare.refusal(), (401, "invalid_dpop_proof"), "{path}");
    }
}

#[tokio::test]
async fn dp_01_a_proof_that_lacks_anything_is_refused() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    for name in ["jti", "htm", "htu", "iat"] {
        refused_everywhere(&server, &client, |prover, claims| {
            prover.proof(&with(claims, name, Value::Null))
        })
        .await;
    }
    for name in ["typ", "alg", "jwk"] {
        refused_everywhere(&server, &client, |prover, claims| {
            prover.pair.signed(&with(prover.header(), name, Value::Null), &claims)
        })
        .await;
    }
    let prover = Prover::new(&server);
    let token = prover.token(&client).await;
    let nonce = prover.nonce(&client).await;
    let answer = prover.list(&token, &prover.claims("GET", AGENTS, &nonce)).await;
    refused_at_the_resource(&answer, "invalid_dpop_proof");
    let shown = server.get(AGENTS).header("authorization", format!("DPoP {token}")).send().await;
    refused_at_the_resource(&shown, "invalid_dpop_proof");
}

#[tokio::test]
async fn dp_02_a_proof_comes_once_and_never_beside_a_bearer_token() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let prover = Prover::new(&server);
    let bound = prover.token(&client).await;
    let bearer = server.token_of(&client, "").await;
    let nonce = prover.nonce(&client).await;

    let proof = || prover.proof(&prover.claims("POST", TOKEN, &nonce));
    let twice = prover.asking(&client).header("dpop", proof()).header("dpop", proof());
    assert_eq!(twice.send().await.refusal(), (400, "invalid_dpop_proof"));
    let joined = prover.ask_with(&client, &format!("{}, {}", proof(), proof())).await;
    assert_eq!(joined.refusal(), (400, "invalid_dpop_proof"));

    let proof = |token| prover.proof(&prover.claims_with(token, ("GET", AGENTS), &nonce));
    let shown = |authorization: String| server.get(AGENTS).header("authorization", authorization);
    let twice = shown(format!("DPoP {bound}")).header("dpop", proof(&bound));
    refused_at_the_resource(
        &twice.header("dpop", proof(&bound)).send().await,
        "invalid_dpop_proof",
    );
    // A bound token as one that is not, and one that is not as a bound one.
    let downgraded = shown(format!("Bearer {bound}")).send().await;
    assert!(challenges(&downgraded)[0].starts_with("Bearer error=\"invalid_token\""));
    for token in [&bound, &bearer] {
        let beside = shown(format!("Bearer {token}")).header("dpop", proof(token)).send().await;
        assert_eq!(beside.status, 401);
        assert!(challenges(&beside)[0].starts_with("Bearer error=\"invalid_token\""));
    }
    let dressed = shown(format!("DPoP {bearer}")).header("dpop", proof(&bearer)).send().await;
    refused_at_the_resource(&dressed, "invalid_token");
    shown(format!("Bearer {bearer}")).send().await.expect(200);
    shown(format!("DPoP {bound}")).header("dpop", proof(&bound)).send().await.expect(200);
}

#[tokio::test]
async fn dp_03_a_proof_is_signed_by_its_own_public_key_in_a_way_that_is_advertised() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    for algorithm in ["none", "HS256", "RS256", "PS256"] {
        refused_everywhere(&server, &client, |prover, claims| {
            prover.pair.signed(&with(prover.header(), "alg", json!(algorithm)), &claims)
        })
        .await;
    }
    for (name, value) in [("d", json!("AQ")), ("kty", json!("oct")), ("k", json!("AQ"))] {
        refused_everywhere(&server, &client, |prover, claims| {
            let jwk = with(prover.pair.jwk(), name, value.clone());
            prover.pair.signed(&with(prover.header(), "jwk", jwk), &claims)
        })
        .await;
    }
    let (rsa, other) = (KeyPair::of("RS256"), KeyPair::es256());
    refused_everywhere(&server, &client, |_, claims| {
        let header = json!({ "typ": "dpop+jwt", "alg": "RS256", "jwk": rsa.jwk() });
        rsa.signed(&header, &claims)
    })
    .await;
    refused_everywhere(&server, &client, |prover, claims| other.signed(&prover.header(), &claims))
        .await;

    for path in ["/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource"]
    {
        let metadata = server.get(path).send().await.expect(200);
        let advertised = &metadata.json["dpop_signing_alg_values_supported"];
        assert_eq!(*advertised, json!(["ES256", "EdDSA", "Ed25519", "PS256"]), "{path}");
    }
}

#[tokio::test]
async fn dp_04_a_proof_is_of_the_request_that_it_came_with() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let prover = Prover::new(&server);
    let nonce = prover.nonce(&client).await;
    let host = "idp.example.com";
    for (name, value, status) in [
        ("htm", "GET".to_owned(), 400),
        ("htm", "post".to_owned(), 400),
        ("htu", format!("https://{host}/api/v1/token/revoke"), 400),
        ("htu", format!("https://{host}.evil.example{TOKEN}"), 400),
        ("htu", format!("http://{host}{TOKEN}"), 400),
        ("htu", TOKEN.to_owned(), 400),
        ("htu", format!("https://{host}{TOKEN}?a=b"), 200),
        ("htu", format!("https://{host}{TOKEN}#a"), 200),
        ("htu", format!("https://{host}:443{TOKEN}"), 200),
        ("htu", format!("https://IDP.Example.COM{TOKEN}"), 200),
    ] {
        let claims = with(prover.claims("POST", TOKEN, &nonce), name, json!(value));
        assert_eq!(prover.ask(&client, &claims).await.status, status, "{value}");
    }
    let token = prover.token(&client).await;
    for (request, status) in
        [(("GET", AGENTS), 200), (("HEAD", AGENTS), 401), (("GET", "/api/v1/organization"), 401)]
    {
        let claims = prover.claims_with(&token, request, &nonce);
        assert_eq!(prover.list(&token, &claims).await.status, status, "{request:?}");
    }
    // A query is none of the proof's, and HEAD is a method of its own.
    let claims = prover.claims_with(&token, ("HEAD", AGENTS), &nonce);
    let call = server.call(Method::HEAD, format!("{AGENTS}?limit=1"));
    let call = call.header("authorization", format!("DPoP {token}"));
    call.header("dpop", prover.proof(&claims)).send().await.expect(200);
}

#[tokio::test]
async fn dp_05_a_proof_is_of_now() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let prover = Prover::new(&server);
    let nonce = prover.nonce(&client).await;
    let now = server.clock.now().unix_seconds();
    for (time, status) in [
        (json!(now - 10), 200),
        (json!(now + 10), 200),
        (json!(now - 61), 400),
        (json!(now + 61), 400),
        (json!(now - 3_600), 400),
        (json!(now + 3_600), 400),
        (json!(now.to_string()), 400),
        (json!(1.795_248e9), 400),
        (json!(now).to_string().parse::<f64>().map(|now| json!(now + 0.5)).unwrap(), 400),
    ] {
        let claims = with(prover.claims("POST", TOKEN, &nonce), "iat", time.clone());
        let answer = prover.ask(&client, &claims).await;
        assert_eq!(answer.status, status, "{time}");
        if status == 400 {
            assert_eq!(answer.refusal().1, "invalid_dpop_proof", "{time}");
        }
    }
}

#[tokio::test]
async fn dp_06_of_64_uses_of_one_proof_at_once_exactly_one_passes() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let prover = Prover::new(&server);
    let token = prover.token(&client).await;
    let nonce = prover.nonce(&client).await;

    let proof = prover.proof(&prover.claims("POST", TOKEN, &nonce));
    let all = join_all((0..64).map(|_| prover.ask_with(&client, &proof))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 200).count(), 1);
    let refused = all.iter().filter(|answer| answer.status == 400);
    let refused: BTreeSet<_> = refused.map(|answer| answer.text("error_description")).collect();
    assert_eq!(refused, ["the DPoP proof is refused: it was used before".to_owned()].into());

    let claims = prover.claims_with(&token, ("GET", AGENTS), &nonce);
    let all = join_all((0..64).map(|_| prover.list(&token, &claims))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in all.iter().filter(|answer| answer.status != 200) {
        refused_at_the_resource(answer, "invalid_dpop_proof");
    }
}

#[tokio::test]
async fn dp_07_a_proof_is_of_the_token_that_is_shown_and_of_the_key_that_it_is_bound_to() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let (prover, other) = (Prover::new(&server), Prover::new(&server));
    let (token, another) = (prover.token(&client).await, prover.token(&client).await);
    let nonce = prover.nonce(&client).await;
    let claims = prover.claims_with(&another, ("GET", AGENTS), &nonce);
    refused_at_the_resource(&prover.list(&token, &claims).await, "invalid_dpop_proof");
    let claims = other.claims_with(&token, ("GET", AGENTS), &nonce);
    refused_at_the_resource(&other.list(&token, &claims).await, "invalid_token");
    let claims = prover.claims_with(&token, ("GET", AGENTS), &nonce);
    prover.list(&token, &claims).await.expect(200);
    // Where none is shown there is no hash of one.
    let claims = prover.claims_with(&token, ("POST", TOKEN), &nonce);
    assert_eq!(prover.ask(&client, &claims).await.refusal(), (400, "invalid_dpop_proof"));
}

#[tokio::test]
async fn dp_08_a_nonce_is_good_for_five_minutes_in_its_organization_and_made_by_nobody_else() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let prover = Prover::new(&server);
    let token = prover.token(&client).await;
    let foreign = prover.nonce(&server.other_admin).await;
    let good = prover.nonce(&client).await;
    let forged = format!("B{}", good.split_at(1).1);
    let expired = prover.nonce(&client).await;
    server.clock.advance(Duration::from_secs(300));
    for nonce in [&foreign, &forged, &expired, "", "AQ", "???", &"A".repeat(4_000)] {
        let claims = prover.claims("POST", TOKEN, nonce);
        let answer = prover.ask(&client, &claims).await;
        assert_eq!(answer.refusal(), (400, "use_dpop_nonce"), "{nonce}");
        let fresh = answer.header("dpop-nonce").unwrap();
        let claims = with(claims, "nonce", json!(fresh));
        prover.ask(&client, &claims).await.expect(200);

        let claims = prover.claims_with(&token, ("GET", AGENTS), nonce);
        let answer = prover.list(&token, &claims).await;
        refused_at_the_resource(&answer, "use_dpop_nonce");
        let fresh = answer.header("dpop-nonce").unwrap();
        let claims = with(claims, "nonce", json!(fresh));
        prover.list(&token, &claims).await.expect(200);
    }
}

#[tokio::test]
async fn dp_09_an_agent_that_takes_bound_tokens_alone_gets_no_other() {
    let server = Server::start().await;
    let id = server.register_agent(json!({ "dpopBoundAccessTokens": true })).await;
    let client = server.credential(&id, &json!({})).await;
    let (answer, events) = server.events_of_doing(server.ask(&client, &[])).await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
    assert!(answer.text("error_description").contains("DPoP"));
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.action, event.outcome), (Action::TokenRefused, Outcome::Failure));
    Prover::new(&server).token(&client).await;
}

#[tokio::test]
async fn a_proof_that_is_refused_leaves_an_event_and_one_without_a_nonce_leaves_none() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let prover = Prover::new(&server);
    let token = prover.token(&client).await;
    let (_, events) = server.events_of_doing(prover.nonce(&client)).await;
    assert!(events.is_empty(), "{events:?}");

    let (answer, events) = server.events_of_doing(prover.ask_with(&client, "a.b.c")).await;
    assert_eq!(answer.refusal(), (400, "invalid_dpop_proof"));
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.action, event.outcome), (Action::TokenRefused, Outcome::Failure));
    assert_eq!(event.metadata["error"], "invalid_dpop_proof");

    let claims = prover.claims("GET", AGENTS, "");
    let (answer, events) = server.events_of_doing(prover.list(&token, &claims)).await;
    refused_at_the_resource(&answer, "invalid_dpop_proof");
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.action, event.outcome), (Action::AuthFailed, Outcome::Failure));
}

#[tokio::test]
async fn a_client_that_did_not_authenticate_is_told_nothing_of_its_proof() {
    let server = Server::start().await;
    let mut client = server.client(&[]).await;
    let prover = Prover::new(&server);
    let nonce = prover.nonce(&client).await;
    let claims = prover.claims("POST", TOKEN, &nonce);
    let secret = std::mem::replace(&mut client.secret, "idp_sk_wrong".to_owned());
    for proof in [prover.proof(&claims), "nonsense".to_owned()] {
        let answer = prover.ask_with(&client, &proof).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"));
        assert_eq!(answer.header("dpop-nonce"), None);
    }
    // Nor is the proof used up by that.
    client.secret = secret;
    prover.ask(&client, &claims).await.expect(200);
}

#[tokio::test]
async fn a_token_that_is_over_is_refused_as_such_whatever_its_proof() {
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let prover = Prover::new(&server);
    let token = prover.token(&client).await;
    server.clock.advance(Duration::from_secs(900));
    let claims = prover.claims_with(&token, ("GET", AGENTS), "");
    let answer = prover.list(&token, &claims).await;
    refused_at_the_resource(&answer, "invalid_token");
    assert_eq!(answer.header("dpop-nonce"), None);
}

#[tokio::test]
async fn a_request_without_a_token_is_told_of_both_schemes() {
    let server = Server::start().await;
    let answer = server.get(AGENTS).send().await.expect(401);
    let metadata =
        "resource_metadata=\"https://idp.example.com/.well-known/oauth-protected-resource\"";
    let scope = "scope=\"agents:read\"";
    assert_eq!(
        challenges(&answer),
        [
            format!("Bearer {scope}, {metadata}"),
            format!("DPoP {scope}, algs=\"ES256 EdDSA Ed25519 PS256\", {metadata}")
        ]
    );
}

#[tokio::test]
async fn a_page_of_another_origin_may_show_proofs_and_read_nonces() {
    let ours = "https://console.example.com";
    let server = Server::with(Settings { cors_origin: Some(ours), ..Settings::default() }).await;
    let asked = server.call(Method::OPTIONS, TOKEN).header("origin", ours);
    let asked = asked.header("access-control-request-method", "POST");
    let asked = asked.header("access-control-request-headers", "dpop").send_undocumented().await;
    assert!(asked.header("access-control-allow-headers").unwrap().contains("dpop"));
    let answer = server.get(AGENTS).header("origin", ours).send().await;
    assert!(answer.header("access-control-expose-headers").unwrap().contains("dpop-nonce"));
}
