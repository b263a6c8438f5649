//! Changing agents and ending them: preconditions, the life cycle, roles, and the last admin.

use audit::Action;
use futures_util::future::join;
use serde_json::{Value, json};

use crate::kit::{Answer, Client, Server};

fn at(id: &str) -> String {
    format!("/api/v1/agents/{id}")
}

async fn patch(server: &Server, token: &str, id: &str, body: &Value) -> Answer {
    server.patch(at(id)).token(token).json(body).send().await
}

#[tokio::test]
async fn a_change_replaces_what_it_names_and_one_that_changes_nothing_leaves_nothing() {
    let server = Server::start().await;
    let id = server.register_agent(json!({ "metadata": { "a": 1 } })).await;
    let token = server.token("agents:write agents:read").await;
    let before = server.get(at(&id)).token(&token).send().await.expect(200);
    let changes = json!({
        "agentType": "monitor", "version": "2.0.0", "capabilities": ["x:y"], "owner": "b",
        "deploymentEnv": "staging", "roles": ["auditor"], "isPublic": true, "metadata": { "b": 2 },
        "resources": ["https://a.example"], "dpopBoundAccessTokens": true,
    });
    let asked = patch(&server, &token, &id, &changes);
    let (after, events) = server.events_of_doing(asked).await;
    let after = after.expect(200);
    for (name, value) in changes.as_object().unwrap() {
        assert_eq!(after.json[name], *value, "{name}");
    }
    assert!(after.text("updatedAt") > before.text("updatedAt"));
    assert_ne!(after.header("etag"), before.header("etag"));
    let left: Vec<_> = events.iter().map(|event| event.action).collect();
    assert_eq!(left, [Action::AgentUpdated]);
    let told = &events[0].metadata;
    for name in ["roles", "resources", "dpopBoundAccessTokens"] {
        assert_eq!(told[name], changes[name], "{name}");
    }
    let changed = told["changed"].as_array().unwrap();
    assert_eq!(changed.len(), changes.as_object().unwrap().len(), "{changed:?}");

    for nothing in
        [json!({}), changes, json!({ "status": "active" }), json!({ "version": "v2.0.0" })]
    {
        let asked = patch(&server, &token, &id, &nothing);
        let (again, events) = server.events_of_doing(asked).await;
        assert_eq!(again.json, after.json);
        assert_eq!(again.header("etag"), after.header("etag"));
        assert!(events.is_empty(), "{nothing}: {events:?}");
    }
}

#[tokio::test]
async fn a_field_that_never_changes_is_refused_and_a_bad_one_is_told() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let token = server.token("agents:write").await;
    for (body, code, fields) in [
        (json!({ "email": "b@example.com" }), "IMMUTABLE_FIELD", vec!["email"]),
        (
            json!({ "agentId": id, "organizationId": null, "createdAt": 1, "owner": "" }),
            "IMMUTABLE_FIELD",
            vec!["agentId", "createdAt", "organizationId"],
        ),
        (
            json!({ "owner": "", "status": "decommissioned", "version": 1, "surplus": null }),
            "VALIDATION_ERROR",
            vec!["owner", "status", "surplus", "version"],
        ),
        (json!({ "status": "archived" }), "VALIDATION_ERROR", vec!["status"]),
        (json!({ "lastAuthAt": null }), "VALIDATION_ERROR", vec!["lastAuthAt"]),
        (
            json!({ "owner": null, "roles": null, "status": null, "metadata": null }),
            "VALIDATION_ERROR",
            vec!["metadata", "owner", "roles", "status"],
        ),
    ] {
        let asked = patch(&server, &token, &id, &body);
        let (answer, events) = server.events_of_doing(asked).await;
        assert_eq!(answer.refusal(), (400, code), "{body}");
        assert_eq!(answer.bad_fields(), fields, "{body}");
        assert!(events.is_empty());
    }
}

