//! Registering agents: what a body may hold.

use serde_json::{Value, json};

use crate::kit::{Answer, Server};

const PATH: &str = "/api/v1/agents";

async fn post(server: &Server, token: &str, body: &Value) -> Answer {
    server.post(PATH).token(token).json(body).send().await
}

async fn post_text(server: &Server, token: &str, body: impl Into<Vec<u8>>) -> Answer {
    server.post(PATH).token(token).bytes("application/json", body).send().await
}

#[tokio::test]
async fn an_agent_is_registered_as_given_and_with_the_least_where_nothing_is_given() {
    let server = Server::start().await;
    let token = server.token("agents:write agents:read").await;
    let mut body = server.new_agent();
    body["version"] = json!("v1.4.0-rc.1+build.5");
    body["capabilities"] = json!(["resume:score", "resume:read", "resume:read", "files:*"]);
    let made = post(&server, &token, &body).await.expect(201);
    let agent = &made.json;
    assert_eq!(agent["version"], "1.4.0-rc.1+build.5");
    assert_eq!(agent["capabilities"], json!(["files:*", "resume:read", "resume:score"]));
    assert_eq!(agent["organizationId"], server.organization.to_string());
    for (name, value) in [
        ("status", json!("active")),
        ("roles", json!([])),
        ("isPublic", json!(false)),
        ("metadata", json!({})),
        ("resources", json!([])),
        ("dpopBoundAccessTokens", json!(false)),
        ("lastAuthAt", Value::Null),
    ] {
        assert_eq!(agent[name], value, "{name}");
    }
    let path = made.header("location").unwrap();
    assert_eq!(path, format!("{PATH}/{}", made.text("agentId")));
    let read = server.get(path).token(&token).send().await.expect(200);
    assert_eq!(read.json, *agent);
    assert_eq!(read.header("etag"), made.header("etag"));

    body["email"] = json!(server.fresh_email());
    body["roles"] = json!(["auditor", "resource_server", "auditor"]);
    body["isPublic"] = json!(true);
    body["metadata"] = json!({"costCentre": "4711", "nested": {"é": [1, 2.5, null, true]}});
    body["resources"] = json!(["urn:b", "https://a.example/", "urn:b", "https://a.example"]);
    body["dpopBoundAccessTokens"] = json!(true);
    let (made, events) = server.events_of_doing(post(&server, &token, &body)).await;
    let made = made.expect(201);
    for name in ["metadata", "isPublic", "email", "owner", "agentType", "deploymentEnv"] {
        assert_eq!(made.json[name], body[name], "{name}");
    }
    assert_eq!(made.json["roles"], json!(["auditor", "resource_server"]));
    let resources = json!(["https://a.example", "https://a.example/", "urn:b"]);
    assert_eq!(made.json["resources"], resources);
    assert_eq!(made.json["dpopBoundAccessTokens"], true);
    let told = &events[0].metadata;
    assert_eq!((&told["resources"], &told["dpopBoundAccessTokens"]), (&resources, &json!(true)));
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_body_is_told_at_once() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let required =
        ["agentType", "capabilities", "deploymentEnv", "email", "owner", "version"].as_slice();
    let all = json!({
        "email": "no", "agentType": "robot", "version": "latest", "capabilities": [],
        "owner": " ", "deploymentEnv": "moon", "roles": ["king"], "isPublic": "yes",
        "metadata": [], "resources": ["api"], "dpopBoundAccessTokens": 1, "surplus": 1,
    });
    let rows = [
        (json!({}), required.to_vec()),
        (
            all,
            vec![
                "agentType",
                "capabilities",
                "deploymentEnv",
                "dpopBoundAccessTokens",
                "email",
                "isPublic",
                "metadata",
                "owner",
                "resources",
                "roles",
                "surplus",
                "version",
            ],
        ),
    ];
    for (body, fields) in rows {
        let asked = post(&server, &token, &body);
        let (answer, events) = server.events_of_doing(asked).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"));
        assert_eq!(answer.bad_fields(), fields);
        assert!(events.is_empty());
    }
}

