//! Every outcome of every route leaves its event: which one, by whom, about what, and nothing else.

use std::collections::BTreeSet;

use audit::{Action, EventRecord, Outcome, ResourceKind};
use axum::http::Method;
use http_api::{
    route::{Access, Route},
    routes,
};
use kernel::OrganizationId;
use serde_json::{Value, json};
use usecases::Requirement;

use crate::{
    kit::{Client, Server, call::Call},
    walks::{Target, good},
};

const FORM: [(&str, &str); 1] = [("grant_type", "client_credentials")];
const ADDRESS: &str = "192.0.2.78";

/// A request, and the one event that it must leave.
struct Attempt<'a> {
    what: &'static str,
    call: Call<'a>,
    expected: Expected,
}

/// What an event must say.
#[derive(Clone)]
struct Expected {
    action: Action,
    organization: OrganizationId,
    agent: Option<String>,
    about: (ResourceKind, String),
    /// A member of the metadata, and its value where it is known.
    told: (&'static str, Option<&'static str>),
}

impl Expected {
    /// That nobody in particular failed to authenticate.
    fn of_nobody(server: &Server) -> Self {
        let organization = server.organization;
        Self {
            action: Action::AuthFailed,
            organization,
            agent: None,
            about: (ResourceKind::Organization, organization.to_string()),
            told: ("reason", None),
        }
    }

    /// That somebody failed to authenticate as this client.
    fn of_claimed(organization: OrganizationId, client: &Client) -> Self {
        let (action, told) = (Action::AuthFailed, ("reason", None));
        let (agent, about) = (Some(client.id.clone()), (ResourceKind::Agent, client.id.clone()));
        Self { action, organization, agent, about, told }
    }
}

/// Whoever takes part in the walk.
struct Cast {
    /// May everything.
    admin: Client,
    /// May nothing.
    plain: Client,
    plain_token: String,
    /// Of another organization, and its token that was revoked.
    foreign: Client,
    dead_token: String,
    suspended: Client,
    target: Target,
}

impl Cast {
    async fn of(server: &Server) -> Self {
        let admin = server.client(&["admin"]).await;
        let plain = server.client(&[]).await;
        let plain_token = server.token_of(&plain, "").await;
        let foreign = server.other_admin.clone();
        let dead_token = server.token_of(&foreign, "agents:read").await;
        let call = server.post("/api/v1/token/revoke").basic(&foreign.id, &foreign.secret);
        call.form(&[("token", &dead_token)]).send().await.expect(200);
        let suspended = server.client(&[]).await;
        let writer = server.token("agents:write").await;
        let path = format!("/api/v1/agents/{}", suspended.id);
        let call = server.patch(path).token(&writer).json(&json!({ "status": "suspended" }));
        call.send().await.expect(200);
        let target = Target::fresh(server).await;
        Self { admin, plain, plain_token, foreign, dead_token, suspended, target }
    }

    /// What nobody may ever read in the log.
    fn secrets(&self) -> Vec<String> {
        let clients = [&self.admin, &self.plain, &self.foreign, &self.suspended];
        let secrets = clients.iter().map(|client| client.secret.clone());
        secrets.chain([self.plain_token.clone(), self.dead_token.clone()]).collect()
    }
}

/// The ways to fail before anybody is known to call, and the one to lack a scope.
fn bearer_attempts<'a>(
    server: &'a Server,
    cast: &Cast,
    route: &Route,
    requirement: Requirement,
) -> Vec<Attempt<'a>> {
    let path = cast.target.path(route);
    let asked = || good(server, route, &path);
    let nobody = Expected::of_nobody(server);
    let foreign = Expected::of_claimed(server.other, &cast.foreign);
    let attempt = |what, call, expected| Attempt { what, call, expected };
    let mut attempts = vec![
        attempt("no text of a token", asked().token("a.b.c"), nobody.clone()),
        attempt("a revoked token of another", asked().token(&cast.dead_token), foreign),
    ];
    if let Requirement::Has(permission) | Requirement::OwnOr(permission) = requirement {
        let expected = Expected {
            action: Action::AccessDenied,
            told: ("required", Some(permission.scope())),
            ..Expected::of_claimed(server.organization, &cast.plain)
        };
        attempts.push(attempt("too small a token", asked().token(&cast.plain_token), expected));
    }
    if let Access::Bearer(_) = route.access {
        attempts.push(attempt("no token", asked(), nobody));
    }
    attempts
}

/// The ways in which a client fails to authenticate.
fn client_attempts<'a>(server: &'a Server, cast: &Cast, route: &Route) -> Vec<Attempt<'a>> {
    const UNKNOWN: &str = "01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091";
    let form = [FORM[0], ("token", "no-token")];
    let asked = || server.call(route.method.clone(), route.path).form(&form);
    let nobody = Expected::of_nobody(server);
    let (foreign, suspended) = (&cast.foreign, &cast.suspended);
    let of_foreign = Expected::of_claimed(server.other, foreign);
    let of_suspended = Expected::of_claimed(server.organization, suspended);
    let wrong = &cast.plain.secret;
    [
        ("a wrong secret", asked().basic(&foreign.id, wrong), of_foreign),
        ("an unknown client", asked().basic(UNKNOWN, wrong), nobody.clone()),
        ("no secret of ours", asked().basic(&foreign.id, "guess"), nobody.clone()),
        ("suspended", asked().basic(&suspended.id, &suspended.secret), of_suspended),
        ("nobody", asked(), nobody),
    ]
    .map(|(what, call, expected)| Attempt { what, call, expected })
    .into()
}

