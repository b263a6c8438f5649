//! The token endpoint: what it grants, what it refuses, and a token that anybody can verify.

use audit::{Action, Outcome};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use kernel::Clock;
use local::SystemClock;
use serde_json::{Value, json};

use crate::kit::{
    Answer, Client, Server, Settings, call::encoded, document::Document, server::ISSUER,
};

const PATH: &str = "/api/v1/token";
const FORM: &str = "application/x-www-form-urlencoded";

async fn raw(server: &Server, client: &Client, body: impl Into<Vec<u8>>) -> Answer {
    server.post(PATH).basic(&client.id, &client.secret).bytes(FORM, body).send().await
}

/// The claims of a token, read by a library that is not ours.
async fn verified(server: &Server, token: &str, audience: &str) -> Value {
    let keys = server.get("/.well-known/jwks.json").send().await.expect(200);
    let keys: JwkSet = serde_json::from_value(keys.json).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let mut validation = Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = 10;
    decode(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

async fn of_now() -> Server {
    Server::with(Settings { starts_at: SystemClock::new().now(), ..Settings::default() }).await
}

#[tokio::test]
async fn te_07_a_token_verifies_with_the_published_keys_and_says_what_the_document_says() {
    let server = of_now().await;
    let client = server.client(&["operator"]).await;
    let answer = server.ask(&client, &[("scope", "resume:read agents:read")]).await.expect(200);
    let keys = answer.json.as_object().unwrap().keys().collect::<Vec<_>>();
    assert_eq!(keys, ["access_token", "expires_in", "scope", "token_type"]);
    assert_eq!(
        (&answer.json["expires_in"], &answer.json["token_type"]),
        (&json!(900), &json!("Bearer"))
    );
    assert_eq!(answer.json["scope"], "agents:read resume:read");
    let claims = verified(&server, &answer.text("access_token"), ISSUER).await;
    let schema = json!({ "$ref": "#/components/schemas/AccessTokenClaims" });
    Document::get().validate(&schema, &claims, "the claims");
    for (name, value) in [
        ("iss", json!(ISSUER)),
        ("aud", json!(ISSUER)),
        ("sub", json!(client.id)),
        ("client_id", json!(client.id)),
        ("organization_id", json!(server.organization.to_string())),
        ("agent_type", json!("screener")),
        ("scope", json!("agents:read resume:read")),
        ("credential_id", json!(client.credential)),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert_eq!(claims["nbf"], claims["iat"]);
}

#[tokio::test]
async fn te_07_no_two_tokens_are_one_and_each_is_for_what_was_asked() {
    let server = of_now().await;
    let client = server.client(&[]).await;
    let [one, two] = ["https://b.example.com/api", "urn:example:a"];
    server.resource_server(&[one, two]).await;
    let more = [("resource", one), ("resource", two), ("resource", one)];
    let answer = server.ask(&client, &more).await.expect(200);
    let claims = verified(&server, &answer.text("access_token"), two).await;
    assert_eq!(claims["aud"], json!([one, two]));
    assert_eq!(claims["scope"], "resume:read");
    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let token = server.token_of(&client, "resume:read").await;
        ids.insert(verified(&server, &token, ISSUER).await["jti"].to_string());
    }
    assert_eq!(ids.len(), 50);
}

#[tokio::test]
async fn te_01_a_parameter_sent_twice_is_refused_and_an_unknown_or_empty_one_is_not() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let grant = "grant_type=client_credentials";
    for (body, expected) in [
        (grant.to_owned(), 200),
        (format!("{grant}&scope="), 200),
        (format!("{grant}&scope=&resource=&unknown=1&&x"), 200),
        (format!("{grant}&client_secret=&client_id="), 200),
        (format!("{grant}&{grant}"), 400),
        (format!("{grant}&scope=resume:read&scope=resume:read"), 400),
        (format!("{grant}&scope=&scope=resume:read"), 400),
        (format!("{grant}&x=1&%78=1"), 400),
        (format!("{grant}&client_id={0}&client_id={0}", client.id), 400),
        (format!("{grant}&x=%zz"), 400),
        (format!("{grant}&x=%ff"), 400),
        (format!("{grant}&x=%00"), 400),
        (format!("{grant}&x%0a=1"), 400),
        (format!("{grant}&{}", "a&".repeat(20_000).chars().take(8_000).collect::<String>()), 400),
    ] {
        let answer = raw(&server, &client, body.clone()).await;
        let told: String = body.chars().take(100).collect();
        assert_eq!(answer.status, expected, "{told}");
        if expected == 400 {
            assert_eq!(answer.refusal().1, "invalid_request", "{told}");
        }
    }
}

#[tokio::test]
async fn te_01_each_parameter_may_come_once_and_none_in_the_query() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    for name in [
        "grant_type",
        "scope",
        "client_id",
        "client_secret",
        "client_assertion",
        "client_assertion_type",
        "audience",
        "token",
        "token_type_hint",
    ] {
        let grant = "grant_type=client_credentials";
        for twice in
            [format!("{name}=x&{name}=x"), format!("{name}=x&{name}="), format!("{name}&{name}")]
        {
            let answer = raw(&server, &client, format!("{grant}&{twice}")).await;
            assert_eq!(answer.refusal(), (400, "invalid_request"), "{twice}");
        }
        let call = server.post(format!("{PATH}?{name}=x")).basic(&client.id, &client.secret);
        let answer = call.bytes(FORM, format!("{grant}&{name}=x")).send().await;
        assert_eq!(answer.refusal(), (400, "invalid_request"), "{name}");
    }
    let call = server.post(format!("{PATH}?x=y")).basic(&client.id, &client.secret);
    let answer = call.form(&[("grant_type", "client_credentials")]).send().await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
}

