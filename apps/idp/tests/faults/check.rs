//! Holds the replicas to what they have acknowledged: through the API of one of them, and past all of
//! them, in the database.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::caller::{self, Caller, text};
use crate::cluster::Cluster;
use crate::ledger::{Agent, Credential, Ledger, Token};
use crate::rounds;
use crate::stopwatch::{now, until};
use crate::worker::SIGHT;

/// So many ask at a time: their events are committed together, which saves most of the time.
const ASKING: usize = 8;

/// Every action that a load has done.
const ACTIONS: [&str; 10] = [
    "agent.created",
    "agent.updated",
    "agent.suspended",
    "agent.reactivated",
    "agent.decommissioned",
    "credential.generated",
    "credential.rotated",
    "credential.revoked",
    "token.issued",
    "token.revoked",
];

/// How many rows of record hang on no event that is about them; and how many events, in the log of
/// any organization, tell of a change that no row has seen.
const ORPHANS: [(&str, &str); 8] = [
    (
        "agents whose last event is not about them",
        "SELECT count(*) FROM agent AS it WHERE NOT EXISTS (SELECT 1 FROM audit_event AS event
            WHERE event.organization_id = it.organization_id AND event.id = it.last_event
            AND resource_kind = 'agent' AND resource_id = it.id::text AND outcome = 'success')",
    ),
    (
        "agents that have changed more or less often than their events tell",
        "SELECT count(*) FROM agent AS it WHERE revision <> (SELECT count(*) FROM audit_event AS event
            WHERE event.organization_id = it.organization_id AND outcome = 'success'
            AND resource_kind = 'agent' AND resource_id = it.id::text AND action LIKE 'agent.%')",
    ),
    (
        "credentials that have changed more or less often than their events tell",
        "SELECT count(*) FROM credential AS it WHERE revision <> (SELECT count(*) FROM audit_event AS event
            WHERE event.organization_id = it.organization_id AND outcome = 'success'
            AND resource_kind = 'credential' AND action LIKE 'credential.%'
            AND (resource_id = it.id::text OR metadata ->> 'successorId' = it.id::text))",
    ),
    (
        "revocations without their event",
        "SELECT count(*) FROM revoked_token AS it WHERE NOT EXISTS (SELECT 1 FROM audit_event AS event
            WHERE event.organization_id = it.organization_id AND event.id = it.last_event
            AND action = 'token.revoked' AND resource_id = it.token_id::text)",
    ),
    (
        "events of agents that are not there",
        "SELECT count(*) FROM audit_event AS event WHERE action LIKE 'agent.%' AND outcome = 'success'
            AND NOT EXISTS (SELECT 1 FROM agent AS it
            WHERE it.organization_id = event.organization_id AND it.id::text = resource_id)",
    ),
    (
        "events of credentials that are not there",
        "SELECT count(*) FROM audit_event AS event WHERE action LIKE 'credential.%' AND outcome = 'success'
            AND NOT EXISTS (SELECT 1 FROM credential AS it
            WHERE it.organization_id = event.organization_id AND it.id::text = resource_id)",
    ),
    (
        "events of rotations whose new credential is not there",
        "SELECT count(*) FROM audit_event AS event WHERE action = 'credential.rotated' AND outcome = 'success'
            AND NOT EXISTS (SELECT 1 FROM credential AS it
            WHERE it.organization_id = event.organization_id AND it.id::text = metadata ->> 'successorId')",
    ),
    (
        "events of revocations that are not there",
        "SELECT count(*) FROM audit_event AS event WHERE action = 'token.revoked' AND outcome = 'success'
            AND NOT EXISTS (SELECT 1 FROM revoked_token AS it
            WHERE it.organization_id = event.organization_id AND it.token_id::text = resource_id)",
    ),
];

/// For how long a session may stay in a transaction that nobody goes on with: twice the patience of a
/// replica, after which PostgreSQL ends it, and a little on top.
fn abandoned() -> Duration {
    rounds::allowed(Duration::from_secs(5))
}

