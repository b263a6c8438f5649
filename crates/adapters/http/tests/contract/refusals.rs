//! Refusals that come in numbers: however many, the log tells of each of them, and does not grow.

use std::time::Duration;

use audit::{Action, EventRecord, Outcome};
use serde_json::json;

use crate::kit::{Client, Server, Settings};

const MINUTE: Duration = Duration::from_secs(60);
const TOLD: u32 = 30;

/// A server that tells thirty refusals a minute, and admits as many failures of an address.
async fn counting(per_address: u64) -> Server {
    let settings = Settings { refusals_told: TOLD, per_address, ..Settings::default() };
    Server::with(settings).await
}

async fn bad_login(server: &Server, client: &Client, from: &str) -> u16 {
    let call = server.post("/api/v1/token").basic(&client.id, &client.secret).from(from);
    call.form(&[("grant_type", "client_credentials")]).send().await.status
}

/// The events since there were so many, once the minute is over and the counts are written.
async fn a_minute_later(server: &Server, before: usize) -> Vec<EventRecord> {
    server.clock.advance(MINUTE);
    server.note_counted().await;
    server.events().await.split_off(before)
}

/// How many refusals events tell of.
fn refusals(events: &[EventRecord]) -> u64 {
    let one = |event: &EventRecord| event.metadata.get("count").map_or(1, |n| n.as_u64().unwrap());
    events.iter().map(one).sum()
}

fn only_count(events: &[EventRecord]) -> &EventRecord {
    let counted: Vec<_> =
        events.iter().filter(|event| event.metadata.contains_key("count")).collect();
    let [only] = counted.as_slice() else { panic!("not one count: {counted:?}") };
    only
}

#[tokio::test]
async fn rl_02_ten_thousand_bad_logins_of_one_address_are_thirty_events_and_a_count() {
    let server = counting(1_000).await;
    let victim = server.client(&[]).await;
    let attack = Client { secret: server.other_admin.secret.clone(), ..victim.clone() };
    let before = server.events().await.len();
    let mut limited = 0;
    for _ in 0..10_000 {
        limited += u32::from(bad_login(&server, &attack, "203.0.113.7").await == 429);
    }
    assert_eq!(limited, 9_000, "past the limit they count too");
    let events = a_minute_later(&server, before).await;
    assert_eq!((events.len(), refusals(&events)), (31, 10_000));
    let (single, counted) = (&events[0], only_count(&events));
    assert_eq!((counted.action, counted.outcome), (Action::AuthFailed, Outcome::Failure));
    assert_eq!(counted.organization, server.organization);
    assert_eq!(counted.agent.unwrap().to_string(), victim.id);
    assert_eq!(counted.resource, single.resource);
    assert_eq!(counted.origin.address, "203.0.113.7".parse().ok());
    assert_eq!(counted.metadata["reason"], single.metadata["reason"]);
    let time = |name: &str| counted.metadata[name].as_str().unwrap().parse().unwrap();
    let (from, until): (kernel::Timestamp, kernel::Timestamp) = (time("from"), time("until"));
    let last_single = events.iter().rev().find(|event| *event != counted).unwrap();
    assert!(last_single.timestamp < from && from < until && until < counted.timestamp);
    // The grants of the victim are what they were.
    server.ask(&victim, &[]).await.expect(200);
}

#[tokio::test]
async fn rl_02_bad_logins_from_twenty_addresses_are_counted_for_each_of_them() {
    let server = counting(1_000).await;
    let before = server.events().await.len();
    let unknown = "018bcfe5-687b-7001-8203-0405060";
    for round in 0..500 {
        for n in 0..20 {
            // The names are of nobody, and each address goes through many.
            let id = format!("{unknown}{round:03x}{n:02x}");
            let attack = Client { id, ..server.other_admin.clone() };
            assert_eq!(bad_login(&server, &attack, &format!("203.0.113.{n}")).await, 401);
        }
    }
    let events = a_minute_later(&server, before).await;
    assert_eq!((events.len(), refusals(&events)), (20 * 31, 10_000));
    for n in 0..20 {
        let address = format!("203.0.113.{n}").parse().ok();
        let of_address =
            |event: &&EventRecord| event.origin.address == address && event.agent.is_none();
        let events: Vec<_> = events.iter().filter(of_address).cloned().collect();
        assert_eq!((events.len(), refusals(&events)), (31, 500), "{n}");
        assert_eq!(only_count(&events).organization, server.organization);
    }
}