#[tokio::test]
async fn te_02_only_a_form_in_utf_8_is_a_form() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let body = "grant_type=client_credentials";
    let send = async |content_type: &str, body: &str| {
        let call = server.post(PATH).basic(&client.id, &client.secret);
        call.bytes(content_type, body).send().await
    };
    for (content_type, expected) in [
        (FORM, 200),
        ("Application/X-WWW-Form-URLencoded; charset=UTF-8", 200),
        ("application/x-www-form-urlencoded;charset=\"utf-8\"", 200),
        ("application/x-www-form-urlencoded; charset=utf-16", 415),
        ("application/x-www-form-urlencoded; charset=utf-7", 415),
        ("application/x-www-form-urlencoded; charset=utf-8; charset=utf-7", 415),
        ("application/x-www-form-urlencoded; charset=iso-8859-1", 415),
        ("application/x-www-form-urlencoded; charset=\"utf-8", 415),
        ("application/x-www-form-urlencoded; charset", 415),
        ("application/x-www-form-urlencodedx", 415),
        ("application/x-www-form-urlencoded; boundary=x", 415),
        ("application/x-www-form-urlencoded, application/json", 415),
        ("application/json", 415),
        ("multipart/form-data; boundary=x", 415),
        ("text/plain", 415),
        ("", 415),
    ] {
        let answer = send(content_type, body).await;
        assert_eq!(answer.status, expected, "{content_type}");
        if expected == 415 {
            assert_eq!(answer.refusal().1, "invalid_request", "{content_type}");
        }
    }
    let json = r#"{"grant_type":"client_credentials"}"#;
    assert_eq!(send("application/json", json).await.status, 415);
    let part = "--x\r\ncontent-disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--";
    assert_eq!(send("multipart/form-data; boundary=x", part).await.status, 415);
    let untyped = server.post(PATH).basic(&client.id, &client.secret).untyped(body).send().await;
    assert_eq!(untyped.refusal(), (415, "invalid_request"));
    let twice = server.post(PATH).basic(&client.id, &client.secret).header("content-type", FORM);
    assert_eq!(twice.bytes(FORM, body).send().await.refusal(), (415, "invalid_request"));
    let nothing = server.post(PATH).basic(&client.id, &client.secret).send().await;
    assert_eq!(nothing.refusal(), (400, "invalid_request"));
    for method in ["GET", "PUT", "HEAD", "DELETE", "PATCH"] {
        let call = server.call(method.parse().unwrap(), PATH);
        let answer = call.basic(&client.id, &client.secret).bytes(FORM, body).send().await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
        if method != "HEAD" {
            assert_eq!(answer.refusal(), (405, "invalid_request"), "{method}");
        }
    }
}

#[tokio::test]
async fn ds_01_a_form_of_16_kib_is_read_and_one_byte_more_is_not() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let grant = "grant_type=client_credentials&x=";
    let of_length = |length: usize| format!("{grant}{}", "y".repeat(length - grant.len()));
    raw(&server, &client, of_length(16_384)).await.expect(200);
    let answer = raw(&server, &client, of_length(16_385)).await;
    assert_eq!(answer.refusal(), (413, "invalid_request"));
}

#[tokio::test]
async fn te_03_another_grant_is_refused_and_none_is_no_request() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    for grant in [
        "password",
        "authorization_code",
        "refresh_token",
        "Client_Credentials",
        "client_credentials ",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ] {
        let asked = raw(&server, &client, format!("grant_type={}", encoded(grant)));
        let (answer, events) = server.events_of_doing(asked).await;
        assert_eq!(answer.refusal(), (400, "unsupported_grant_type"), "{grant}");
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((event.action, event.outcome), (Action::TokenRefused, Outcome::Failure));
        assert_eq!(event.metadata["error"], "unsupported_grant_type");
        assert_eq!(event.agent.unwrap().to_string(), client.id);
    }
    for body in ["scope=resume:read", "grant_type=", "x=y", ""] {
        assert_eq!(raw(&server, &client, body).await.refusal(), (400, "invalid_request"), "{body}");
    }
}

