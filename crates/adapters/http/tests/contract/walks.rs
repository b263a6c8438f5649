//! Walks over the route table: what every route must do alike, asked of each of them.

use audit::{Action, Outcome};
use axum::http::Method;
use credentials::ClientKeyId;
use data_encoding::BASE64URL_NOPAD;
use http_api::{
    route::{Access, Dialect, Route},
    routes,
};
use kernel::Clock;
use serde_json::{Value, json};
use tokens::Signer;
use usecases::Requirement;

use crate::{
    kit::{Answer, Client, KeyPair, Server, call::Call, server::ISSUER, signing_client::register},
    signed_introspection,
};

/// What stands in a path.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) agent: String,
    pub(crate) credential: String,
    pub(crate) event: String,
    pub(crate) tile: String,
    /// An agent that authenticates by a key, and what it calls that.
    pub(crate) keyed: String,
    pub(crate) kid: String,
}

/// The first hash of every log that has one.
const FIRST_HASH: &str = "0/000.p/1";

impl Target {
    /// A fresh agent of the platform with a credential of its own, and an event about it.
    pub(crate) async fn fresh(server: &Server) -> Self {
        let id = server.register_agent(json!({})).await;
        let client = server.credential(&id, &json!({})).await;
        let keyed = server.register_agent(json!({})).await;
        let key = register(server, &keyed, &KeyPair::es256()).await.expect(201);
        let event = server.events().await.last().unwrap().id.to_string();
        server.sequence().await;
        let (tile, kid) = (FIRST_HASH.to_owned(), key.text("kid"));
        Self { agent: id, credential: client.credential, event, tile, keyed, kid }
    }

    /// Ids of nothing in particular, of the right form.
    pub(crate) fn of(server: &Server) -> Self {
        let id = server.admin.id.clone();
        let (tile, [agent, credential, keyed, kid]) =
            (FIRST_HASH.to_owned(), [(); 4].map(|()| id.clone()));
        Self { agent, credential, event: id, tile, keyed, kid }
    }

    pub(crate) fn path(&self, route: &Route) -> String {
        // An agent has secrets or keys, never both.
        let agent = if route.path.contains("/keys") { &self.keyed } else { &self.agent };
        route
            .path
            .replace("{agentId}", agent)
            .replace("{kid}", &self.kid)
            .replace("{credentialId}", &self.credential)
            .replace("{eventId}", &self.event)
            .replace("{*path}", &self.tile)
            .replace("{code}", "validation-error")
            + needed_query(route)
    }
}

/// What the query must hold.
fn needed_query(route: &Route) -> &'static str {
    if route.operation == "getAuditConsistency" { "?from=0" } else { "" }
}

/// A path with a parameter more in its query.
pub(crate) fn with_query(path: &str, query: &str) -> String {
    let join = if path.contains('?') { '&' } else { '?' };
    format!("{path}{join}{query}")
}

/// A request of a route that would succeed, but for who asks.
pub(crate) fn good<'a>(server: &'a Server, route: &Route, path: &str) -> Call<'a> {
    let call = server.call(route.method.clone(), path);
    match route.operation {
        "createAgent" => call.json(&server.new_agent()),
        "updateAgent" => call.json(&json!({ "owner": server.fresh_email() })),
        "addKey" => call.json(&json!({ "jwk": KeyPair::es256().jwk() })),
        "introspectToken" | "revokeToken" => call.form(&[("token", "no-token")]),
        _ => call,
    }
}

/// The routes that a bearer token opens.
fn guarded() -> Vec<(Route, Requirement)> {
    let requirement = |route: &Route| match route.access {
        Access::Bearer(requirement) | Access::ClientOrBearer(requirement) => Some(requirement),
        Access::Probe | Access::Public | Access::Client => None,
    };
    let guarded = routes().into_iter().filter_map(|route| Some((requirement(&route)?, route)));
    guarded.map(|(requirement, route)| (route, requirement)).collect()
}

fn managed() -> impl Iterator<Item = Route> {
    guarded().into_iter().map(|(route, _)| route).filter(|route| route.dialect == Dialect::Problem)
}

#[tokio::test]
async fn every_route_that_demands_a_token_refuses_whoever_brings_none() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    for route in managed() {
        let asked = good(&server, &route, &target.path(&route)).send();
        let (answer, events) = server.events_of_doing(asked).await;
        assert_eq!(answer.refusal(), (401, "UNAUTHORIZED"), "{route:?}");
        let challenge = answer.header("www-authenticate").unwrap();
        let metadata = "https://idp.example.com/.well-known/oauth-protected-resource";
        let scope = told_scope(&route);
        assert_eq!(challenge, format!("Bearer {scope}resource_metadata=\"{metadata}\""));
        let left: Vec<_> = events.iter().map(|event| (event.action, event.outcome)).collect();
        assert_eq!(left, [(Action::AuthFailed, Outcome::Failure)], "{route:?}");
    }
}