type Rows = Vec<(&'static str, Vec<Value>)>;

fn bad_words() -> Rows {
    let email = |local: usize| json!(format!("{}@example.com", "x".repeat(local)));
    vec![
        (
            "email",
            vec![
                json!(""),
                json!("a"),
                json!("a@"),
                json!("@example.com"),
                json!("a b@example.com"),
                json!("a@b@example.com"),
                json!("Ann <a@example.com>"),
                json!("a@example.com\n"),
                json!("é@example.com"),
                json!("a@[127.0.0.1]"),
                email(243),
                json!(1),
                json!(["a@example.com"]),
                Value::Null,
            ],
        ),
        ("agentType", vec![json!("Screener"), json!(""), json!("screener "), json!(1)]),
        (
            "version",
            vec![
                json!("1"),
                json!("1.2"),
                json!("01.2.3"),
                json!("vv1.2.3"),
                json!("1.2.3 "),
                json!("V1.2.3"),
                json!(format!("1.2.3-{}", "x".repeat(60))),
                json!(1.2),
            ],
        ),
        (
            "owner",
            vec![
                json!(""),
                json!(" \t"),
                json!("x".repeat(129)),
                json!("a\u{0}b"),
                json!("a\r\nb"),
                json!("\u{1b}[31m"),
                json!("a\u{202e}b"),
                json!(true),
            ],
        ),
        ("deploymentEnv", vec![json!("prod"), json!("Production"), json!(0)]),
        ("roles", vec![json!("admin"), json!(["root"]), json!([1]), json!({})]),
        ("isPublic", vec![json!("true"), json!(1), json!("")]),
        ("dpopBoundAccessTokens", vec![json!("true"), json!(1), json!("")]),
    ]
}

fn bad_structures() -> Rows {
    let many: Vec<_> = (0..65).map(|one| format!("a:b{one}")).collect();
    let seventeen: Vec<_> = (0..17).map(|one| format!("urn:a:{one}")).collect();
    let wide: Value = (0..10_001).map(|key| (format!("k{key}"), json!(0))).collect();
    let deep = |depth| (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
    vec![
        (
            "capabilities",
            vec![
                json!([]),
                json!("a:b"),
                json!(["a"]),
                json!(["a:"]),
                json!([":b"]),
                json!(["A:b"]),
                json!(["*:b"]),
                json!(["a:b:c"]),
                json!(["a:b c"]),
                json!(["résumé:read"]),
                json!([format!("a:{}", "x".repeat(127))]),
                json!(["agents:read"]),
                json!(["tokens:introspect"]),
                json!(["organizations:write"]),
                json!(["a:b", 1]),
                json!(["a:b", null]),
                json!(many),
                json!({"a": "b"}),
            ],
        ),
        (
            "resources",
            vec![
                json!("https://a.example"),
                json!(["relative"]),
                json!(["/path"]),
                json!(["https://a.example/#f"]),
                json!(["https://u:p@a.example/"]),
                json!(["https://a.example/ b"]),
                json!(["https://é.example/"]),
                json!([format!("https://a.example/{}", "x".repeat(512))]),
                json!(["https://a.example", 1]),
                json!(["https://a.example", null]),
                json!(seventeen),
            ],
        ),
        (
            "metadata",
            vec![
                json!([]),
                json!("a"),
                json!({ "a": "x".repeat(8_185) }),
                deep(6),
                deep(33),
                wide,
                json!({ "a": 9_007_199_254_740_992_u64 }),
                json!({ "a": [-9_007_199_254_740_992_i64] }),
                json!({ "a": 9_223_372_036_854_775_808_u64 }),
                json!({ "a": "\u{0}" }),
            ],
        ),
    ]
}

#[tokio::test]
async fn rg_03_every_field_refuses_what_is_not_of_its_form() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    for (field, values) in bad_words().into_iter().chain(bad_structures()) {
        for value in values {
            let mut body = server.new_agent();
            body[field] = value.clone();
            let answer = post(&server, &token, &body).await;
            let told: String = value.to_string().chars().take(80).collect();
            if answer.status == 413 {
                continue;
            }
            assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{field}: {told}");
            assert_eq!(answer.bad_fields(), [field], "{told}");
        }
    }
}

#[tokio::test]
async fn rg_03_what_lies_on_a_bound_is_taken() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let sixty_four: Vec<_> = (0..64).map(|one| format!("a:b{one}")).collect();
    let depth_5 = (1..5).fold(json!({}), |inner, _| json!({ "a": inner }));
    let local = "x".repeat(64);
    let labels = format!("{}.{}.{}.com", "a".repeat(63), "b".repeat(63), "c".repeat(56));
    let email = format!("{local}@{labels}");
    assert_eq!(email.len(), 64 + 1 + 63 + 1 + 63 + 1 + 56 + 4);
    for (field, value) in [
        ("email", json!(email)),
        ("owner", json!("é".repeat(128))),
        ("capabilities", json!(sixty_four)),
        ("capabilities", json!([format!("a:{}", "x".repeat(126))])),
        ("version", json!(format!("v1.2.3-{}", "x".repeat(58)))),
        ("metadata", json!({ "a": "x".repeat(8_184) })),
        ("metadata", depth_5),
        ("metadata", json!({ "a": 9_007_199_254_740_991_u64, "b": -9_007_199_254_740_991_i64 })),
    ] {
        let mut body = server.new_agent();
        body[field] = value;
        post(&server, &token, &body).await.expect(201);
    }
}