#[tokio::test]
async fn te_04_a_scope_is_granted_whole_or_refused_and_never_narrowed_or_widened() {
    let server = Server::start().await;
    let plain = server.client(&[]).await;
    let operator = server.client(&["operator"]).await;
    let all =
        "agents:read agents:write credentials:write resume:read tokens:introspect tokens:revoke";
    for (client, asked, granted) in [
        (&plain, None, Some("resume:read")),
        (&plain, Some("resume:read"), Some("resume:read")),
        (&operator, None, Some(all)),
        (&operator, Some("resume:read agents:read"), Some("agents:read resume:read")),
        (&operator, Some("agents:read agents:read"), Some("agents:read")),
        (&operator, Some("agents:read audit:read"), None),
        (&plain, Some("agents:read"), None),
        (&plain, Some("resume:read agents:read"), None),
        (&plain, Some("resume:*"), None),
        (&plain, Some("resume:rea"), None),
        (&plain, Some("RESUME:READ"), None),
        (&plain, Some("r\u{435}sume:read"), None),
        (&plain, Some("openid"), None),
        (&plain, Some(" "), None),
        (&plain, Some(" resume:read"), None),
        (&plain, Some("resume:read "), None),
        (&operator, Some("resume:read  agents:read"), None),
        (&operator, Some("resume:read\tagents:read"), None),
        (&operator, Some("resume:read\nagents:read"), None),
        (&operator, Some("resume:read\u{0}"), None),
        (&plain, Some("\"resume:read\""), None),
    ] {
        let more: Vec<_> = asked.map(|scope| ("scope", scope)).into_iter().collect();
        let (answer, events) = server.events_of_doing(server.ask(client, &more)).await;
        match granted {
            Some(granted) => assert_eq!(answer.expect(200).json["scope"], granted, "{asked:?}"),
            None => {
                assert_eq!(answer.refusal(), (400, "invalid_scope"), "{asked:?}");
                assert_eq!(events[0].metadata["error"], "invalid_scope");
            }
        }
        assert_eq!(events.len(), 1);
    }
    let long = "a".repeat(4_001);
    let many = "a ".repeat(7_000);
    for scope in [long.as_str(), many.trim_end(), "x".repeat(129).as_str()] {
        let answer = raw(
            &server,
            &plain,
            format!("grant_type=client_credentials&scope={}", scope.replace(' ', "+")),
        )
        .await;
        assert_eq!(answer.refusal(), (400, "invalid_scope"));
    }
}

#[tokio::test]
async fn te_05_a_scope_that_was_taken_away_is_not_granted_again() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    server.ask(&client, &[("scope", "resume:read")]).await.expect(200);
    let token = server.token("agents:write").await;
    let call = server.patch(format!("/api/v1/agents/{}", client.id)).token(&token);
    call.json(&json!({ "capabilities": ["resume:score"] })).send().await.expect(200);
    let refused = server.ask(&client, &[("scope", "resume:read")]).await;
    assert_eq!(refused.refusal(), (400, "invalid_scope"));
    assert_eq!(server.ask(&client, &[]).await.expect(200).json["scope"], "resume:score");
}

#[tokio::test]
async fn te_06_a_resource_of_another_form_is_refused() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    server.resource_server(&["https://a.example/"]).await;
    let resources: Vec<_> = (0..9).map(|one| format!("urn:a:{one}")).collect();
    server.register_agent(json!({ "resources": resources })).await;
    let long = format!("https://a.example/{}", "x".repeat(512));
    for bad in [
        "relative",
        "/path",
        "https://a.example/#f",
        "https://a.example/#",
        "a b:c",
        "https://é.example/",
        "https://a.example/\n",
        long.as_str(),
    ] {
        let (answer, events) =
            server.events_of_doing(server.ask(&client, &[("resource", bad)])).await;
        assert_eq!(answer.refusal(), (400, "invalid_target"), "{bad:?}");
        assert_eq!((events.len(), &events[0].metadata["error"]), (1, &json!("invalid_target")));
        let beside = [("resource", "https://a.example/"), ("resource", bad)];
        let answer = server.ask(&client, &beside).await;
        assert_eq!(answer.refusal(), (400, "invalid_target"), "{bad:?}");
    }
    for (count, expected) in [(8, 200), (9, 400), (400, 400)] {
        let resources: Vec<_> = (0..count).map(|one| format!("urn:a:{one}")).collect();
        let more: Vec<_> = resources.iter().map(|one| ("resource", one.as_str())).collect();
        server.ask(&client, &more).await.expect(expected);
    }
}