/// What a client that has authenticated is refused.
fn refused_tokens<'a>(server: &'a Server, cast: &Cast) -> Vec<Attempt<'a>> {
    let attempt = |what, more, error| {
        let call = server.post("/api/v1/token").basic(&cast.plain.id, &cast.plain.secret);
        let expected = Expected {
            action: Action::TokenRefused,
            told: ("error", Some(error)),
            ..Expected::of_claimed(server.organization, &cast.plain)
        };
        Attempt { what, call: call.form(&[FORM[0], more]), expected }
    };
    vec![
        attempt("a scope too many", ("scope", "agents:write"), "invalid_scope"),
        attempt("a resource that is none", ("resource", "nowhere"), "invalid_target"),
        attempt("nobody's resource", ("resource", "https://nowhere.example"), "invalid_target"),
    ]
}

/// Every outcome but success.
fn attempts<'a>(server: &'a Server, cast: &Cast, route: &Route) -> Vec<Attempt<'a>> {
    match route.access {
        Access::Probe | Access::Public => Vec::new(),
        Access::Bearer(requirement) => bearer_attempts(server, cast, route, requirement),
        Access::Client => {
            let mut attempts = client_attempts(server, cast, route);
            attempts.extend(refused_tokens(server, cast));
            attempts
        }
        Access::ClientOrBearer(requirement) => {
            let mut attempts = client_attempts(server, cast, route);
            attempts.extend(bearer_attempts(server, cast, route, requirement));
            attempts
        }
    }
}

fn assert_event(event: &EventRecord, expected: &Expected, request: &str, what: &str) {
    assert_eq!((event.action, event.outcome), (expected.action, Outcome::Failure), "{what}");
    assert_eq!(event.organization, expected.organization, "{what}");
    assert_eq!(event.agent.map(|id| id.to_string()), expected.agent, "{what}");
    let resource = event.resource.as_ref().unwrap();
    assert_eq!((resource.kind, resource.id.clone()), expected.about, "{what}");
    assert_eq!(event.origin.request.as_str(), request, "{what}");
    assert_eq!(event.origin.address, ADDRESS.parse().ok(), "{what}");
    assert_eq!(event.origin.user_agent.as_ref().unwrap().as_str(), "walker/2", "{what}");
    let (name, value) = expected.told;
    let told = event.metadata[name].as_str();
    assert!(told.is_some() && (value.is_none() || told == value), "{what}: {told:?}");
}

#[tokio::test]
async fn au_01_every_refusal_of_every_route_leaves_exactly_one_event_and_no_secret() {
    let server = Server::start().await;
    let cast = Cast::of(&server).await;
    let mut sent = 0;
    for route in routes() {
        let attempts = attempts(&server, &cast, &route);
        let is_guarded = !matches!(route.access, Access::Probe | Access::Public);
        assert_eq!(!attempts.is_empty(), is_guarded, "{route:?} is not walked");
        for Attempt { what, call, expected } in attempts {
            sent += 1;
            let what = format!("{} {}: {what}", route.method, route.path);
            let request = format!("walk-{sent}");
            let call = call.header("x-request-id", &request).header("user-agent", "walker/2");
            let (answer, events) = server.events_of_doing(call.from(ADDRESS).send()).await;
            assert!((400..404).contains(&answer.status), "{what}: {}", answer.json);
            let [event] = events.as_slice() else { panic!("{what} left {events:?}") };
            assert_event(event, &expected, &request, &what);
        }
    }
    assert!(sent > 60, "only {sent}");
    assert_holds_no_secret(&server, &cast.secrets()).await;
}

/// Looks for secrets and tokens in every event, as the store has it and as the API shows it.
async fn assert_holds_no_secret(server: &Server, more: &[String]) {
    let mut secrets = server.secrets();
    secrets.extend_from_slice(more);
    // A part of a token that could be put together again is one too.
    let parts = secrets.iter().filter(|one| one.matches('.').count() == 2);
    let parts: Vec<_> =
        parts.flat_map(|token| token.split('.').skip(1)).map(str::to_owned).collect();
    secrets.extend(parts);
    let mut texts = Vec::new();
    for client in [&server.admin, &server.other_admin] {
        let token = server.token_of(client, "audit:read").await;
        let mut path = "/api/v1/audit?limit=100".to_owned();
        loop {
            let page = server.get(&path).token(&token).send().await.expect(200);
            texts.push(page.json["data"].to_string());
            let Some(cursor) = page.json["nextCursor"].as_str() else { break };
            path = format!("/api/v1/audit?limit=100&cursor={cursor}");
        }
    }
    let events = server.events().await;
    texts.extend(events.iter().map(|event| format!("{event:?}")));
    assert!(events.len() > 60, "only {} events", events.len());
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        let shown = texts.iter().find(|text| text.contains(secret.as_str()));
        assert_eq!(shown, None, "a secret stands in the log");
    }
}