#[tokio::test]
async fn every_route_for_clients_refuses_whoever_brings_nothing_or_the_wrong_thing() {
    let server = Server::start().await;
    let token = server.token("agents:read").await;
    for route in routes().into_iter().filter(|route| route.dialect == Dialect::OAuth) {
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let call = || server.call(route.method.clone(), route.path).form(&form);
        let asked = call().send();
        let (answer, events) = server.events_of_doing(asked).await;
        assert_eq!(answer.refusal(), (401, "invalid_client"), "{route:?}");
        assert_eq!(answer.header("www-authenticate"), None, "{route:?}");
        let left: Vec<_> = events.iter().map(|event| (event.action, event.outcome)).collect();
        assert_eq!(left, [(Action::AuthFailed, Outcome::Failure)], "{route:?}");
        // The token endpoint is for clients, whatever a token permits.
        if route.access == Access::Client {
            assert_eq!(call().token(&token).send().await.refusal(), (401, "invalid_client"));
        }
    }
}

/// The assertion of a client about itself (RFC 7523): signed by a key that nobody knows, and by the
/// server's own.
async fn assertions(server: &Server) -> [(&'static str, String); 2] {
    let (key, algorithm) = server.signer().active().unwrap();
    let header = json!({
        "alg": algorithm.name(), "kid": key.as_str(), "typ": "client-authentication+jwt",
    });
    let now = server.clock.now().unix_seconds();
    let claims = json!({
        "iss": server.admin.id, "sub": server.admin.id, "aud": ISSUER,
        "iat": now, "exp": now + 3_600, "jti": "one",
    });
    let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let input = format!("{}.{}", encode(&header), encode(&claims));
    let signature = server.signer().sign(&key, input.as_bytes()).await.unwrap();
    let ours = format!("{input}.{}", BASE64URL_NOPAD.encode(&signature));
    let theirs = KeyPair::es256().signed(&header, &claims);
    [("a client's assertion", theirs), ("a client's assertion with the server's signature", ours)]
}

/// Tokens that were good, or might look so, and are not; each with its reason.
async fn bad_tokens(server: &Server) -> Vec<(&'static str, String)> {
    let scope = "agents:read agents:write credentials:write tokens:introspect audit:read";
    let admin = async || server.client(&["admin"]).await;
    let change = |id: &str, body: Value| {
        let path = format!("/api/v1/agents/{id}");
        async move {
            let token = server.token("agents:write").await;
            server.patch(path).token(&token).json(&body).send().await.expect(200)
        }
    };
    server.resource_server(&["https://api.example.com"]).await;
    let elsewhere = [("scope", scope), ("resource", "https://api.example.com")];
    let both = [elsewhere[0], elsewhere[1], ("resource", "https://idp.example.com")];
    let own = server.token(scope).await;
    let told = signed_introspection::answer_about(server, &server.admin, &own).await;
    let mut bad = vec![
        ("an answer to an introspection", told),
        ("garbage", "garbage".to_owned()),
        ("three parts of nothing", "a.b.c".to_owned()),
        ("nothing", String::new()),
        ("a secret", server.admin.secret.clone()),
        ("for another", server.ask(&server.admin, &elsewhere).await.text("access_token")),
        ("for another too", server.ask(&server.admin, &both).await.text("access_token")),
    ];
    bad.extend(assertions(server).await);
    for status in ["suspended", "revoked"] {
        let client = admin().await;
        let token = server.token_of(&client, scope).await;
        change(&client.id, json!({ "status": status })).await;
        bad.push((status, token));
    }
    let client = admin().await;
    let token = server.token_of(&client, scope).await;
    change(&client.id, json!({ "status": "suspended" })).await;
    change(&client.id, json!({ "status": "active" })).await;
    bad.push(("from before a suspension", token));

    let client = admin().await;
    let token = server.token_of(&client, scope).await;
    let writer = server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{}/credentials/{}", client.id, client.credential);
    server.delete(path).token(&writer).send().await.expect(204);
    bad.push(("of a revoked credential", token));

    let token = server.token(scope).await;
    let form = [("token", token.as_str())];
    server.post("/api/v1/token/revoke").token(&token).form(&form).send().await.expect(200);
    bad.push(("revoked itself", token));

    let client = admin().await;
    let token = server.token_of(&client, scope).await;
    let writer = server.token("agents:write").await;
    server.delete(format!("/api/v1/agents/{}", client.id)).token(&writer).send().await.expect(204);
    bad.push(("of a decommissioned agent", token));
    bad
}

/// What a challenge tells of the scope that a route needs.
fn told_scope(route: &Route) -> String {
    let (Access::Bearer(requirement), Dialect::Problem) = (&route.access, route.dialect) else {
        return String::new();
    };
    let permission = requirement.permission();
    permission.map(|needed| format!("scope=\"{}\", ", needed.scope())).unwrap_or_default()
}

fn assert_token_refused(route: &Route, answer: &Answer, why: &str) {
    let told = format!("{why}: {} {}", route.method, route.path);
    let code = match route.dialect {
        Dialect::Problem => "UNAUTHORIZED",
        Dialect::OAuth => "invalid_token",
    };
    assert_eq!(answer.refusal(), (401, code), "{told}");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer error=\"invalid_token\", "), "{told}: {challenge}");
    let end = format!(" {}resource_metadata=\"", told_scope(route));
    assert!(challenge.contains(&end), "{told}: {challenge}");
}