#[tokio::test]
async fn a_change_is_made_only_where_its_precondition_holds() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let token = server.token("agents:write agents:read").await;
    let tag = async || {
        let read = server.get(at(&id)).token(&token).send().await.expect(200);
        read.header("etag").unwrap().to_owned()
    };
    let current = tag().await;
    for (condition, expected) in [
        ("\"999\"".to_owned(), (412, "PRECONDITION_FAILED")),
        ("\"other\"".to_owned(), (412, "PRECONDITION_FAILED")),
        (format!("W/{current}"), (412, "PRECONDITION_FAILED")),
        ("\"\"".to_owned(), (412, "PRECONDITION_FAILED")),
        ("garbage".to_owned(), (400, "VALIDATION_ERROR")),
        (current.trim_matches('"').to_owned(), (400, "VALIDATION_ERROR")),
        (String::new(), (400, "VALIDATION_ERROR")),
        ("\"1".to_owned(), (400, "VALIDATION_ERROR")),
        ("\u{e9}".to_owned(), (400, "VALIDATION_ERROR")),
    ] {
        let call = server.patch(at(&id)).token(&token).header("if-match", &condition);
        let body = json!({ "owner": server.fresh_email() });
        let (answer, events) = server.events_of_doing(call.json(&body).send()).await;
        assert_eq!(answer.refusal(), expected, "{condition}");
        assert!(events.is_empty());
    }
    for condition in ["*".to_owned(), tag().await, format!("\"7\", {}", tag().await)] {
        let condition =
            if condition == "*" { condition } else { condition.replace(&current, &tag().await) };
        let body = json!({ "owner": server.fresh_email() });
        let call = server.patch(at(&id)).token(&token).header("if-match", &condition);
        call.json(&body).send().await.expect(200);
    }
}

#[tokio::test]
async fn rg_06_of_two_changes_with_one_tag_one_is_made() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    for round in 0..20 {
        let id = server.register_agent(json!({})).await;
        let change = |owner: &str| {
            let call = server.patch(at(&id)).token(&token).header("if-match", "\"1\"");
            call.json(&json!({ "owner": owner })).send()
        };
        let both = join(change("one"), change("two"));
        let ((one, two), events) = server.events_of_doing(both).await;
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!((statuses, events.len()), ([200, 412], 1), "round {round}");
    }
}

/// Brings a fresh agent to a status.
async fn agent_that_is(server: &Server, status: &str) -> String {
    let id = server.register_agent(json!({})).await;
    let token = server.token("agents:write").await;
    match status {
        "active" => {}
        "decommissioned" => {
            server.delete(at(&id)).token(&token).send().await.expect(204);
        }
        other => {
            patch(server, &token, &id, &json!({ "status": other })).await.expect(200);
        }
    }
    id
}

#[tokio::test]
async fn rg_08_only_the_steps_of_the_life_cycle_are_made() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let none: Option<Action> = None;
    for (from, to, made) in [
        ("active", "active", Ok(none)),
        ("active", "suspended", Ok(Some(Action::AgentSuspended))),
        ("active", "revoked", Ok(Some(Action::AgentRevoked))),
        ("suspended", "active", Ok(Some(Action::AgentReactivated))),
        ("suspended", "suspended", Ok(none)),
        ("suspended", "revoked", Ok(Some(Action::AgentRevoked))),
        ("revoked", "active", Err((409, "INVALID_STATE_TRANSITION"))),
        ("revoked", "suspended", Err((409, "INVALID_STATE_TRANSITION"))),
        ("revoked", "revoked", Ok(none)),
        ("decommissioned", "active", Err((403, "AGENT_DECOMMISSIONED"))),
        ("decommissioned", "suspended", Err((403, "AGENT_DECOMMISSIONED"))),
        ("decommissioned", "revoked", Err((403, "AGENT_DECOMMISSIONED"))),
    ] {
        let id = agent_that_is(&server, from).await;
        let body = json!({ "status": to, "owner": "talent-team" });
        let asked = patch(&server, &token, &id, &body);
        let (answer, events) = server.events_of_doing(asked).await;
        let left: Vec<_> = events.iter().map(|event| event.action).collect();
        match made {
            Ok(action) => {
                assert_eq!(answer.expect(200).json["status"], to, "{from} to {to}");
                assert_eq!(left, Vec::from_iter(action), "{from} to {to}");
            }
            Err(refusal) => {
                assert_eq!(answer.refusal(), refusal, "{from} to {to}");
                if refusal.0 == 409 {
                    assert_eq!(answer.json["details"], json!({ "from": from, "to": to }));
                }
                assert!(left.is_empty());
            }
        }
    }
    for (from, expected) in [
        ("active", None),
        ("suspended", None),
        ("revoked", None),
        ("decommissioned", Some((409, "AGENT_ALREADY_DECOMMISSIONED"))),
    ] {
        let id = agent_that_is(&server, from).await;
        let asked = server.delete(at(&id)).token(&token).send();
        let (answer, events) = server.events_of_doing(asked).await;
        match expected {
            None => assert_eq!((answer.status, events.len()), (204, 1), "{from}"),
            Some(refusal) => assert_eq!((answer.refusal(), events.len()), (refusal, 0)),
        }
    }
}