/// What each route does where it changes something, in every way of the route table.
fn changes<'a>(server: &'a Server, cast: &Cast, route: &Route, token: &str) -> Vec<Call<'a>> {
    let path = cast.target.path(route);
    let update = |body: Value| server.patch(path.clone()).token(token).json(&body);
    let client = &cast.admin;
    match route.operation {
        "updateAgent" => {
            let status = |status: &str| update(json!({ "status": status }));
            let owner = update(json!({ "owner": "another" }));
            vec![owner, status("suspended"), status("active"), status("revoked")]
        }
        "issueToken" => {
            vec![server.post(route.path).basic(&client.id, &client.secret).form(&FORM)]
        }
        "introspectToken" | "revokeToken" => {
            let call = server.post(route.path).basic(&client.id, &client.secret);
            vec![call.form(&[("token", token)])]
        }
        _ => vec![good(server, route, &path).token(token)],
    }
}

#[tokio::test]
async fn au_01_every_event_of_the_route_table_is_left_and_what_changes_nothing_leaves_none() {
    let server = Server::start().await;
    let (mut promised, mut left) = (BTreeSet::new(), BTreeSet::new());
    for route in routes() {
        let cast = Cast::of(&server).await;
        let scope = "agents:read agents:write credentials:write audit:read";
        let token = server.token_of(&cast.admin, scope).await;
        promised.extend(route.events);
        for call in changes(&server, &cast, &route, &token) {
            let sent = async {
                if route.events.is_empty() {
                    call.send_undocumented().await
                } else {
                    call.send().await
                }
            };
            let (answer, events) = server.events_of_doing(sent).await;
            assert!(![401, 403, 500].contains(&answer.status), "{route:?}: {}", answer.json);
            let actions: Vec<_> = events.iter().map(|event| event.action).collect();
            if route.events.is_empty() {
                assert_eq!(actions, [], "{route:?}");
            } else {
                assert_eq!(actions.len(), 1, "{route:?} left {actions:?}");
                assert!(route.events.contains(&actions[0]), "{route:?} left {actions:?}");
                assert_eq!(events[0].agent.unwrap().to_string(), cast.admin.id, "{route:?}");
                left.extend(actions);
            }
        }
    }
    assert_eq!(left, promised);
    assert_holds_no_secret(&server, &[]).await;
}

#[test]
fn au_01_every_route_that_can_change_something_says_what_it_leaves() {
    for route in routes() {
        assert_eq!(route.method != Method::GET, !route.events.is_empty(), "{route:?}");
    }
}

#[test]
fn every_action_has_a_cause_and_a_route_has_no_event_that_is_a_refusal() {
    let of_routes: BTreeSet<_> =
        routes().iter().flat_map(|route| route.events.iter().copied()).collect();
    for action in Action::ALL {
        let description = action.description();
        let has_cause = of_routes.contains(action) || description.causes.is_some();
        assert!(has_cause, "nothing causes {action:?}");
    }
    for action in of_routes {
        assert_eq!(action.description().outcome, Outcome::Success, "{action:?}");
    }
}

#[tokio::test]
async fn au_12_whatever_a_caller_writes_is_escaped_where_the_log_or_an_agent_is_shown() {
    let server = Server::start().await;
    let token = server.token("agents:read agents:write audit:read").await;
    let hostile = "=cmd|' /C calc'!A0\r\n\u{1b}[31mred\u{7}\u{202e}";
    for (field, value) in [
        ("owner", json!("a\r\nb")),
        ("owner", json!("a\u{1b}[31m")),
        ("version", json!("1\r\n")),
        ("capabilities", json!(["a:b\r\n"])),
    ] {
        let mut body = server.new_agent();
        body[field] = value;
        server.post("/api/v1/agents").token(&token).json(&body).send().await.expect(400);
    }
    let mut body = server.new_agent();
    body["owner"] = json!("=cmd|' /C calc'!A0");
    body["metadata"] = json!({ "note": hostile });
    let made = server.post("/api/v1/agents").token(&token).json(&body).send().await.expect(201);
    let agent = made.text("agentId");
    let shown = server.get(format!("/api/v1/agents/{agent}")).token(&token).send().await;
    let shown = shown.expect(200);
    assert_eq!(shown.json["owner"], "=cmd|' /C calc'!A0");
    assert_eq!(shown.json["metadata"]["note"], hostile);
    let hostile_id = server.get("/api/v1/agents").header("x-request-id", "=cmd\t|x").send().await;
    assert!(hostile_id.header("x-request-id").is_some_and(|id| !id.contains(['=', '\t'])));
    let log = server.get("/api/v1/audit?limit=100").token(&token).send().await.expect(200);
    for answer in [shown, log] {
        let control = |byte: &u8| *byte < 0x20 || *byte == 0x7f;
        assert!(!answer.body.iter().any(control), "a control character is shown as it is");
    }
}