/// Nothing that could be a token was shown: a challenge of each scheme, and no error code (RFC 6750
/// section 3.1).
fn assert_token_required(route: &Route, answer: &Answer) {
    let told = format!("{} {}", route.method, route.path);
    assert_eq!(answer.refusal(), (401, "UNAUTHORIZED"), "{told}");
    let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    for (challenge, scheme) in challenges.iter().zip(["Bearer ", "DPoP "]) {
        let challenge = challenge.to_str().unwrap();
        assert!(challenge.starts_with(scheme), "{told}: {challenge}");
        assert!(!challenge.contains("error"), "{told}: {challenge}");
    }
    assert_eq!(challenges.len(), 2, "{told}");
}

#[tokio::test]
async fn every_route_that_demands_a_token_refuses_a_bad_one_and_never_says_why() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let scope = "agents:read agents:write credentials:write tokens:introspect audit:read";
    let expired = server.token(scope).await;
    // Before the others are made: they are to be refused for what they are, not for their age.
    server.clock.advance(std::time::Duration::from_secs(901));
    let mut bad = bad_tokens(&server).await;
    bad.push(("expired", expired));
    let target = &target;
    for (route, _) in guarded() {
        let mut answers = Vec::new();
        for (why, token) in &bad {
            let asked = good(&server, &route, &target.path(&route)).token(token).send();
            let (answer, events) = server.events_of_doing(asked).await;
            assert_token_refused(&route, &answer, why);
            let left: Vec<_> = events.iter().map(|event| (event.action, event.outcome)).collect();
            assert_eq!(left, [(Action::AuthFailed, Outcome::Failure)], "{why} {route:?}");
            answers.push(answer.bare());
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{route:?} tells bad tokens apart");
    }
}

#[tokio::test]
async fn a_token_counts_only_where_one_authorization_header_brings_it() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let token = server.token("agents:read agents:write credentials:write audit:read").await;
    for route in managed() {
        let path = target.path(&route);
        let asked = || good(&server, &route, &path);
        let twice = asked().token(&token).token(&token).send().await;
        assert_token_refused(&route, &twice, "twice");
        let basic = asked().basic(&server.admin.id, &server.admin.secret);
        let bare = asked().header("authorization", &token);
        let unknown = asked().header("authorization", "Digest a");
        for unsupported in [basic, bare, unknown] {
            let (answer, events) = server.events_of_doing(unsupported.send()).await;
            assert_token_required(&route, &answer);
            let left: Vec<_> = events.iter().map(|event| event.action).collect();
            assert_eq!(left, [Action::AuthFailed], "{route:?}");
        }
        let query = with_query(&path, &format!("access_token={token}"));
        let queried = good(&server, &route, &query).send().await;
        assert_eq!(queried.refusal(), (401, "UNAUTHORIZED"), "{route:?}");
    }
}

/// Every id of a route's path in turn, put in the place of the good one.
fn with_id(target: &Target, name: &str, id: &str) -> Target {
    let mut other = target.clone();
    match name {
        "agentId" => {
            id.clone_into(&mut other.agent);
            id.clone_into(&mut other.keyed);
        }
        "kid" => id.clone_into(&mut other.kid),
        "credentialId" => id.clone_into(&mut other.credential),
        "eventId" => id.clone_into(&mut other.event),
        "path" => id.clone_into(&mut other.tile),
        other => panic!("{other} is an id that no walk knows"),
    }
    other
}