#[tokio::test]
async fn a_change_of_the_status_names_the_event_whatever_else_it_changes() {
    let server = Server::start().await;
    let id = server.register_agent(json!({})).await;
    let token = server.token("agents:write").await;
    let body = json!({ "status": "suspended", "owner": "b" });
    let (_, events) = server.events_of_doing(patch(&server, &token, &id, &body)).await;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(event.action, Action::AgentSuspended);
}

/// Every way out of the standing of an active admin, and what it is called.
async fn ways_out(server: &Server, token: &str, id: &str) -> Vec<(&'static str, Answer)> {
    let status = async |status| patch(server, token, id, &json!({ "status": status })).await;
    let roles = async |roles: Value| patch(server, token, id, &json!({ "roles": roles })).await;
    vec![
        ("suspended", status("suspended").await),
        ("revoked", status("revoked").await),
        ("without the role admin", roles(json!([])).await),
        ("without the role admin", roles(json!(["operator", "auditor"])).await),
        ("decommissioned", server.delete(at(id)).token(token).send().await),
    ]
}

#[tokio::test]
async fn the_last_active_admin_stays_in_each_way() {
    let server = Server::start().await;
    let token = server.token("agents:write").await;
    let suspended = server.client(&["admin"]).await;
    patch(&server, &token, &suspended.id, &json!({ "status": "suspended" })).await.expect(200);
    let before = server.events().await.len();
    for (to, answer) in ways_out(&server, &token, &server.admin.id).await {
        assert_eq!(answer.refusal(), (409, "INVALID_STATE_TRANSITION"), "{to}");
        assert_eq!(answer.json["details"], json!({ "from": "active", "to": to }));
    }
    assert_eq!(server.events().await.len(), before);
    // An admin of another organization is none of this one.
    let other = server.token_of(&server.other_admin, "agents:write").await;
    for (to, answer) in ways_out(&server, &other, &server.other_admin.id).await {
        assert_eq!(answer.refusal(), (409, "INVALID_STATE_TRANSITION"), "{to}");
    }
    patch(&server, &token, &suspended.id, &json!({ "status": "active" })).await.expect(200);
    patch(&server, &token, &server.admin.id, &json!({ "roles": [] })).await.expect(200);
}

#[tokio::test]
async fn two_admins_that_end_each_other_at_once_do_not_both_succeed() {
    let server = Server::start().await;
    let second = server.client(&["admin"]).await;
    let one = server.token("agents:write").await;
    let two = server.token_of(&second, "agents:write").await;
    let ends = json!({ "status": "suspended" });
    let (first, other) = join(
        patch(&server, &one, &second.id, &ends),
        patch(&server, &two, &server.admin.id, &ends),
    )
    .await;
    let done = [&first, &other].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1, "{} {}", first.json, other.json);
}

