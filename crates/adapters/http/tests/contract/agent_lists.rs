//! Lists of agents: filters, pages, and what is not in them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kit::{Answer, Server, call::encoded};

async fn list(server: &Server, query: &str) -> Answer {
    let token = server.token("agents:read").await;
    server.get(format!("/api/v1/agents?{query}")).token(&token).send().await
}

fn ids(page: &Answer) -> Vec<String> {
    let rows = page.json["data"].as_array().unwrap();
    rows.iter().map(|agent| agent["agentId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_filter_finds_what_holds_and_all_of_them_must() {
    let server = Server::start().await;
    let one = json!({ "owner": "a", "agentType": "router", "capabilities": ["x:y", "x:z"] });
    let two = json!({ "owner": "b", "agentType": "router", "deploymentEnv": "staging" });
    let one = server.register_agent(one).await;
    let two = server.register_agent(two).await;
    for (query, expected) in [
        ("owner=a", vec![&one]),
        ("owner=A", vec![]),
        ("agentType=router", vec![&two, &one]),
        ("agentType=router&owner=b", vec![&two]),
        ("deploymentEnv=staging", vec![&two]),
        ("capability=x:z", vec![&one]),
        ("capability=x:y&owner=b", vec![]),
        ("status=suspended", vec![]),
        ("status=active&agentType=router&limit=1", vec![&two]),
        ("agentType=router&page=2&limit=1", vec![&one]),
        ("agentType=router&page=3&limit=1", vec![]),
    ] {
        let page = list(&server, query).await.expect(200);
        assert_eq!(ids(&page).iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[tokio::test]
async fn rg_07_a_filter_is_text_and_no_pattern_and_no_sql() {
    let server = Server::start().await;
    let odd = ["it's", "100%", "a_b", "a;--", "a\" OR \"1\"=\"1", "a\\b", "*", "é"];
    for owner in odd {
        server.register_agent(json!({ "owner": owner })).await;
    }
    for owner in odd {
        let page = list(&server, &format!("owner={}", encoded(owner))).await.expect(200);
        assert_eq!(page.json["total"], 1, "{owner}");
        assert_eq!(page.json["data"][0]["owner"], owner);
    }
    for nothing in ["%", "a%", "_______", "' OR '1'='1", "a_", "A_B", "axb", "talent-team'"] {
        let page = list(&server, &format!("owner={}", encoded(nothing))).await.expect(200);
        assert_eq!(page.json["total"], 0, "{nothing}");
    }
    let page = list(&server, "capability=resume:*").await.expect(200);
    assert_eq!(page.json["total"], 0);
}

#[tokio::test]
async fn rg_07_what_is_no_filter_is_refused_by_its_name() {
    let server = Server::start().await;
    let id = server.admin.id.clone();
    let long = format!("owner={}", "x".repeat(10_000));
    let both = format!("page=1&cursor={id}");
    for (query, field) in [
        ("sort=owner", "sort"),
        ("owner", "owner"),
        ("owner=", "owner"),
        ("owner=%20", "owner"),
        ("owner=a%00b", "owner"),
        ("owner=%ff", "owner"),
        ("owner=%zz", "owner"),
        ("owner=a&owner=b", "owner"),
        ("owner=a&%6fwner=b", "owner"),
        (long.as_str(), "owner"),
        ("agentType=Router", "agentType"),
        ("status=deleted", "status"),
        ("deploymentEnv=prod", "deploymentEnv"),
        ("capability=x", "capability"),
        ("capability=x%25:y", "capability"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1.0", "limit"),
        ("limit=+1", "limit"),
        ("limit=", "limit"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=10001", "page"),
        ("page=99999999999999999999", "page"),
        ("cursor=x", "cursor"),
        (both.as_str(), "cursor"),
        ("%00=1", "query"),
        ("%zz=1", "query"),
    ] {
        let answer = list(&server, query).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{query}");
        assert_eq!(answer.bad_fields(), [field], "{query}");
    }
    let all = list(&server, "limit=0&page=x&status=y&surplus=1").await;
    assert_eq!(all.bad_fields(), ["limit", "page", "status", "surplus"]);
}

#[tokio::test]
async fn pages_by_number_and_by_cursor_show_every_agent_once_newest_first() {
    let server = Server::start().await;
    let mut made = vec![server.admin.id.clone()];
    for _ in 0..7 {
        made.insert(0, server.register_agent(json!({})).await);
    }
    let mut by_number = Vec::new();
    for page in 1..=3 {
        let answer = list(&server, &format!("page={page}&limit=3")).await.expect(200);
        assert_eq!((&answer.json["page"], &answer.json["limit"]), (&json!(page), &json!(3)));
        assert_eq!(answer.json["total"], 8);
        by_number.extend(ids(&answer));
    }
    assert_eq!(by_number, made);

    let mut query = "limit=3".to_owned();
    let mut by_cursor = Vec::new();
    loop {
        let answer = list(&server, &query).await.expect(200);
        by_cursor.extend(ids(&answer));
        // What is registered meanwhile does not move the pages.
        server.register_agent(json!({})).await;
        match answer.json["nextCursor"].as_str() {
            Some(cursor) => query = format!("limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(by_cursor, made);
    let plain = list(&server, "").await.expect(200);
    assert_eq!((&plain.json["page"], &plain.json["limit"]), (&json!(1), &json!(20)));
    assert_eq!(list(&server, &query).await.expect(200).json["page"], Value::Null);
}

#[tokio::test]
async fn an_archived_agent_is_listed_only_where_asked_for_and_a_decommissioned_one_always() {
    let server = Server::start().await;
    let gone = server.register_agent(json!({})).await;
    let archived = server.register_agent(json!({})).await;
    let token = server.token("agents:write").await;
    for id in [&gone, &archived] {
        server.delete(format!("/api/v1/agents/{id}")).token(&token).send().await.expect(204);
    }
    server.archive(&archived).await;
    let seen = ids(&list(&server, "").await.expect(200));
    assert_eq!(seen, [gone.clone(), server.admin.id.clone()]);
    assert_eq!(ids(&list(&server, "status=decommissioned").await.expect(200)), [gone]);
    assert_eq!(ids(&list(&server, "status=archived").await.expect(200)), [&*archived]);

    let token = server.token("agents:read agents:write credentials:write").await;
    let path = format!("/api/v1/agents/{archived}");
    let read = server.get(&path).token(&token).send().await.expect(200);
    assert_eq!(read.json["status"], "archived");
    let patched = server.patch(&path).token(&token).json(&json!({ "owner": "a" })).send().await;
    assert_eq!(patched.refusal(), (403, "AGENT_DECOMMISSIONED"));
    let deleted = server.delete(&path).token(&token).send().await;
    assert_eq!(deleted.refusal(), (409, "AGENT_ALREADY_DECOMMISSIONED"));
    let made = server.post(format!("{path}/credentials")).token(&token).send().await;
    assert_eq!(made.refusal(), (403, "AGENT_DECOMMISSIONED"));
}

#[tokio::test]
async fn tn_12_lists_totals_and_counts_tell_nothing_of_another_organization() {
    let server = Server::start().await;
    for _ in 0..3 {
        server.register_agent(json!({ "owner": "ours" })).await;
    }
    let token = server.token_of(&server.other_admin, "agents:read audit:read").await;
    let theirs = server.get("/api/v1/agents").token(&token).send().await.expect(200);
    assert_eq!(ids(&theirs), [&*server.other_admin.id]);
    let filtered = server.get("/api/v1/agents?owner=ours").token(&token).send().await.expect(200);
    assert_eq!((&filtered.json["total"], &filtered.json["nextCursor"]), (&json!(0), &Value::Null));
    let own = server.get("/api/v1/organization").token(&token).send().await.expect(200);
    assert_eq!(own.json["usage"], json!({ "agents": 1 }));
    assert_eq!(own.text("organizationId"), server.other.to_string());
    let events = server.get("/api/v1/audit?limit=100").token(&token).send().await.expect(200);
    let organizations: BTreeSet<_> = events.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["organizationId"].as_str().unwrap())
        .collect();
    assert_eq!(organizations, BTreeSet::from([server.other.to_string().as_str()]));
}

#[tokio::test]
async fn the_organization_tells_its_plan_and_what_of_it_is_used() {
    let server = Server::start().await;
    let plain = server.client(&[]).await;
    let token = server.token_of(&plain, "resume:read").await;
    let read = server.get("/api/v1/organization").token(&token).send().await.expect(200);
    assert_eq!(read.json["usage"], json!({ "agents": 2 }));
    assert_eq!(read.json["quotas"]["requestsPerMinute"], 1_000_000);
    assert_eq!(read.json["quotas"]["agents"], Value::Null);
    let (plan, status) = (read.text("plan"), read.text("status"));
    assert_eq!((plan.as_str(), status.as_str()), ("enterprise", "active"));
    let writer = server.token("agents:write").await;
    server.delete(format!("/api/v1/agents/{}", plain.id)).token(&writer).send().await.expect(204);
    let read = server.get("/api/v1/organization").token(&writer).send().await.expect(200);
    assert_eq!(read.json["usage"], json!({ "agents": 1 }));
}
