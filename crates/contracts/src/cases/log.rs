//! Reading the log: filters and pages.

use std::time::Duration;

use audit::{Action, AuditLog, Event, EventFilter, EventRecord, Outcome, Resource, ResourceKind};
use kernel::{EventId, Total};
use tenancy::Scope;

use crate::{Harness, World, sample};

async fn list<H: Harness>(world: &World<H>, scope: &Scope, filter: &EventFilter) -> Vec<EventId> {
    let page = world.view(scope).await.events(filter, sample::numbered(1, 100)).await.unwrap();
    assert_eq!(page.total, Total::Exactly(page.rows.len().try_into().unwrap()));
    page.rows.iter().map(|logged| logged.event.id).collect()
}

pub async fn each_filter_of_the_log_matches_alone_and_all_match_together<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.machine.agent_id();
    let other = sample::scope(scope.organization(), agent);
    world.note(&scope, &Event::success(Action::TokenIssued).on(world.machine.agent_id())).await;
    let denied = Event::failure(Action::AccessDenied).on(agent);
    let id = world.note(&other, &denied).await;
    world.note(&scope, &Event::success(Action::TokenIntrospected)).await;
    let all = EventFilter {
        agent: Some(agent),
        action: Some(Action::AccessDenied),
        outcome: Some(Outcome::Failure),
        resource: Some(agent.to_string()),
        from: None,
        until: None,
    };
    let none = EventFilter::default;
    let each = [
        EventFilter { agent: all.agent, ..none() },
        EventFilter { action: all.action, ..none() },
        EventFilter { outcome: all.outcome, ..none() },
        EventFilter { resource: all.resource.clone(), ..none() },
    ];
    for filter in each.iter().chain([&all]) {
        assert_eq!(list(&world, &scope, filter).await, [id], "{filter:?}");
    }
    let mismatch = EventFilter { outcome: Some(Outcome::Success), ..all };
    assert!(list(&world, &scope, &mismatch).await.is_empty());
}

pub async fn a_window_of_time_has_its_beginning_and_not_its_end<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut events: Vec<EventRecord> = Vec::new();
    for _ in 0..4 {
        let id = world.note(&scope, &Event::success(Action::TokenIssued)).await;
        events.push(world.view(&scope).await.event(id).await.unwrap().unwrap().event);
        world.machine.wait(Duration::from_secs(60));
    }
    let [zero, one, two, three] = events.try_into().unwrap();
    let within = |from, until| EventFilter {
        action: Some(Action::TokenIssued),
        from,
        until,
        ..EventFilter::default()
    };
    let (from, until) = (Some(one.timestamp), Some(three.timestamp));
    assert_eq!(list(&world, &scope, &within(from, until)).await, [two.id, one.id]);
    assert_eq!(list(&world, &scope, &within(from, None)).await, [three.id, two.id, one.id]);
    assert_eq!(list(&world, &scope, &within(None, until)).await, [two.id, one.id, zero.id]);
    let tick = Duration::from_micros(1);
    let (from, until) = (one.timestamp.plus(tick), three.timestamp.plus(tick));
    assert_eq!(list(&world, &scope, &within(Some(from), Some(until))).await, [three.id, two.id]);
    assert!(list(&world, &scope, &within(Some(until), Some(until))).await.is_empty());
}

pub async fn pages_of_the_log_agree_and_run_newest_first<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        world.note(&scope, &Event::success(Action::TokenIssued)).await;
        expected.insert(0, world.note(&scope, &Event::failure(Action::TokenRefused)).await);
    }
    let action = Some(Action::TokenRefused);
    let filter = EventFilter { action, ..EventFilter::default() };
    let mut view = world.view(&scope).await;
    let (mut rows, mut next) = (Vec::new(), None);
    for number in 1..=3 {
        let numbered = view.events(&filter, sample::numbered(number, 3)).await.unwrap();
        let page = next.map_or(sample::numbered(1, 3), |id| sample::after(id, 3));
        let after = view.events(&filter, page).await.unwrap();
        assert_eq!(numbered, after);
        assert_eq!(after.total, Total::Exactly(7));
        next = after.next;
        rows.extend(after.rows.into_iter().map(|logged| logged.event.id));
    }
    assert_eq!((rows, next), (expected, None));
}

pub async fn rg_07_a_resource_matches_its_text_and_no_pattern<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let names = ["GET /a", "GET /%", "GET /_", "'; DELETE FROM audit_event;--", "\"", "é", "É"];
    let mut ids = Vec::new();
    for name in names {
        let resource = Resource { kind: ResourceKind::Route, id: name.to_owned() };
        ids.push(world.note(&scope, &Event::failure(Action::AccessDenied).on(resource)).await);
    }
    for (name, id) in names.into_iter().zip(ids) {
        let filter = EventFilter { resource: Some(name.to_owned()), ..EventFilter::default() };
        assert_eq!(list(&world, &scope, &filter).await, [id], "{name}");
    }
    let filter = EventFilter { resource: Some("' OR 1=1;--".to_owned()), ..EventFilter::default() };
    assert!(list(&world, &scope, &filter).await.is_empty());
}
