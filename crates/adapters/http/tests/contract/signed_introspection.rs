//! Signed answers to introspections (RFC 9701): for whoever asks for one, and good for nothing else.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::{Value, json};

use crate::kit::{Answer, Client, Server, call::Call, document::Document, server::ISSUER};

const PATH: &str = "/api/v1/token/introspect";
const SIGNED: &str = "application/token-introspection+jwt";

fn by<'a>(server: &'a Server, client: &Client, token: &str) -> Call<'a> {
    server.post(PATH).basic(&client.id, &client.secret).form(&[("token", token)])
}

/// A signed answer to a client about a token.
pub(crate) async fn answer_about(server: &Server, client: &Client, token: &str) -> String {
    let answer = by(server, client, token).header("accept", SIGNED).send().await.expect(200);
    String::from_utf8(answer.body).unwrap()
}

/// The claims of an answer, its signature checked by a library that is not ours.
async fn claims(server: &Server, answer: &Answer, audience: &str) -> Value {
    assert_eq!(answer.header("content-type"), Some(SIGNED));
    let kept = (answer.header("cache-control"), answer.header("pragma"));
    assert_eq!(kept, (Some("no-store"), Some("no-cache")));
    let jwt = std::str::from_utf8(&answer.body).unwrap();
    let header = decode_header(jwt).unwrap();
    assert_eq!(header.typ.as_deref(), Some("token-introspection+jwt"));
    let keys = server.get("/.well-known/jwks.json").send().await.expect(200);
    let keys: JwkSet = serde_json::from_value(keys.json).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["iss", "aud"]);
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let claims = decode::<Value>(jwt, &key, &validation).unwrap().claims;
    let schema = json!({ "$ref": "#/components/schemas/IntrospectionClaims" });
    Document::get().validate(&schema, &claims, "the claims");
    claims
}

#[tokio::test]
async fn a_signed_answer_says_what_the_plain_one_says_and_to_whom() {
    let server = Server::start().await;
    let subject = server.client(&[]).await;
    let token = server.token_of(&subject, "resume:read").await;
    let foreign = server.token_of(&server.other_admin, "agents:read").await;
    let own = server.token("tokens:introspect").await;
    for about in [token.as_str(), &foreign, "garbage", "a.b.c"] {
        for is_client in [true, false] {
            let call = || {
                if is_client {
                    by(&server, &server.admin, about)
                } else {
                    server.post(PATH).token(&own).form(&[("token", about)])
                }
            };
            let audience = &server.admin.id;
            let plain = call().send().await.expect(200);
            let asked = call().header("accept", SIGNED).send();
            let (answer, events) = server.events_of_doing(asked).await;
            let claims = claims(&server, &answer.expect(200), audience).await;
            assert_eq!(claims["token_introspection"], plain.json, "{about}");
            assert_eq!(events.len(), 1, "{events:?}");
        }
    }
    let told = by(&server, &server.admin, &token).header("accept", SIGNED).send().await;
    let told = claims(&server, &told, &server.admin.id).await;
    assert_eq!(told["token_introspection"]["active"], true);
    for about in [foreign.as_str(), "garbage"] {
        let told = by(&server, &server.admin, about).header("accept", SIGNED).send().await;
        let told = claims(&server, &told, &server.admin.id).await;
        assert_eq!(told["token_introspection"], json!({ "active": false }));
    }
}

#[tokio::test]
async fn the_form_is_the_one_that_was_asked_for_and_json_where_it_was_neither() {
    let server = Server::start().await;
    for (accept, signed) in [
        (vec![], false),
        (vec!["*/*"], false),
        (vec!["application/*"], false),
        (vec!["application/json"], false),
        (vec!["text/html"], false),
        (vec!["application/jwt"], false),
        (vec!["garbage;;;q=x,"], false),
        (vec![SIGNED], true),
        (vec!["application/json;q=0.5, application/token-introspection+jwt"], true),
        (vec!["application/json, application/token-introspection+jwt;q=0.5"], false),
        (vec!["application/token-introspection+jwt;q=0"], false),
        (vec!["text/html", SIGNED], true),
    ] {
        let mut call = by(&server, &server.admin, "garbage");
        for value in &accept {
            call = call.header("accept", value);
        }
        let answer = call.send().await.expect(200);
        let form = if signed { SIGNED } else { "application/json" };
        assert_eq!(answer.header("content-type"), Some(form), "{accept:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_json_whatever_was_asked_for() {
    let server = Server::start().await;
    let nobody = server.post(PATH).form(&[("token", "x")]).header("accept", SIGNED).send().await;
    assert_eq!(nobody.refusal(), (401, "invalid_client"));
    let (id, secret) = (&server.admin.id, &server.admin.secret);
    let nothing = server.post(PATH).basic(id, secret).form(&[]).header("accept", SIGNED);
    assert_eq!(nothing.send().await.refusal(), (400, "invalid_request"));
}

#[tokio::test]
async fn a_signed_answer_is_no_token_anywhere() {
    let server = Server::start().await;
    let token = server.token("agents:read tokens:introspect").await;
    let answer = answer_about(&server, &server.admin, &token).await;
    let refused = server.get("/api/v1/agents").token(&answer).send().await;
    assert_eq!(refused.refusal(), (401, "UNAUTHORIZED"));
    let refused = server.post(PATH).token(&answer).form(&[("token", "x")]).send().await;
    assert_eq!(refused.refusal(), (401, "invalid_token"));
    let told = by(&server, &server.admin, &answer).send().await.expect(200);
    assert_eq!(told.body, br#"{"active":false}"#);
    let (id, secret) = (&server.admin.id, &server.admin.secret);
    let call = server.post("/api/v1/token/revoke").basic(id, secret).form(&[("token", &answer)]);
    let (answered, events) = server.events_of_doing(call.send()).await;
    assert_eq!((answered.status, events.len()), (200, 0));
    server.get("/api/v1/agents").token(&token).send().await.expect(200);
    let claims = BASE64URL_NOPAD.decode(answer.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let names: Vec<_> = claims.as_object().unwrap().keys().collect();
    assert_eq!(names, ["aud", "iat", "iss", "token_introspection"]);
}
