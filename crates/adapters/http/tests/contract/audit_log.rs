//! Reading the audit log: filters, pages, and single events.

use serde_json::{Value, json};

use crate::kit::{Answer, Server};

async fn list(server: &Server, query: &str) -> Answer {
    let token = server.token("audit:read").await;
    server.get(format!("/api/v1/audit?{query}")).token(&token).send().await
}

#[tokio::test]
async fn a_filter_finds_the_events_that_hold_and_all_of_them_must() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    server.ask(&client, &[]).await.expect(200);
    server.ask(&client, &[("scope", "a:b")]).await.expect(400);
    let admin = &server.admin.id;
    for (query, expected) in [
        (format!("agentId={}", client.id), 2),
        (format!("agentId={}&action=token.issued", client.id), 1),
        (format!("agentId={}&outcome=failure", client.id), 1),
        (format!("agentId={}&action=token.refused&outcome=success", client.id), 0),
        (format!("agentId={admin}&action=agent.created"), 1),
        (format!("resourceId={}&action=agent.created", client.id), 1),
        (format!("resourceId={}", client.credential), 1),
        ("resourceId=%25".to_owned(), 0),
        ("action=organization.created".to_owned(), 1),
        ("toDate=2026-11-21T08:00:00Z".to_owned(), 0),
        ("fromDate=2027-01-01T00:00:00%2B01:00".to_owned(), 0),
    ] {
        let page = list(&server, &query).await.expect(200);
        assert_eq!(page.json["total"], expected, "{query}");
    }
    let all = list(&server, "fromDate=2026-11-21T08:00:00Z&toDate=2026-11-21T08:00:01Z").await;
    assert!(all.expect(200).json["total"].as_u64().unwrap() >= 9);
}

#[tokio::test]
async fn what_is_no_filter_is_refused_by_its_name() {
    let server = Server::start().await;
    for (query, field) in [
        ("agentId=x", "agentId"),
        ("action=agent.exploded", "action"),
        ("outcome=maybe", "outcome"),
        ("resourceId=", "resourceId"),
        ("fromDate=yesterday", "fromDate"),
        ("toDate=2026-11-21", "toDate"),
        ("fromDate=2026-11-21T08:00:00Z&toDate=2026-11-21T08:00:00Z", "toDate"),
        ("fromDate=2026-11-21T08:00:00Z&toDate=2026-11-20T08:00:00Z", "toDate"),
        ("organizationId=1", "organizationId"),
        ("cursor=x", "cursor"),
    ] {
        let answer = list(&server, query).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{query}");
        assert_eq!(answer.bad_fields(), [field], "{query}");
    }
}

#[tokio::test]
async fn every_event_is_in_the_list_once_newest_first_and_reads_the_same_alone() {
    let server = Server::start().await;
    let client = server.client(&["auditor"]).await;
    let token = server.token_of(&client, "audit:read").await;
    let kept = server.events().await;
    let ours = kept.iter().rev().filter(|event| event.organization == server.organization);
    let kept: Vec<_> = ours.collect();
    let mut query = "limit=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let path = format!("/api/v1/audit?{query}");
        let page = server.get(path).token(&token).send().await.expect(200);
        assert_eq!(page.json["total"], kept.len());
        seen.extend(page.json["data"].as_array().unwrap().clone());
        match page.json["nextCursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let ids: Vec<_> = seen.iter().map(|event| event["eventId"].clone()).collect();
    assert_eq!(ids, kept.iter().map(|event| json!(event.id.to_string())).collect::<Vec<_>>());
    for event in &seen {
        let path = format!("/api/v1/audit/{}", event["eventId"].as_str().unwrap());
        assert_eq!(server.get(path).token(&token).send().await.expect(200).json, *event);
    }
    let founding = seen.iter().find(|event| event["action"] == "organization.created").unwrap();
    assert_eq!((&founding["agentId"], &founding["ipAddress"]), (&Value::Null, &Value::Null));
    assert_eq!(founding["requestId"], "internal");
}

#[tokio::test]
async fn au_12_what_a_client_says_of_itself_breaks_no_reader_of_the_log() {
    let server = Server::start().await;
    let token = server.token("agents:read audit:read").await;
    let long = format!("=cmd {}", "x".repeat(400));
    for (sent, kept) in [
        ("curl/8 \u{e9}\u{1f600}".as_bytes().to_vec(), "curl/8 é😀".to_owned()),
        (b"a\tb".to_vec(), "ab".to_owned()),
        (b"a\xffb".to_vec(), "a\u{fffd}b".to_owned()),
        (long.clone().into_bytes(), long.get(..256).unwrap().to_owned()),
    ] {
        server.get("/api/v1/agents").header("user-agent", sent).send().await.expect(401);
        let page = server.get("/api/v1/audit?limit=1").token(&token).send().await.expect(200);
        assert_eq!(page.json["data"][0]["userAgent"], kept);
        assert_eq!(page.json["data"][0]["ipAddress"], "192.0.2.1");
    }
}
