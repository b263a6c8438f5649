//! The route table and the OpenAPI document hold each other, both ways.

use std::collections::BTreeSet;

use http_api::{
    route::{Access, Dialect, Route},
    routes,
};
use serde_json::{Value, json};
use usecases::Requirement;

use crate::kit::{Server, document::Document};

/// What the document must say of a route, as far as the route table knows it.
fn expected(route: &Route) -> Value {
    let tokens = ["bearer", "dpop"].map(|way| json!({ way: [] }));
    let clients = ["clientBasic", "clientPost", "clientAssertion", "clientCertificate"]
        .map(|way| json!({ way: [] }));
    let (security, requirement) = match route.access {
        Access::Probe | Access::Public => (vec![], None),
        Access::Bearer(requirement) => (tokens.to_vec(), Some(requirement)),
        Access::Client => (clients.to_vec(), None),
        Access::ClientOrBearer(requirement) => {
            (clients.into_iter().chain(tokens).collect(), Some(requirement))
        }
    };
    let (scope, own) = match requirement {
        None | Some(Requirement::Authenticated) => (Value::Null, Value::Null),
        Some(Requirement::Has(permission)) => (json!(permission.scope()), Value::Null),
        Some(Requirement::OwnOr(permission)) => (json!(permission.scope()), json!(true)),
    };
    let events: BTreeSet<_> = route.events.iter().map(|action| action.name()).collect();
    json!({
        "operationId": route.operation,
        "security": security,
        "x-required-scope": scope,
        "x-or-own": own,
        "x-audit-event": events,
    })
}

/// What the document says.
fn documented(operation: &Value) -> Value {
    let events: BTreeSet<_> = match operation["x-audit-event"].as_array() {
        Some(events) => events.iter().map(|event| event.as_str().unwrap()).collect(),
        None => operation["x-audit-event"].as_str().into_iter().collect(),
    };
    json!({
        "operationId": operation["operationId"],
        "security": operation["security"],
        "x-required-scope": operation["x-required-scope"],
        "x-or-own": operation["x-or-own"],
        "x-audit-event": events,
    })
}

#[test]
fn the_routes_and_the_document_are_the_same_both_ways() {
    let operations = Document::get().operations();
    let named = |method: &axum::http::Method, path: &str| format!("{method} {path}");
    let served: BTreeSet<_> =
        routes().iter().map(|route| named(&route.method, &route.documented_path())).collect();
    let described: BTreeSet<_> =
        operations.iter().map(|operation| named(&operation.method, operation.path)).collect();
    assert_eq!(served, described);
    assert_eq!(served.len(), routes().len(), "a route is mounted twice");
    for route in routes() {
        let operation = operations.iter().find(|operation| {
            operation.method == route.method && operation.path == route.documented_path()
        });
        let said = documented(operation.unwrap().body);
        assert_eq!(said, expected(&route), "{} {}", route.method, route.path);
    }
}

#[test]
fn every_refusal_is_documented_in_the_words_of_its_route() {
    let document = Document::get();
    for route in routes() {
        let path = &document.root()["paths"][route.documented_path()];
        let responses = &path[route.method.as_str().to_lowercase()]["responses"];
        for (status, response) in responses.as_object().unwrap() {
            let response = document.resolve(response);
            // What a probe says with 503 is its answer.
            let answer = route.access == Access::Probe && status == "503";
            let refusal = status.starts_with(['4', '5']) && !answer;
            let Some(content) = response["content"].as_object().filter(|_| refusal) else {
                continue;
            };
            let expected = match route.dialect {
                Dialect::Problem => ("application/problem+json", "#/components/schemas/Problem"),
                Dialect::OAuth => ("application/json", "#/components/schemas/OAuthError"),
            };
            let said: Vec<_> = content
                .iter()
                .map(|(media, body)| (media.as_str(), body["schema"]["$ref"].as_str().unwrap()))
                .collect();
            assert_eq!(said, [expected], "{} {} {status}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn the_document_that_is_served_is_the_one_that_is_tested() {
    let server = Server::start().await;
    let served = server.get("/api-docs/openapi.json").send().await.expect(200);
    assert_eq!(&served.json, Document::get().root());
}

#[tokio::test]
async fn every_error_that_is_documented_can_be_opened_and_no_other() {
    let server = Server::start().await;
    let operation = &Document::get().root()["paths"]["/errors/{code}"]["get"];
    let examples = &operation["responses"]["200"]["content"]["application/json"]["examples"];
    let codes = Document::get().root()["components"]["schemas"]["ErrorCode"]["enum"].as_array();
    let examples = examples.as_object().unwrap();
    assert_eq!(examples.len(), codes.unwrap().len());
    for (slug, example) in examples {
        let answer = server.get(format!("/errors/{slug}")).send().await.expect(200);
        assert_eq!(answer.json, example["value"]);
    }
    for unknown in ["VALIDATION_ERROR", "teapot", "validation_error", "%00"] {
        let answer = server.get(format!("/errors/{unknown}")).send().await;
        assert_eq!(answer.refusal(), (404, "NOT_FOUND"));
    }
}

#[tokio::test]
async fn the_viewer_loads_nothing_from_elsewhere() {
    let server = Server::start().await;
    for path in ["/api-docs", "/api-docs/viewer.js", "/api-docs/viewer.css"] {
        let answer = server.get(path).send().await.expect(200);
        let text = String::from_utf8(answer.body.clone()).unwrap();
        let elsewhere = ["src=\"http", "href=\"http", "src=\"//", "url(http", "import("];
        assert!(!elsewhere.iter().any(|link| text.contains(link)), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}