#[tokio::test]
async fn only_an_admin_gives_or_takes_roles() {
    let server = Server::start().await;
    let operator = server.client(&["operator"]).await;
    let token = server.token_of(&operator, "agents:write").await;
    let helper = server.register_agent(json!({ "roles": ["resource_server"] })).await;
    for roles in [json!(["admin"]), json!(["operator"]), json!(["resource_server"])] {
        let mut body = server.new_agent();
        body["roles"] = roles.clone();
        let made = server.post("/api/v1/agents").token(&token).json(&body).send().await;
        assert_eq!(made.refusal(), (403, "AUTHORIZATION_ERROR"), "{roles}");
        let itself = patch(&server, &token, &operator.id, &json!({ "roles": ["admin"] })).await;
        assert_eq!(itself.refusal(), (403, "AUTHORIZATION_ERROR"));
    }
    for roles in [json!([]), json!(["admin"]), json!(["resource_server", "operator"])] {
        let answer = patch(&server, &token, &helper, &json!({ "roles": roles })).await;
        assert_eq!(answer.refusal(), (403, "AUTHORIZATION_ERROR"), "{roles}");
    }
    let same = json!({ "roles": ["resource_server"], "owner": "b" });
    patch(&server, &token, &helper, &same).await.expect(200);
    let mut plain = server.new_agent();
    plain["roles"] = json!([]);
    server.post("/api/v1/agents").token(&token).json(&plain).send().await.expect(201);
}

#[tokio::test]
async fn te_06_only_an_admin_gives_or_takes_resources() {
    let server = Server::start().await;
    let own = json!({ "resources": ["https://a.example"] });
    let answering = server.register_agent(own.clone()).await;
    let operator = server.client(&["operator", "resource_server"]).await;
    let token = server.token_of(&operator, "agents:write").await;
    let mut body = server.new_agent();
    body["resources"] = own["resources"].clone();
    let made = server.post("/api/v1/agents").token(&token).json(&body).send().await;
    assert_eq!(made.refusal(), (403, "AUTHORIZATION_ERROR"));
    for resources in [json!([]), json!(["https://b.example"])] {
        for id in [&answering, &operator.id] {
            // What another may not take, or nobody has: the operator itself answers to nothing.
            if id == &operator.id && resources == json!([]) {
                continue;
            }
            let body = json!({ "resources": resources, "owner": "b" });
            let (answer, events) = server.events_of_doing(patch(&server, &token, id, &body)).await;
            assert_eq!(answer.refusal(), (403, "AUTHORIZATION_ERROR"), "{resources}");
            assert_eq!(answer.json["message"], "only an admin may give or take resources");
            assert!(events.iter().all(|event| event.action != Action::AgentUpdated));
        }
    }
    let same = json!({ "resources": ["https://a.example", "https://a.example"], "owner": "b" });
    patch(&server, &token, &answering, &same).await.expect(200);
    body["resources"] = json!([]);
    server.post("/api/v1/agents").token(&token).json(&body).send().await.expect(201);
    let admin = server.token("agents:write").await;
    let answer = patch(&server, &admin, &answering, &json!({ "resources": [] })).await;
    assert_eq!(answer.expect(200).json["resources"], json!([]));
}

