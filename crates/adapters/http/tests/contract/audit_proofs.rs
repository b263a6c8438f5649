//! The log as an outsider sees it: checkpoints, the key and proofs, of a log of some length.

use std::time::Duration;

use audit::{
    Action, Checkpoint, Event, Hash, VerifierKey,
    merkle::{verify_consistency, verify_inclusion},
    note,
};
use kernel::OrganizationId;
use serde_json::{Value, json};
use tenancy::{Actor, Origin, Scope};

use crate::kit::{Answer, Server};

/// How many events are handed to the store together: fewer than it lets wait.
const AT_A_TIME: usize = 100;

/// Writes so many events into an organization's log.
pub(crate) async fn fill(server: &Server, organization: OrganizationId, events: usize) {
    let scope = Scope::new(organization, Actor::System, Origin::internal());
    let event = Event::success(Action::TokenIssued).with("scope", "resume:read");
    for first in (0..events).step_by(AT_A_TIME) {
        let noted = (first..events).take(AT_A_TIME).map(|_| note(server.store(), &scope, &event));
        futures_util::future::try_join_all(noted).await.unwrap();
    }
}

/// A server whose own log has so many events at least, all of them covered by a checkpoint, and a
/// token that reads it.
pub(crate) async fn with_log(events: usize) -> (Server, String) {
    let server = Server::start().await;
    let token = server.token("audit:read").await;
    fill(&server, server.organization, events).await;
    server.sequence().await;
    (server, token)
}

pub(crate) async fn get(server: &Server, token: &str, path: &str) -> Answer {
    server.get(format!("/api/v1/audit/{path}")).token(token).send().await
}

pub(crate) fn text(answer: Answer) -> String {
    String::from_utf8(answer.expect(200).body).unwrap()
}

fn hash(value: &Value) -> Hash {
    value.as_str().unwrap().parse().unwrap()
}

fn hashes(answer: &Answer) -> Vec<Hash> {
    answer.json["hashes"].as_array().unwrap().iter().map(hash).collect()
}

/// The newest checkpoint, verified by the key that is served beside it.
pub(crate) async fn checkpoint(server: &Server, token: &str) -> Checkpoint {
    let key = text(get(server, token, "key").await);
    let key: VerifierKey = key.strip_suffix('\n').unwrap().parse().unwrap();
    Checkpoint::open(&text(get(server, token, "checkpoint").await), &key).unwrap()
}

/// The ids of the events of the caller's log, by position.
async fn events_in_order(server: &Server, token: &str) -> Vec<String> {
    let mut events = Vec::new();
    let mut query = "limit=100".to_owned();
    loop {
        let path = format!("/api/v1/audit?{query}");
        let page = server.get(path).token(token).send().await.expect(200);
        let rows = page.json["data"].as_array().unwrap();
        events.extend(rows.iter().map(|event| {
            assert_eq!(event["outOfOrder"], false);
            (event["position"].as_u64().unwrap(), event["eventId"].as_str().unwrap().to_owned())
        }));
        match page.json["nextCursor"].as_str() {
            Some(cursor) => query = format!("limit=100&cursor={cursor}"),
            None => break,
        }
    }
    events.sort();
    let positions: Vec<_> = events.iter().map(|(position, _)| *position).collect();
    assert!(positions.iter().copied().eq(0..u64::try_from(positions.len()).unwrap()));
    events.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test]
async fn every_event_is_proven_to_be_in_the_log_of_its_checkpoint_and_of_older_sizes() {
    let (server, token) = with_log(300).await;
    let newest = checkpoint(&server, &token).await;
    let events = events_in_order(&server, &token).await;
    assert_eq!(u64::try_from(events.len()).unwrap(), newest.size);
    let note = text(get(&server, &token, "checkpoint").await);
    for (position, id) in (0..).zip(&events) {
        let proof = get(&server, &token, &format!("{id}/proof")).await.expect(200);
        assert_eq!(proof.json["eventId"], *id);
        assert_eq!(proof.json["position"], position);
        assert_eq!(proof.json["treeSize"], newest.size);
        assert_eq!(hash(&proof.json["rootHash"]), newest.root);
        assert_eq!(proof.json["checkpoint"], note);
        let leaf = (hash(&proof.json["leafHash"]), position);
        verify_inclusion(leaf, (newest.size, newest.root), &hashes(&proof)).unwrap();
    }
    for (id, size) in [(&events[0], 1), (&events[0], 256), (&events[256], 257)] {
        let proof = get(&server, &token, &format!("{id}/proof?size={size}")).await.expect(200);
        let leaf = (hash(&proof.json["leafHash"]), proof.json["position"].as_u64().unwrap());
        let root = hash(&proof.json["rootHash"]);
        verify_inclusion(leaf, (size, root), &hashes(&proof)).unwrap();
        assert_eq!(proof.json["checkpoint"], Value::Null, "{size}");
    }
}