fn parameters_of(route: &Route) -> Vec<&'static str> {
    let named = |part: &'static str| part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    route.path.split('/').filter_map(named).map(|name| name.trim_start_matches('*')).collect()
}

fn ids_of(route: &Route) -> Vec<&'static str> {
    parameters_of(route).into_iter().filter(|name| name.ends_with("Id")).collect()
}

#[tokio::test]
async fn a_foreign_id_and_an_unknown_one_are_the_same_answer_and_the_log_tells() {
    const UNKNOWN: &str = "01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091";
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let token = server.token("agents:read agents:write credentials:write audit:read").await;
    let events = server.events().await;
    let foreign_event = events.iter().find(|event| event.organization == server.other).unwrap();
    for route in managed() {
        for name in ids_of(&route) {
            let (foreign, expected) = match name {
                "agentId" => (server.other_admin.id.clone(), (403, "AUTHORIZATION_ERROR")),
                "credentialId" => (server.other_admin.credential.clone(), (404, "NOT_FOUND")),
                _ => (foreign_event.id.to_string(), (403, "AUTHORIZATION_ERROR")),
            };
            let mut answers = Vec::new();
            for id in [foreign.as_str(), UNKNOWN] {
                let path = with_id(&target, name, id).path(&route);
                let asked = good(&server, &route, &path).token(&token).send();
                let (answer, events) = server.events_of_doing(asked).await;
                assert_eq!(answer.refusal(), expected, "{} {path}", route.method);
                if expected.0 == 404 {
                    // A part of an agent that the caller may see: nobody was denied anything.
                    assert!(events.is_empty(), "{} {path} left {events:?}", route.method);
                } else {
                    let [event] = events.as_slice() else { panic!("{route:?} left {events:?}") };
                    assert_eq!(event.action, Action::AccessDenied);
                    assert_eq!(event.outcome, Outcome::Failure);
                    assert_eq!(event.organization, server.organization);
                    assert_eq!(event.resource.as_ref().unwrap().id, route.operation);
                    assert!(path.contains(event.metadata["target"].as_str().unwrap()));
                }
                answers.push(answer.bare());
            }
            assert_eq!(answers[0], answers[1], "{} {}", route.method, route.path);
        }
    }
}

#[tokio::test]
async fn a_token_of_another_organization_reaches_nothing_of_this_one() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let scope = "agents:read agents:write credentials:write audit:read";
    let token = server.token_of(&server.other_admin, scope).await;
    for route in managed().filter(|route| !ids_of(route).is_empty()) {
        let asked = good(&server, &route, &target.path(&route)).token(&token).send();
        let (answer, events) = server.events_of_doing(asked).await;
        assert_eq!(answer.refusal(), (403, "AUTHORIZATION_ERROR"), "{route:?}");
        let [event] = events.as_slice() else { panic!("{route:?} left {events:?}") };
        assert_eq!((event.action, event.organization), (Action::AccessDenied, server.other));
    }
}

#[tokio::test]
async fn every_route_refuses_a_token_that_lacks_its_scope_and_the_log_tells() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let plain = server.client(&["admin"]).await;
    let all = ["agents:read", "agents:write", "credentials:write", "audit:read", "tokens:revoke"];
    for (route, requirement) in guarded() {
        let needed = match requirement {
            Requirement::Authenticated => continue,
            Requirement::Has(permission) | Requirement::OwnOr(permission) => permission.scope(),
        };
        let others: Vec<_> =
            all.into_iter().chain(["resume:read"]).filter(|one| *one != needed).collect();
        let token = server.token_of(&plain, &others.join(" ")).await;
        let asked = good(&server, &route, &target.path(&route)).token(&token).send();
        let (answer, events) = server.events_of_doing(asked).await;
        let code = match route.dialect {
            Dialect::Problem => "INSUFFICIENT_SCOPE",
            Dialect::OAuth => "insufficient_scope",
        };
        assert_eq!(answer.refusal(), (403, code), "{route:?}");
        if route.dialect == Dialect::Problem {
            assert_eq!(answer.json["details"], json!({ "required": needed }));
        }
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.contains("error=\"insufficient_scope\""), "{challenge}");
        assert!(challenge.contains(&format!("scope=\"{needed}\"")), "{challenge}");
        let [event] = events.as_slice() else { panic!("{route:?} left {events:?}") };
        assert_eq!((event.action, event.outcome), (Action::AccessDenied, Outcome::Failure));
        assert_eq!(event.agent.unwrap().to_string(), plain.id);
        assert_eq!(event.organization, server.organization);
        assert_eq!(event.metadata["required"], needed);
    }
}

