//! Where metadata and keys are, and what the keys are. What the metadata says is in `advertised`.

use std::collections::BTreeSet;

use axum::http::Method;
use data_encoding::BASE64URL_NOPAD;
use ring::digest;
use serde_json::{Value, json};

use crate::kit::{Server, server::ISSUER};

const METADATA: [&str; 2] =
    ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];

fn path(url: &Value) -> &str {
    url.as_str().unwrap().strip_prefix(ISSUER).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_api_is_a_protected_resource_whose_metadata_a_401_leads_to() {
    let server = Server::start().await;
    let refused = server.get("/api/v1/agents").send().await.expect(401);
    let challenge = refused.header("www-authenticate").unwrap().to_owned();
    let url = challenge.split("resource_metadata=\"").nth(1).unwrap().trim_end_matches('"');
    let metadata = server.get(path(&json!(url))).send().await.expect(200).json;
    assert_eq!(metadata["resource"], ISSUER);
    assert_eq!(metadata["authorization_servers"], json!([ISSUER]));
    assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
    let scopes: BTreeSet<_> = texts(&metadata["scopes_supported"]).into_iter().collect();
    let granted = server.ask(&server.admin, &[]).await.expect(200).text("scope");
    assert!(scopes.is_subset(&granted.split(' ').collect()));
}

#[tokio::test]
async fn jr_05_the_keys_are_public_named_by_their_thumbprints_and_may_be_kept() {
    let server = Server::start().await;
    let answer = server.get("/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    for key in answer.json["keys"].as_array().unwrap() {
        let text = |name: &str| key[name].as_str().unwrap();
        // RFC 7638: these members, in this order, with no space.
        let canonical = format!(
            r#"{{"crv":"{}","kty":"{}","x":"{}","y":"{}"}}"#,
            text("crv"),
            text("kty"),
            text("x"),
            text("y")
        );
        let thumbprint = digest::digest(&digest::SHA256, canonical.as_bytes());
        assert_eq!(text("kid"), BASE64URL_NOPAD.encode(thumbprint.as_ref()));
        for private in ["d", "p", "q", "k", "dp", "dq", "qi"] {
            assert_eq!(key[private], Value::Null);
        }
    }
    let tag = answer.header("etag").unwrap();
    let weak = format!("W/{tag}");
    let listed = format!("\"other\", {tag}");
    for known in [tag, weak.as_str(), listed.as_str(), "*"] {
        let call = server.get("/.well-known/jwks.json").header("if-none-match", known);
        let answer = call.send().await.expect(304);
        assert!(answer.body.is_empty());
        assert_eq!(answer.header("etag"), Some(tag));
    }
    let call = server.get("/.well-known/jwks.json").header("if-none-match", "\"other\"");
    assert_eq!(call.send().await.expect(200).json, answer.json);
}

#[tokio::test]
async fn discovery_is_for_everybody_with_any_token_or_none() {
    let server = Server::start().await;
    for place in [METADATA[0], METADATA[1], "/.well-known/oauth-protected-resource", "/health"] {
        let plain = server.get(place).send().await.expect(200);
        let with_garbage = server.get(format!("{place}?x=y")).token("garbage").send().await;
        assert_eq!(plain.json, with_garbage.expect(200).json);
        server.call(Method::HEAD, place).send().await.expect(200);
    }
}