/// How many sessions of the server are in a transaction, though nobody has just asked them something.
const STUCK: &str = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'idp'
    AND state LIKE 'idle in transaction%' AND state_change < now() - interval '100 milliseconds'";

/// Everything in the ledger is as it was acknowledged, seen from this replica, and has its event,
/// exactly one; nothing is there without its event, and no event without its change; and no session
/// is left in a transaction.
#[track_caller]
pub(crate) fn every(ledger: &Ledger, cluster: &Cluster, at: usize) {
    let (caller, begun) = (cluster.admin_at(at), now());
    // What this replica has copied may be as old as a second.
    while begun.elapsed() < SIGHT {
        caller.get(at, "/api/v1/agents?limit=1").unwrap();
    }
    events(ledger, &caller, at);
    each(ledger.agents.iter(), |(id, one)| agent(&caller, at, id, one));
    each(ledger.credentials.values(), |one| credential(&caller, at, one));
    each(ledger.tokens.values(), |one| token(&caller, at, one));
    for (what, statement) in ORPHANS {
        assert_eq!(cluster.sql(statement), "0", "{what}");
    }
    no_session_is_stuck(cluster);
}

/// No session of ours stays idle in a transaction.
#[track_caller]
pub(crate) fn no_session_is_stuck(cluster: &Cluster) {
    until(now(), abandoned(), || cluster.sql(STUCK) == "0");
}

fn each<T: Send>(items: impl Iterator<Item = T>, check: impl Fn(T) + Sync) {
    let mut parts: Vec<Vec<T>> = (0..ASKING).map(|_| Vec::new()).collect();
    items.enumerate().for_each(|(at, item)| parts[at % ASKING].push(item));
    thread::scope(|scope| {
        for part in parts {
            scope.spawn(|| part.into_iter().for_each(&check));
        }
    });
}

#[track_caller]
fn events(ledger: &Ledger, caller: &Caller<'_>, at: usize) {
    let mut found: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
    for action in ACTIONS {
        for id in log(caller, at, action) {
            *found.entry((action, id)).or_default() += 1;
        }
    }
    for (event, count) in &ledger.events {
        let found = found.get(event).copied().unwrap_or(0);
        let most = count.acknowledged + count.unknown;
        assert!(
            (count.acknowledged..=most).contains(&found),
            "{event:?}: {count:?}, found {found}"
        );
    }
}

/// What all events of the action are about, page by page.
#[track_caller]
fn log(caller: &Caller<'_>, at: usize, action: &str) -> Vec<String> {
    let path = format!("/api/v1/audit?limit=100&outcome=success&action={action}");
    let (mut ids, mut page) = (Vec::new(), path.clone());
    loop {
        let answer = caller.get(at, &page).unwrap();
        ids.extend(answer["data"].as_array().unwrap().iter().map(|it| text(&it["resourceId"])));
        let Value::String(next) = &answer["nextCursor"] else { return ids };
        page = format!("{path}&cursor={next}");
    }
}

fn agent(caller: &Caller<'_>, at: usize, id: &str, expected: &Agent) {
    let found = caller.get(at, &format!("/api/v1/agents/{id}")).unwrap();
    for (member, expected) in
        [("version", expected.version.as_deref()), ("status", expected.status)]
    {
        if let Some(expected) = expected {
            assert_eq!(found[member], expected, "{member} of agent {id}");
        }
    }
}

fn credential(caller: &Caller<'_>, at: usize, expected: &Credential) {
    let Credential { secret, works } = expected;
    let agent = caller.get(at, &format!("/api/v1/agents/{}", secret.client.id)).unwrap();
    // A suspended agent's credentials stay, and let nobody in.
    let expected = if agent["status"] == "active" { *works } else { Some(false) };
    let found = caller::issue(caller.front, at, &secret.client).unwrap().is_some();
    assert!(expected.is_none_or(|it| it == found), "credential {}: {works:?}", secret.id);
}

fn token(caller: &Caller<'_>, at: usize, expected: &Token) {
    let Token { token, active } = expected;
    let found = caller.is_active(at, &token.text).unwrap();
    assert!(active.is_none_or(|it| it == found), "token {}: {active:?}, found {found}", token.id);
}