#[tokio::test]
async fn rg_09_every_route_refuses_an_id_of_another_form_by_its_name() {
    let server = Server::start().await;
    let target = Target::fresh(&server).await;
    let token = server.token("agents:read agents:write credentials:write audit:read").await;
    let good_id = target.agent.clone();
    let bad = [
        good_id.to_uppercase(),
        good_id.replace('-', ""),
        format!("%7B{good_id}%7D"),
        format!("urn:uuid:{good_id}"),
        format!("{good_id};x"),
        format!("%20{good_id}"),
        "%2f..%2f".to_owned(),
        "..%2f..%2fetc%2fpasswd".to_owned(),
        "%252e%252e".to_owned(),
        "%00".to_owned(),
        "%ff".to_owned(),
        "1".to_owned(),
        "00000000-0000-0000-0000-000000000000".to_owned(),
        "'%20OR%201=1--".to_owned(),
        "x".repeat(10_000),
    ];
    for route in managed() {
        for name in parameters_of(&route) {
            // What a client calls its key is of its own choice, within bounds.
            let is_one = |id: &str| name == "kid" && id.parse::<ClientKeyId>().is_ok();
            for id in bad.iter().filter(|id| !is_one(id)) {
                let path = with_id(&target, name, id).path(&route);
                let answer = good(&server, &route, &path).token(&token).send().await;
                assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{} {path}", route.method);
                assert_eq!(answer.bad_fields(), [name], "{} {path}", route.method);
            }
        }
    }
}

#[tokio::test]
async fn au_01_every_change_leaves_exactly_the_one_event_of_the_route_table() {
    let server = Server::start().await;
    for route in routes().into_iter().filter(|route| !route.events.is_empty()) {
        let target = Target::fresh(&server).await;
        let client = server.client(&["admin"]).await;
        let token = server.token_of(&client, "agents:write credentials:write").await;
        let call = match route.operation {
            "issueToken" => issue(&server, &client),
            "introspectToken" | "revokeToken" => server
                .call(route.method.clone(), route.path)
                .token(&token)
                .form(&[("token", &token)]),
            _ => good(&server, &route, &target.path(&route)).token(&token),
        };
        let needs_scope = route.operation == "introspectToken";
        let call = if needs_scope { introspect(&server, &client, &token) } else { call };
        let call = call.header("x-request-id", "walk-1").header("user-agent", "walker/1");
        let (answer, events) = server.events_of_doing(call.from("192.0.2.77").send()).await;
        assert!((200..300).contains(&answer.status), "{route:?}: {}", answer.json);
        let [event] = events.as_slice() else { panic!("{route:?} left {events:?}") };
        assert!(route.events.contains(&event.action), "{route:?} left {event:?}");
        assert_eq!(event.outcome, Outcome::Success);
        assert_eq!(event.agent.unwrap().to_string(), client.id, "{route:?}");
        assert_eq!(event.organization, server.organization);
        assert_eq!(event.origin.request.as_str(), "walk-1");
        assert_eq!(event.origin.address.unwrap().to_string(), "192.0.2.77");
        assert_eq!(event.origin.user_agent.as_ref().unwrap().as_str(), "walker/1");
        let resource = event.resource.as_ref().unwrap();
        match route.operation {
            "updateAgent" | "decommissionAgent" => assert_eq!(resource.id, target.agent),
            "createAgent" => assert_eq!(resource.id, answer.text("agentId")),
            "createCredential" => assert_eq!(resource.id, answer.text("credentialId")),
            "addKey" => {
                assert_eq!(
                    (resource.kind.name(), &resource.id),
                    ("key", &answer.text("credentialId"))
                );
            }
            "removeKey" => assert_eq!(resource.kind.name(), "key"),
            "rotateCredential" | "revokeCredential" => {
                assert_eq!(resource.kind.name(), "credential")
            }
            _ => assert_eq!(resource.kind.name(), "token"),
        }
    }
}

fn issue<'a>(server: &'a Server, client: &Client) -> Call<'a> {
    let form = [("grant_type", "client_credentials")];
    server.post("/api/v1/token").basic(&client.id, &client.secret).form(&form)
}

fn introspect<'a>(server: &'a Server, client: &Client, token: &str) -> Call<'a> {
    let call = server.call(Method::POST, "/api/v1/token/introspect");
    call.basic(&client.id, &client.secret).form(&[("token", token)])
}
