//! Pages of other origins: they may call where the configuration says so, and nowhere else.

use axum::http::Method;

use crate::kit::{Answer, Server, Settings};

const OURS: &str = "https://console.example.com";

async fn preflight(server: &Server, path: &str, origin: &'static str) -> Answer {
    let call = server.call(Method::OPTIONS, path).header("origin", origin);
    let call = call.header("access-control-request-method", "PATCH");
    let call = call.header("access-control-request-headers", "authorization, if-match");
    call.send_undocumented().await
}

fn lists(answer: &Answer, header: &str, wanted: &[&str]) {
    let listed = answer.header(header).unwrap().to_lowercase();
    let listed: Vec<_> = listed.split(',').map(str::trim).collect();
    for one in wanted {
        assert!(listed.contains(one), "{header} lacks {one}: {listed:?}");
    }
    assert!(!listed.contains(&"*"), "{header}");
}

#[tokio::test]
async fn a_page_of_a_configured_origin_may_call_with_a_token_and_read_the_answer() {
    let server = Server::with(Settings { cors_origin: Some(OURS), ..Settings::default() }).await;
    let token = server.token("agents:read").await;
    for path in ["/api/v1/agents", "/api/v1/token", "/.well-known/jwks.json"] {
        let asked = preflight(&server, path, OURS).await;
        assert_eq!(asked.status, 200, "{path}");
        assert_eq!(asked.header("access-control-allow-origin"), Some(OURS));
        assert_eq!(asked.header("access-control-allow-credentials"), None);
        lists(&asked, "access-control-allow-methods", &["get", "post", "patch", "delete"]);
        let headers =
            ["authorization", "content-type", "if-match", "idempotency-key", "x-request-id"];
        lists(&asked, "access-control-allow-headers", &headers);
        assert!(asked.header("vary").unwrap().contains("origin"));
    }
    let good = server.get("/api/v1/agents").token(&token).header("origin", OURS);
    let bad = server.get("/api/v1/agents").header("origin", OURS);
    for (call, status) in [(good, 200), (bad, 401)] {
        let answer = call.send().await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(OURS));
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("cross-origin"));
        let shown = ["x-request-id", "x-ratelimit-remaining", "retry-after", "etag", "location"];
        lists(&answer, "access-control-expose-headers", &shown);
        lists(&answer, "access-control-expose-headers", &["ratelimit", "ratelimit-policy"]);
    }
}

#[tokio::test]
async fn a_page_of_any_other_origin_may_not() {
    let configured = Settings { cors_origin: Some(OURS), ..Settings::default() };
    for settings in [configured, Settings::default()] {
        let server = Server::with(settings).await;
        for origin in
            ["https://evil.example", "https://console.example.com.evil.example", "null", "*"]
        {
            let asked = preflight(&server, "/api/v1/agents", origin).await;
            assert_eq!(asked.header("access-control-allow-origin"), None, "{origin}");
            let token = server.token("agents:read").await;
            let call = server.get("/api/v1/agents").token(&token).header("origin", origin);
            let answer = call.send().await.expect(200);
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"));
        }
    }
}