#[tokio::test]
async fn the_log_of_every_older_checkpoint_is_proven_to_be_the_beginning_of_the_newest() {
    let (server, token) = with_log(0).await;
    let mut older = vec![checkpoint(&server, &token).await];
    for events in [1, 2, 60, 250] {
        fill(&server, server.organization, events).await;
        server.sequence().await;
        older.push(checkpoint(&server, &token).await);
    }
    let newest = older.last().unwrap().clone();
    for from in &older {
        for (to, query) in older
            .iter()
            .map(|to| (to, format!("&to={}", to.size)))
            .chain([(&newest, String::new())])
        {
            let path = format!("consistency?from={}{query}", from.size);
            let proof = get(&server, &token, &path).await;
            if from.size > to.size {
                assert_eq!(proof.bad_fields(), ["from"], "{path}");
                continue;
            }
            let proof = proof.expect(200);
            for (at, log) in [("from", from), ("to", to)] {
                assert_eq!(proof.json[at]["size"], log.size);
                assert_eq!(hash(&proof.json[at]["rootHash"]), log.root, "{path}");
            }
            let (from, to) = ((from.size, from.root), (to.size, to.root));
            verify_consistency(from, to, &hashes(&proof)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_size_that_the_log_never_had_is_refused_by_its_name_with_what_could_be_asked() {
    let (server, token) = with_log(20).await;
    let size = checkpoint(&server, &token).await.size;
    let events = events_in_order(&server, &token).await;
    let reason = |least: u64, most: u64| format!("must be a whole number from {least} to {most}");
    for (path, field, reason) in [
        (format!("{}/proof?size=5", events[5]), "size", reason(6, size)),
        (format!("{}/proof?size={}", events[5], size + 1), "size", reason(6, size)),
        (format!("{}/proof?size=-1", events[5]), "size", "is out of range".to_owned()),
        (format!("{}/proof?size=06", events[5]), "size", "must be a whole number".to_owned()),
        (format!("consistency?from=3&to={}", size + 1), "to", reason(0, size)),
        ("consistency?from=3&to=2".to_owned(), "from", reason(0, 2)),
        (format!("consistency?from={}", size + 1), "from", reason(0, size)),
        ("consistency".to_owned(), "from", "is required".to_owned()),
        ("consistency?from=x".to_owned(), "from", "must be a whole number".to_owned()),
        (format!("export?from={}", size + 1), "from", reason(0, size)),
        (
            "export?from=18446744073709551615".to_owned(),
            "from",
            "must be a whole number".to_owned(),
        ),
    ] {
        let answer = get(&server, &token, &path).await;
        assert_eq!(answer.refusal(), (400, "VALIDATION_ERROR"), "{path}");
        assert_eq!(answer.bad_fields(), [field], "{path}");
        assert_eq!(answer.json["details"]["fields"][field], reason, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_sequenced_yet_is_not_there_yet_and_a_client_is_told_when_to_ask_again() {
    let server = Server::start().await;
    let token = server.token("audit:read").await;
    for (path, message) in [
        ("checkpoint", "the log has no checkpoint yet"),
        ("key", "the log has no event yet"),
        ("tile/0/000.p/1", "there is no such tile"),
    ] {
        let answer = get(&server, &token, path).await;
        assert_eq!(answer.refusal(), (404, "NOT_FOUND"), "{path}");
        assert_eq!(answer.text("message"), message);
    }
    let nothing = get(&server, &token, "consistency?from=0").await.expect(200);
    assert_eq!((&nothing.json["to"]["size"], hashes(&nothing).len()), (&Value::from(0), 0));
    assert!(get(&server, &token, "export").await.expect(200).body.is_empty());

    let events = server.events().await;
    let ours = events.iter().rev().find(|event| event.organization == server.organization);
    let id = ours.unwrap().id;
    let event = get(&server, &token, &id.to_string()).await.expect(200);
    assert_eq!(event.json["position"], Value::Null);
    for path in [format!("{id}/proof"), format!("{id}/proof?size=1")] {
        let answer = get(&server, &token, &path).await;
        assert_eq!(answer.refusal(), (404, "NOT_FOUND"));
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(answer.text("message").contains("ask again in a second"));
    }
    server.sequence().await;
    let proof = get(&server, &token, &format!("{id}/proof")).await.expect(200);
    assert_eq!(proof.header("retry-after"), None);
    let event = get(&server, &token, &id.to_string()).await.expect(200);
    assert_eq!(event.json["position"], proof.json["position"]);
}

/// The hashes of a tile, held against its length.
pub(crate) async fn tile(server: &Server, token: &str, path: &str) -> Vec<Hash> {
    let answer = get(server, token, &format!("tile/{path}")).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    let one = |bytes: &[u8]| Hash::from_bytes(bytes.try_into().unwrap());
    answer.body.chunks(32).map(one).collect()
}

#[tokio::test]
async fn tn_nobody_sees_anything_of_the_log_of_another_organization() {
    let (server, token) = with_log(30).await;
    let stranger = server.token_of(&server.other_admin, "audit:read").await;
    server.sequence().await;
    let (ours, theirs) = (checkpoint(&server, &token).await, checkpoint(&server, &stranger).await);
    assert_eq!(ours.origin.organization(), server.organization);
    assert_eq!(theirs.origin.organization(), server.other);
    assert!(theirs.size < 20 && ours.size > 30);
    let event = events_in_order(&server, &token).await.remove(0);
    let foreign = get(&server, &stranger, &format!("{event}/proof")).await;
    assert_eq!(foreign.refusal(), (403, "AUTHORIZATION_ERROR"));
    let unknown = get(&server, &stranger, "01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091/proof").await;
    assert_eq!(foreign.bare(), unknown.bare());
    let past = format!("tile/0/000.p/{}", theirs.size + 1);
    assert_eq!(get(&server, &stranger, &past).await.status, 404);
    let leaf = tile(&server, &stranger, "0/000.p/1").await;
    assert_ne!(leaf, tile(&server, &token, "0/000.p/1").await);
    let exported = text(get(&server, &stranger, "export").await);
    assert_eq!(u64::try_from(exported.lines().count()).unwrap(), theirs.size);
    assert!(!exported.contains(&server.organization.to_string()) && !exported.contains(&event));
}

#[tokio::test]
async fn an_event_whose_content_is_erased_is_proven_and_exported_all_the_same() {
    let (server, token) = with_log(280).await;
    let (before, events) =
        (checkpoint(&server, &token).await, events_in_order(&server, &token).await);
    let leaves = tile(&server, &token, "0/000").await;
    server.clock.advance(Duration::from_secs(91 * 86_400));
    server.erase_what_is_over().await;
    server.sequence().await;
    let token = server.token("audit:read").await;
    assert_eq!(get(&server, &token, &events[3]).await.refusal(), (403, "AUTHORIZATION_ERROR"));

    let proof = get(&server, &token, &format!("{}/proof", events[3])).await.expect(200);
    let newest = checkpoint(&server, &token).await;
    assert!(newest.size > before.size);
    let leaf = (hash(&proof.json["leafHash"]), 3);
    assert_eq!(leaf.0, leaves[3]);
    verify_inclusion(leaf, (newest.size, newest.root), &hashes(&proof)).unwrap();
    let path = format!("consistency?from={}", before.size);
    let proof = get(&server, &token, &path).await.expect(200);
    let (from, to) = ((before.size, before.root), (newest.size, newest.root));
    verify_consistency(from, to, &hashes(&proof)).unwrap();

    assert_eq!(tile(&server, &token, "0/000").await, leaves);
    let entries = get(&server, &token, "tile/entries/000").await;
    assert_eq!(entries.refusal(), (404, "NOT_FOUND"));
    let exported = text(get(&server, &token, "export").await);
    let first: Value = serde_json::from_str(exported.lines().next().unwrap()).unwrap();
    let erased = json!({
        "position": 0, "version": 1, "leafHash": leaves[0].to_string(),
        "commitment": null, "personal": null, "event": null,
    });
    assert_eq!(first, erased);
}

#[tokio::test]
async fn an_auditor_may_read_and_prove_and_nobody_of_another_role_may() {
    let (server, _) = with_log(20).await;
    let auditor = server.client(&["auditor"]).await;
    let token = server.token_of(&auditor, "audit:read").await;
    let event = events_in_order_of(&server, &token).await;
    let paths = [
        "checkpoint".to_owned(),
        "key".to_owned(),
        "consistency?from=1".to_owned(),
        "tile/0/000.p/1".to_owned(),
        "export".to_owned(),
        format!("{event}/proof"),
    ];
    for path in &paths {
        get(&server, &token, path).await.expect(200);
    }
    for role in ["operator", "resource_server"] {
        let client = server.client(&[role]).await;
        let refused = server.ask(&client, &[("scope", "audit:read")]).await;
        assert_eq!(refused.refusal(), (400, "invalid_scope"), "{role}");
        let token = server.token_of(&client, "resume:read").await;
        for path in &paths {
            let answer = get(&server, &token, path).await;
            assert_eq!(answer.refusal(), (403, "INSUFFICIENT_SCOPE"), "{role} {path}");
        }
    }
}

/// The id of an event that has a place.
async fn events_in_order_of(server: &Server, token: &str) -> String {
    server.sequence().await;
    events_in_order(server, token).await.remove(0)
}
