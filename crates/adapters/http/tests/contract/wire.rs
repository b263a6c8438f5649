//! What every answer has in common: methods, unknown routes, request ids, headers, queries.

use std::collections::BTreeSet;

use axum::http::Method;
use http_api::{
    route::{Access, Dialect},
    routes,
};

use crate::{
    kit::{Server, Settings},
    walks::{Target, good, with_query},
};

#[tokio::test]
async fn every_path_tells_which_methods_it_has_to_whoever_tries_another() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let methods =
        ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get"];
    let all = routes();
    let paths: BTreeSet<_> = all.iter().map(|route| route.path).collect();
    for path in paths {
        let mut there: BTreeSet<_> = all
            .iter()
            .filter(|route| route.path == path)
            .map(|route| route.method.to_string())
            .collect();
        if there.contains("GET") {
            there.insert("HEAD".to_owned());
        }
        let allowed = there.iter().cloned().collect::<Vec<_>>().join(", ");
        let route = all.iter().find(|route| route.path == path).unwrap();
        for method in methods.iter().filter(|method| !there.contains(**method)) {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let asked = server.call(method.clone(), target.path(route)).send();
            let (answer, events) = server.events_of_doing(asked).await;
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some(allowed.as_str()), "{method} {path}");
            assert!(events.is_empty());
            let code = match route.dialect {
                Dialect::Problem => "METHOD_NOT_ALLOWED",
                Dialect::OAuth => "invalid_request",
            };
            if method != Method::HEAD {
                assert_eq!(answer.refusal(), (405, code), "{method} {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_head_is_answered_as_a_get_without_its_body() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let token = server.token("agents:read audit:read").await;
    for route in routes().into_iter().filter(|route| route.method == Method::GET) {
        let path = target.path(&route);
        let status = if route.operation == "authorize" { 400 } else { 200 };
        let get = server.get(&path).token(&token).send().await.expect(status);
        let head = server.call(Method::HEAD, &path).token(&token).send().await.expect(status);
        let types = [&get, &head].map(|answer| answer.header("content-type").unwrap().to_owned());
        assert_eq!(types[0], types[1], "{path}");
        assert_eq!(get.header("etag"), head.header("etag"), "{path}");
    }
}

#[tokio::test]
async fn an_unknown_route_is_a_problem_for_everybody() {
    let server = Server::start().await;
    let token = server.token("agents:read").await;
    for path in [
        "/",
        "/api",
        "/api/v1",
        "/api/v2/agents",
        "/api/v1/agents/",
        "/api//v1/agents",
        "/API/v1/agents",
        "/api/v1/agents/a/b/c/d",
        "/api/v1/organizations",
        "/api/v1/token/",
        "/.well-known",
        "/.env",
        "/..%2f..%2fetc%2fpasswd",
        "/health/",
        "/api-docs/../Cargo.toml",
        "/%00",
        "/%ff",
    ] {
        for (method, token) in [(Method::GET, None), (Method::POST, Some(&token))] {
            let call = server.call(method.clone(), path);
            let call = match token {
                Some(token) => call.token(token),
                None => call,
            };
            let answer = call.send().await;
            assert_eq!(answer.refusal(), (404, "NOT_FOUND"), "{method} {path}");
            assert_eq!(answer.text("requestId"), answer.header("x-request-id").unwrap());
        }
    }
}

#[tokio::test]
async fn metrics_are_no_route_where_they_are_served_elsewhere() {
    let server = Server::altered(Settings::default(), |mut ports| {
        ports.process.metrics = None;
        ports
    })
    .await;
    let answer = server.get("/metrics").send().await;
    assert_eq!(answer.refusal(), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn a_request_id_is_the_callers_own_where_it_is_sane_and_a_new_one_where_not() {
    let server = Server::start().await;
    let long = "x".repeat(129);
    let longest = "x".repeat(128);
    for own in ["a", "trace-1.A_b", "01a1fd23-1fe0-7010-8181-a2b3c4d5e6f7", &longest] {
        for path in ["/health", "/nowhere", "/api/v1/agents"] {
            let answer = server.get(path).header("x-request-id", own).send().await;
            assert_eq!(answer.header("x-request-id"), Some(own), "{path}");
        }
    }
    let mut made = BTreeSet::new();
    for other in ["", "a b", "a\tb", "a\"b", "<script>", "\u{e9}", "a/b", &long] {
        let answer = server.get("/api/v1/agents").header("x-request-id", other).send().await;
        let id = answer.header("x-request-id").unwrap().to_owned();
        assert_ne!(id, other);
        assert_eq!(answer.text("requestId"), id);
        made.insert(id);
    }
    let twice = server.get("/health").header("x-request-id", "a").header("x-request-id", "b");
    made.insert(twice.send().await.header("x-request-id").unwrap().to_owned());
    assert_eq!(made.len(), 9, "{made:?}");
}

#[tokio::test]
async fn every_answer_carries_the_headers_of_the_house_and_only_discovery_may_be_kept() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let expected = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("cross-origin-resource-policy", "same-origin"),
        ("strict-transport-security", "max-age=63072000"),
    ];
    for route in routes() {
        let answer = good(&server, &route, &target.path(&route)).send().await;
        for (name, value) in expected {
            assert_eq!(answer.header(name), Some(value), "{name} of {}", route.path);
        }
        let kept = answer.header("cache-control").unwrap();
        let discovery = route.path.starts_with("/.well-known/");
        assert_eq!(kept, if discovery { "public, max-age=300" } else { "no-store" });
        assert_eq!(answer.header("server"), None);
    }
}

#[tokio::test]
async fn the_rate_is_shown_to_every_caller_and_on_every_answer_of_the_token_endpoint() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let token = server.token("agents:read agents:write credentials:write audit:read").await;
    for route in routes() {
        let call = match route.access {
            Access::Probe | Access::Public => continue,
            Access::Bearer(_) => good(&server, &route, &target.path(&route)).token(&token),
            Access::Client | Access::ClientOrBearer(_) => server.post(route.path).untyped("x=y"),
        };
        let answer = call.send().await;
        assert_eq!(answer.number("x-ratelimit-limit"), 1_000_000, "{}", route.path);
        assert!(answer.number("x-ratelimit-remaining") < 1_000_000);
        assert!(answer.number("x-ratelimit-reset") > 1_795_248_000);
    }
}

#[tokio::test]
async fn a_query_parameter_that_a_management_route_does_not_know_is_refused() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let token = server.token("agents:read agents:write credentials:write audit:read").await;
    for route in routes() {
        if !matches!(route.access, Access::Bearer(_)) {
            continue;
        }
        assert_eq!(route.dialect, Dialect::Problem);
        for query in ["surplus=1", "surplus", "Surplus=&Surplus=2", "organizationId=1"] {
            let path = with_query(&target.path(&route), query);
            let call = good(&server, &route, &path).token(&token).send();
            let (answer, events) = server.events_of_doing(call).await;
            assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{} {path}", route.method);
            let name = query.split('=').next().unwrap();
            assert_eq!(answer.bad_fields(), [name], "{} {path}", route.method);
            assert!(events.is_empty(), "{} {path}", route.method);
        }
    }
}