#[tokio::test]
async fn te_06_a_token_is_for_nothing_that_no_active_agent_of_the_organization_answers_to() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let answering = server.resource_server(&["https://api.example.com/v1"]).await;
    server.resource_server(&["https://b.example.com"]).await;
    let token = server.token("agents:write").await;
    let change = async |body: Value| {
        let call = server.patch(format!("/api/v1/agents/{}", answering.id)).token(&token);
        call.json(&body).send().await.expect(200);
    };
    let ask = async |resource: &str, beside: &str| {
        server.ask(&client, &[("resource", resource), ("resource", beside)]).await
    };
    let mine = "https://api.example.com/v1";
    for beside in [ISSUER, "https://b.example.com", mine] {
        ask(mine, beside).await.expect(200);
    }
    for unknown in ["https://api.example.com", "https://api.example.com/v1/", "urn:nobody"] {
        for beside in [ISSUER, mine] {
            let (answer, events) = server.events_of_doing(ask(unknown, beside)).await;
            assert_eq!(answer.refusal(), (400, "invalid_target"), "{unknown} beside {beside}");
            let [event] = events.as_slice() else { panic!("{events:?}") };
            assert_eq!(event.action, Action::TokenRefused);
        }
    }
    for status in ["suspended", "active"] {
        change(json!({ "status": status })).await;
        let expected = if status == "active" { 200 } else { 400 };
        ask(mine, ISSUER).await.expect(expected);
    }
    change(json!({ "resources": ["urn:other"] })).await;
    assert_eq!(ask(mine, ISSUER).await.refusal(), (400, "invalid_target"));
    ask("urn:other", ISSUER).await.expect(200);
    // What is registered elsewhere is registered nowhere here.
    let other = server.ask(&server.other_admin, &[("resource", "urn:other")]).await;
    assert_eq!(other.refusal(), (400, "invalid_target"));
}

/// It would wait for a view, until the test is over.
#[tokio::test]
async fn a_token_for_the_issuer_is_issued_without_the_store() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    server.ask(&client, &[]).await.expect(200);
    let views = server.every_view().await;
    for more in [&[][..], &[("resource", ISSUER)], &[("resource", "")]] {
        server.ask(&client, more).await.expect(200);
    }
    drop(views);
}

#[tokio::test]
async fn te_04_ten_thousand_scopes_are_refused_by_their_length() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let many = |count: usize| vec!["a"; count].join("+");
    for (count, expected) in [(8_000, (400, "invalid_scope")), (10_000, (413, "invalid_request"))] {
        let body = format!("grant_type=client_credentials&scope={}", many(count));
        assert_eq!(raw(&server, &client, body).await.refusal(), expected, "{count}");
    }
    for homoglyph in
        ["resume:\u{433}ead", "resum\u{435}:read", "resume\u{ff1a}read", "\u{202e}daer:emuser"]
    {
        let answer = server.ask(&client, &[("scope", homoglyph)]).await;
        assert_eq!(answer.refusal(), (400, "invalid_scope"), "{homoglyph}");
    }
}

fn assert_kept_by_nobody(answer: &Answer) {
    let kept = answer.header("cache-control");
    assert_eq!(kept, Some("no-store"), "{}", answer.status);
    assert_eq!(answer.header("content-type"), Some("application/json"), "{}", answer.status);
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{}", answer.status);
    if answer.status == 200 {
        assert!(answer.json["expires_in"].is_u64());
    } else {
        assert!(answer.json["error"].is_string());
    }
}

#[tokio::test]
async fn te_08_every_answer_of_the_token_endpoint_is_kept_by_nobody() {
    let server = Server::with(Settings { per_client: 100, ..Settings::default() }).await;
    let client = server.client(&[]).await;
    let wrong = Client { secret: server.admin.secret.clone(), ..client.clone() };
    for answer in [
        server.ask(&client, &[]).await.expect(200),
        server.ask(&client, &[("scope", "a:b")]).await.expect(400),
        server.ask(&wrong, &[]).await.expect(401),
        server.get(PATH).send().await.expect(405),
        raw(&server, &client, "x".repeat(20_000)).await.expect(413),
        server.post(PATH).untyped("x").send().await.expect(415),
    ] {
        assert_kept_by_nobody(&answer);
    }
    loop {
        let answer = server.ask(&client, &[]).await;
        assert_kept_by_nobody(&answer);
        if answer.status == 429 {
            break;
        }
    }
    server.lose_the_writer();
    assert_kept_by_nobody(&server.ask(&server.admin, &[]).await.expect(503));
}
