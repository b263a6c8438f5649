//! An issuer with a path of its own, behind a proxy that keeps the path and behind one that does not.

use axum::http::Method;
use serde_json::{Value, json};

use crate::kit::{Server, Settings};

const HOST: &str = "https://idp.example.com";
const ISSUER: &str = "https://idp.example.com/tenant/one";
const PATH: &str = "/tenant/one";

async fn placed() -> Server {
    Server::with(Settings { issuer: ISSUER, ..Settings::default() }).await
}

async fn document(server: &Server, path: &str) -> Value {
    server.get(path).send_undocumented().await.expect(200).json
}

fn below_host(url: &Value) -> &str {
    url.as_str().unwrap().strip_prefix(HOST).unwrap()
}

#[tokio::test]
async fn the_metadata_of_an_issuer_with_a_path_is_where_the_standards_look_for_it_and_nowhere_else()
{
    let server = placed().await;
    let plain = document(&server, &format!("/.well-known/oauth-authorization-server{PATH}")).await;
    assert_eq!(plain["issuer"], ISSUER);
    assert_eq!(plain["token_endpoint"], format!("{ISSUER}/api/v1/token"));
    assert_eq!(plain["protected_resources"], json!([ISSUER]));
    let appended = document(&server, &format!("{PATH}/.well-known/openid-configuration")).await;
    let inserted = document(&server, &format!("/.well-known/openid-configuration{PATH}")).await;
    // What a proxy sends on that took the path away.
    let stripped = document(&server, "/.well-known/openid-configuration").await;
    assert_eq!((&appended, &appended), (&inserted, &stripped));
    assert_eq!(appended["issuer"], ISSUER);
    let api = document(&server, &format!("/.well-known/oauth-protected-resource{PATH}")).await;
    assert_eq!(
        (&api["resource"], &api["authorization_servers"]),
        (&json!(ISSUER), &json!([ISSUER]))
    );

    for name in ["oauth-authorization-server", "oauth-protected-resource"] {
        for nowhere in [
            format!("/.well-known/{name}"),
            format!("/.well-known/{name}/"),
            format!("/.well-known/{name}/tenant"),
            format!("/.well-known/{name}/tenant/two"),
            format!("/.well-known/{name}/tenant/one/"),
            format!("/.well-known/{name}/tenant/one/two"),
            format!("/.well-known/{name}/Tenant/one"),
            format!("/.well-known/{name}/tenant%2Fone"),
            format!("/.well-known/{name}//tenant/one"),
            format!("{PATH}/.well-known/{name}"),
            format!("{PATH}/.well-known/{name}{PATH}"),
        ] {
            let answer = server.get(&nowhere).send_undocumented().await;
            assert_eq!(answer.refusal(), (404, "NOT_FOUND"), "{nowhere}");
        }
    }
}

#[tokio::test]
async fn a_refusal_leads_to_the_metadata_of_an_issuer_with_a_path() {
    let server = placed().await;
    for path in ["/api/v1/agents", "/tenant/one/api/v1/agents"] {
        let refused = server.get(path).send_undocumented().await.expect(401);
        let challenge = refused.header("www-authenticate").unwrap().to_owned();
        let url = challenge.split("resource_metadata=\"").nth(1).unwrap();
        let url = json!(url.split('"').next().unwrap());
        assert_eq!(document(&server, below_host(&url)).await["resource"], ISSUER);
    }
}

#[tokio::test]
async fn an_issuer_without_a_path_has_no_metadata_below_one() {
    let server = Server::start().await;
    for name in ["oauth-authorization-server", "oauth-protected-resource", "openid-configuration"] {
        for path in ["/tenant", "/", "/idp.example.com"] {
            let nowhere = format!("/.well-known/{name}{path}");
            assert_eq!(
                server.get(&nowhere).send().await.refusal(),
                (404, "NOT_FOUND"),
                "{nowhere}"
            );
        }
        let nowhere = format!("/tenant/.well-known/{name}");
        assert_eq!(server.get(&nowhere).send().await.refusal(), (404, "NOT_FOUND"), "{nowhere}");
    }
}

#[tokio::test]
async fn every_endpoint_of_an_issuer_with_a_path_works_with_the_path_and_without() {
    let server = placed().await;
    let client = server.client(&["admin"]).await;
    let metadata = document(&server, &format!("{PATH}/.well-known/openid-configuration")).await;
    for before in ["", PATH] {
        let at = |name: &str| {
            let path = below_host(&metadata[name]);
            format!("{before}{}", path.strip_prefix(PATH).unwrap())
        };
        let form = [("grant_type", "client_credentials")];
        let call = server.post(at("token_endpoint")).basic(&client.id, &client.secret).form(&form);
        let token = call.send_undocumented().await.expect(200).text("access_token");
        for (endpoint, active) in
            [("introspection_endpoint", json!(true)), ("revocation_endpoint", Value::Null)]
        {
            let call = server.post(at(endpoint)).basic(&client.id, &client.secret);
            let answer = call.form(&[("token", &token)]).send_undocumented().await.expect(200);
            assert_eq!(answer.json["active"], active, "{endpoint}");
        }
        let keys = server.get(at("jwks_uri")).send_undocumented().await.expect(200);
        assert!(!keys.json["keys"].as_array().unwrap().is_empty());

        let token = server.token_of(&client, "agents:read agents:write").await;
        let call = server.post(format!("{before}/api/v1/agents")).token(&token);
        let made = call.json(&server.new_agent()).send_undocumented().await.expect(201);
        let location = made.header("location").unwrap();
        assert_eq!(location, format!("{PATH}/api/v1/agents/{}", made.text("agentId")));
        let kept = server.get(location).token(&token).send_undocumented().await.expect(200);
        assert_eq!(kept.json["agentId"], made.json["agentId"]);
        let listed = server.get(format!("{before}/api/v1/agents?limit=1")).token(&token);
        assert_eq!(listed.send_undocumented().await.expect(200).json["limit"], 1);

        let wrong = server.call(Method::PUT, format!("{before}/api/v1/token"));
        assert_eq!(wrong.send_undocumented().await.expect(405).header("allow"), Some("POST"));
        server.get(format!("{before}/health")).send_undocumented().await.expect(200);
    }
    for nowhere in
        ["/tenant/api/v1/token", "/tenant/oneapi/v1/token", "/tenant/one", "/tenant/one/"]
    {
        let answer = server.post(nowhere).send_undocumented().await;
        assert_eq!(answer.refusal(), (404, "NOT_FOUND"), "{nowhere}");
    }
}