#[tokio::test]
async fn dp_09_only_an_admin_lets_an_agent_have_tokens_again_that_are_not_bound() {
    let server = Server::start().await;
    let operator = server.client(&["operator"]).await;
    let token = server.token_of(&operator, "agents:write").await;
    let mut body = server.new_agent();
    body["dpopBoundAccessTokens"] = json!(false);
    let made = server.post("/api/v1/agents").token(&token).json(&body).send().await.expect(201);
    let [off, on] =
        [false, true].map(|bound| json!({ "dpopBoundAccessTokens": bound, "owner": "b" }));
    for id in [made.text("agentId"), operator.id] {
        patch(&server, &token, &id, &off).await.expect(200);
        patch(&server, &token, &id, &on).await.expect(200);
        patch(&server, &token, &id, &on).await.expect(200);
        let asked = patch(&server, &token, &id, &off);
        let (answer, events) = server.events_of_doing(asked).await;
        assert_eq!(answer.refusal(), (403, "AUTHORIZATION_ERROR"));
        let told = "only an admin may let an agent have tokens again that are not bound";
        assert_eq!(answer.json["message"], told);
        assert!(events.iter().all(|event| event.action != Action::AgentUpdated));
        let admin = server.token("agents:write").await;
        let unbound = patch(&server, &admin, &id, &off).await.expect(200);
        assert_eq!(unbound.json["dpopBoundAccessTokens"], false);
    }
}

#[tokio::test]
async fn nobody_acts_upon_an_agent_that_may_more_than_itself() {
    let server = Server::start().await;
    let operator = server.client(&["operator"]).await;
    let scope = "agents:write agents:read credentials:write";
    let token = server.token_of(&operator, scope).await;
    let read = server.token("agents:read").await;
    let auditor = server.client(&["auditor"]).await;
    let admin = server.client(&["admin"]).await;
    for Client { id, credential, .. } in [&auditor, &admin] {
        let credentials = format!("{}/credentials", at(id));
        let calls = [
            server.patch(at(id)).json(&json!({ "owner": "b" })),
            server.delete(at(id)),
            server.post(&credentials),
            server.post(format!("{credentials}/{credential}/rotate")),
            server.delete(format!("{credentials}/{credential}")),
        ];
        for call in calls {
            let (answer, events) = server.events_of_doing(call.token(&token).send()).await;
            assert_eq!(answer.refusal(), (403, "AUTHORIZATION_ERROR"));
            let [event] = events.as_slice() else { panic!("{events:?}") };
            assert_eq!(event.action.name(), "access.denied");
        }
        // Seeing is another thing.
        server.get(at(id)).token(&token).send().await.expect(200);
        server.get(at(id)).token(&read).send().await.expect(200);
    }
    let peer = server.client(&["operator"]).await;
    patch(&server, &token, &peer.id, &json!({ "owner": "b" })).await.expect(200);
}

#[tokio::test]
async fn ones_own_agent_is_read_without_a_scope_and_anothers_is_not() {
    let server = Server::start().await;
    let own = server.client(&[]).await;
    let other = server.client(&[]).await;
    let token = server.token_of(&own, "resume:read").await;
    let read = server.get(at(&own.id)).token(&token).send().await.expect(200);
    assert_eq!(read.text("agentId"), own.id);
    let refused = server.get(at(&other.id)).token(&token).send().await;
    assert_eq!(refused.refusal(), (403, "INSUFFICIENT_SCOPE"));
    let changed = patch(&server, &token, &own.id, &json!({ "owner": "b" })).await;
    assert_eq!(changed.refusal(), (403, "INSUFFICIENT_SCOPE"));
}

#[tokio::test]
async fn the_last_authentication_is_null_until_the_first_token() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let token = server.token("agents:read").await;
    let last = async || {
        let read = server.get(at(&client.id)).token(&token).send().await.expect(200);
        let listed = server.get("/api/v1/agents?limit=1").token(&token).send().await.expect(200);
        assert_eq!(listed.json["data"][0], read.json);
        read.json["lastAuthAt"].clone()
    };
    assert_eq!(last().await, Value::Null);
    let wrong = Client { secret: server.admin.secret.clone(), ..client.clone() };
    server.ask(&wrong, &[]).await.expect(401);
    server.ask(&client, &[("scope", "agents:write")]).await.expect(400);
    assert_eq!(last().await, Value::Null);
    server.ask(&client, &[]).await.expect(200);
    let first = last().await;
    server.ask(&client, &[]).await.expect(200);
    assert!(last().await.as_str().unwrap() > first.as_str().unwrap());
}