#[tokio::test]
async fn rg_01_a_field_that_nobody_gives_is_refused_and_the_organization_is_ignored() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    for field in [
        "tenant_id",
        "organization_id",
        "OrganizationId",
        "id",
        "agentId",
        "status",
        "is_admin",
        "isAdmin",
        "createdAt",
        "lastAuthAt",
        "email ",
        "__proto__",
        "",
    ] {
        let mut body = server.new_agent();
        body[field] = json!("admin");
        let answer = post(&server, &token, &body).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{field}");
        assert_eq!(answer.bad_fields(), [field]);
    }
    let other = server.other.to_string();
    for organization in [json!(other), json!("nobody's"), json!(7), json!({ "a": [] }), json!(null)]
    {
        let mut body = server.new_agent();
        body["organizationId"] = organization;
        let made = post(&server, &token, &body).await.expect(201);
        assert_eq!(made.text("organizationId"), server.organization.to_string());
    }
}

#[tokio::test]
async fn rg_05_what_two_readers_would_read_differently_is_refused() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let good = server.new_agent().to_string();
    let with = |more: &str| good.replacen('{', &format!("{{{more},"), 1);
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut not_utf_8 = good.clone().into_bytes();
    let inside = not_utf_8.iter().position(|byte| *byte == b't').unwrap();
    not_utf_8[inside] = 0xff;
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("owner", with(r#""owner":"a""#).into()),
        ("owner", with(r#""\u006fwner":"a""#).into()),
        ("metadata", with(r#""metadata":{"a":1,"a":2}"#).into()),
        ("metadata", with(r#""metadata":{"a":[{"b":1,"b":1}]}"#).into()),
        ("owner", good.replace("talent-team", "a\\u0000b").into()),
        ("body", with(r#""a\u0000b":1"#).into()),
        ("body", good.replace("talent-team", "\\ud800").into()),
        ("body", good.replace("talent-team", "\\udc00\\ud800").into()),
        ("body", with(r#""metadata":{"a":NaN}"#).into()),
        ("body", with(r#""metadata":{"a":1e999}"#).into()),
        ("body", with(r#""metadata":{"a":01}"#).into()),
        ("body", with("/* a */\"metadata\":{}").into()),
        ("body", format!("\u{feff}{good}").into()),
        ("body", format!("{good}{{}}").into()),
        ("body", format!("{good},").into()),
        ("body", format!("[{good}]").into()),
        ("body", utf_16),
        ("body", not_utf_8),
        ("body", b"".to_vec()),
        ("body", b" ".to_vec()),
        ("body", b"null".to_vec()),
        ("body", b"[]".to_vec()),
        ("body", b"\"a\"".to_vec()),
        ("body", b"{".to_vec()),
        ("body", b"{'a':1}".to_vec()),
        ("body", "[".repeat(60_000).into()),
        ("body", with(&format!("\"metadata\":{}", "{\"a\":".repeat(10_000))).into()),
    ];
    for (field, body) in rows {
        let told = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let answer = post_text(&server, &token, body).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{told}");
        assert_eq!(answer.bad_fields(), [field], "{told}");
    }
}

#[tokio::test]
async fn ds_01_a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let of_length = |length: usize| {
        let body = server.new_agent().to_string();
        let padding = " ".repeat(length - body.len());
        format!("{body}{padding}")
    };
    post_text(&server, &token, of_length(65_536)).await.expect(201);
    let answer = post_text(&server, &token, of_length(65_537)).await;
    assert_eq!(answer.refusal(), (413, "PAYLOAD_TOO_LARGE"));
}

#[tokio::test]
async fn te_02_a_body_of_another_type_is_refused_before_it_is_read() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    for other in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json, application/json",
        "application/merge-patch+json",
        "application/jsonp",
        "",
    ] {
        let body = server.new_agent().to_string();
        let answer = server.post(PATH).token(&token).bytes(other, body).send().await;
        assert_eq!(answer.refusal(), (415, "UNSUPPORTED_MEDIA_TYPE"), "{other}");
    }
    let untyped = server.post(PATH).token(&token).untyped(server.new_agent().to_string());
    assert_eq!(untyped.send().await.refusal(), (415, "UNSUPPORTED_MEDIA_TYPE"));
    let packed = server.post(PATH).token(&token).json(&server.new_agent());
    let packed = packed.header("content-encoding", "gzip").send().await;
    assert_eq!(packed.refusal(), (415, "UNSUPPORTED_MEDIA_TYPE"));
    let empty = server.post(PATH).token(&token).send().await;
    assert_eq!(empty.bad_fields(), ["body"]);
}