#[tokio::test]
async fn rl_02_a_client_that_is_tried_from_many_addresses_has_one_count() {
    let server = counting(1_000).await;
    let victim = server.other_admin.clone();
    let attack = Client { secret: server.admin.secret.clone(), ..victim.clone() };
    let before = server.events().await.len();
    for n in 0..2_000_u32 {
        let from = format!("203.0.{}.{}", n / 250, n % 250);
        assert_eq!(bad_login(&server, &attack, &from).await, 401);
    }
    let events = a_minute_later(&server, before).await;
    assert_eq!((events.len(), refusals(&events)), (31, 2_000));
    let counted = only_count(&events);
    assert_eq!(counted.organization, server.other);
    assert_eq!(counted.agent.unwrap().to_string(), victim.id);
    assert_eq!(counted.origin.address, None, "there is not one address that they came from");
}

#[tokio::test]
async fn whether_a_bad_login_is_told_does_not_depend_on_who_exists() {
    let server = counting(1_000).await;
    let unknown = "01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091".to_owned();
    for id in [server.other_admin.id.clone(), unknown] {
        let attack = Client { id, ..server.admin.clone() };
        let before = server.events().await.len();
        for n in 0..40 {
            // Telling takes longer than counting: whoever measures must learn nothing.
            assert_eq!(bad_login(&server, &attack, &format!("203.0.113.{n}")).await, 401);
            let told = server.events().await.len() - before;
            assert_eq!(told, (n + 1).min(30), "{}", attack.id);
        }
        server.clock.advance(MINUTE);
        server.note_counted().await;
    }
}

#[tokio::test]
async fn whoever_is_denied_again_and_again_is_counted() {
    let server = counting(1_000).await;
    let plain = server.client(&[]).await;
    let token = server.token_of(&plain, "").await;
    let before = server.events().await.len();
    for n in 0..50 {
        // Two routes: what the denials have in common is told, and no more.
        let path = if n % 2 == 0 { "/api/v1/agents" } else { "/api/v1/audit" };
        server.get(path).token(&token).send().await.expect(403);
    }
    for _ in 0..50 {
        server.ask(&plain, &[("scope", "agents:write")]).await.expect(400);
    }
    let events = a_minute_later(&server, before).await;
    let of = |action| -> Vec<_> {
        events.iter().filter(|event| event.action == action).cloned().collect()
    };
    for action in [Action::AccessDenied, Action::TokenRefused] {
        let events = of(action);
        assert_eq!((events.len(), refusals(&events)), (31, 50), "{action:?}");
        let counted = only_count(&events);
        assert_eq!(counted.agent.unwrap().to_string(), plain.id);
        assert_eq!(counted.organization, server.organization);
    }
    assert_eq!(only_count(&of(Action::TokenRefused)).metadata["error"], "invalid_scope");
}

#[tokio::test]
async fn a_count_is_written_once_and_the_next_minute_has_its_own() {
    let server = counting(1_000).await;
    let attack = Client { secret: server.admin.secret.clone(), ..server.other_admin.clone() };
    let before = server.events().await.len();
    for _ in 0..2 {
        for _ in 0..40 {
            bad_login(&server, &attack, "203.0.113.7").await;
        }
        server.note_counted().await;
        let events = a_minute_later(&server, before).await;
        let counts = |event: &EventRecord| event.metadata.get("count").cloned();
        assert!(events.iter().filter_map(counts).all(|count| count == json!(10)));
        server.note_counted().await;
    }
    let events = server.events().await.split_off(before);
    assert_eq!((events.len(), refusals(&events)), (62, 80));
}

#[tokio::test]
async fn a_count_that_cannot_be_written_waits() {
    let server = counting(1_000).await;
    let attack = Client { secret: server.admin.secret.clone(), ..server.other_admin.clone() };
    for _ in 0..40 {
        bad_login(&server, &attack, "203.0.113.7").await;
    }
    server.clock.advance(MINUTE);
    server.lose_the_writer();
    for _ in 0..3 {
        assert!(server.try_note_counted().await.is_err(), "it was lost");
    }
}
