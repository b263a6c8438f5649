//! Retention: what may be erased, and what erasing leaves.

use std::time::Duration;

use audit::{
    Action, AuditLog, Audited, Event, EventFilter, EventRecord, LogAcknowledged, LogReader,
    LogState, LogTrimmed, Logs, Retention, Trimmed, Turn, merkle::root_at, sequence::LeafRecord,
    trim::Cut,
};
use credentials::Credentials;
use kernel::{CredentialId, EventId, StoreError, Total};
use registry::{Agent, Agents};
use tenancy::Scope;

use crate::{
    Harness, World,
    sample::{self, Sequencer},
};

const RETENTION: Retention = Retention { content_days: 90, personal_data_days: 30 };

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

async fn leaves<H: Harness>(world: &World<H>, scope: &Scope) -> Vec<LeafRecord> {
    world.view(scope).await.leaves(0, 1_000).await.unwrap()
}

async fn state<H: Harness>(world: &World<H>, scope: &Scope) -> LogState {
    world.view(scope).await.log_state().await.unwrap()
}

async fn sequence<H: Harness>(world: &World<H>, scope: &Scope) {
    Sequencer::default().run(world.harness.store(), scope.organization()).await;
}

/// What is over now.
async fn cut<H: Harness>(world: &World<H>, scope: &Scope) -> LogTrimmed {
    let (mut view, now) = (world.view(scope).await, world.machine.now());
    sample::cut(&mut view, scope.organization(), RETENTION, now).await.unwrap()
}

/// Eight events: the content of the first three is over, and the personal data of the first five.
async fn aged<H: Harness>() -> (World<H>, Scope) {
    let (world, scope) = World::<H>::with_organization().await;
    let event = sample::whole_event(Action::AccessDenied);
    // One is there already: that the organization was founded.
    for (more, wait) in [(2, days(61)), (2, days(31)), (3, Duration::ZERO)] {
        for _ in 0..more {
            world.note(&scope, &event).await;
        }
        world.machine.wait(wait);
    }
    sequence(&world, &scope).await;
    (world, scope)
}

/// Erases everything that may be, by so many at most. Gives back how many there were each time.
async fn erase<H: Harness>(world: &World<H>, scope: &Scope, most: u32) -> Vec<u64> {
    let mut counts = Vec::new();
    loop {
        let count = world.harness.store().erase(scope.organization(), most).await.unwrap();
        if count == 0 {
            break counts;
        }
        assert!(count <= u64::from(most), "{count} at once");
        counts.push(count);
    }
}

/// The event without its personal data.
fn without_personal_data(mut event: EventRecord) -> EventRecord {
    (event.salt, event.origin.address, event.origin.user_agent) = (None, None, None);
    event
}

/// What must be left of these leaves.
fn expected(before: &[LeafRecord], trimmed: Trimmed) -> Vec<LeafRecord> {
    let left = before.iter().cloned().map(|record| {
        let position = record.leaf.place.position;
        let event = record.event.filter(|_| position >= trimmed.content).map(|event| {
            if position < trimmed.personal_data { without_personal_data(event) } else { event }
        });
        LeafRecord { leaf: record.leaf, event }
    });
    left.collect()
}

pub async fn what_may_be_erased_changes_with_exactly_one_event<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let before = world.events().await.len();
    let change = cut(&world, &scope).await;
    let said = change.event();
    let after = world.change(&scope, change).await;
    assert_eq!(after, Trimmed { content: 3, personal_data: 5 });
    assert_eq!(state(&world, &scope).await.trimmed, after);
    let events = world.events().await;
    assert_eq!(events.len(), before + 1);
    let event = events.last().unwrap();
    assert_eq!((event.action, &event.metadata), (Action::LogTrimmed, said.metadata()));
    assert_eq!(event.resource.as_ref(), said.resource());
    // Saying so erases nothing yet.
    assert!(leaves(&world, &scope).await.iter().all(|leaf| leaf.event.is_some()));
}

pub async fn a_stale_change_of_what_may_be_erased_is_a_conflict_and_leaves_no_trace<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let change = cut(&world, &scope).await;
    let after = world.change(&scope, change.clone()).await;
    let before = world.events().await;
    let stale = world.try_change(&scope, change).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    assert_eq!(world.events().await, before);
    assert_eq!(state(&world, &scope).await.trimmed, after);
}

/// No rule of the domain makes such a change: the store refuses it all the same.
pub async fn what_no_checkpoint_covers_may_not_be_erased<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    world.note(&scope, &Event::success(Action::TokenIssued)).await;
    Sequencer::default().extend(world.harness.store(), scope.organization()).await;
    world.machine.wait(days(365));
    let mut believed = state(&world, &scope).await;
    believed.signed.as_mut().unwrap().checkpoint.size += 1;
    let mut beyond = Cut::after(&believed, RETENTION, world.machine.now());
    assert!(leaves(&world, &scope).await.iter().all(|leaf| beyond.take(leaf)));
    let change = beyond.change(scope.organization()).unwrap();
    assert_eq!(change.after().content, 9);
    let before = world.events().await;
    world.try_change(&scope, change).await.unwrap_err();
    assert_eq!(world.events().await, before);
    assert_eq!(state(&world, &scope).await.trimmed, Trimmed::default());
}

pub async fn nothing_is_erased_before_an_event_says_so<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let before = leaves(&world, &scope).await;
    assert!(erase(&world, &scope, 100).await.is_empty());
    assert_eq!(leaves(&world, &scope).await, before);
}

/// It is evidence. Once an operator acknowledges what was found, erasing goes on.
pub async fn au_04_nothing_is_erased_in_a_log_that_is_halted<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let change = cut(&world, &scope).await;
    world.change(&scope, change).await;
    let mut turn = Sequencer::default().turn(world.harness.store(), scope.organization()).await;
    turn.halt("of a test").await.unwrap();
    turn.commit().await.unwrap();
    let before = leaves(&world, &scope).await;
    assert!(erase(&world, &scope, 100).await.is_empty());
    assert_eq!(leaves(&world, &scope).await, before);
    let halted = state(&world, &scope).await;
    let change = LogAcknowledged::new(scope.organization(), &halted, "of a test").unwrap();
    world.change(&scope, change).await;
    assert!(!erase(&world, &scope, 100).await.is_empty());
}

pub async fn what_may_be_erased_is_and_no_more<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let before = leaves(&world, &scope).await;
    let size = before.len().try_into().unwrap();
    let root = root_at(&mut world.view(&scope).await, size).await.unwrap();
    let change = cut(&world, &scope).await;
    let trimmed = world.change(&scope, change).await;
    assert!(!erase(&world, &scope, 100).await.is_empty());
    assert_eq!(leaves(&world, &scope).await, expected(&before, trimmed));
    assert_eq!(root_at(&mut world.view(&scope).await, size).await.unwrap(), root);
    assert_eq!(state(&world, &scope).await.trimmed, trimmed);
    // Again it changes nothing.
    assert!(erase(&world, &scope, 100).await.is_empty());
    assert_eq!(leaves(&world, &scope).await, expected(&before, trimmed));
}

pub async fn erasing_goes_on_bite_by_bite_from_where_it_was<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let before = leaves(&world, &scope).await;
    let change = cut(&world, &scope).await;
    let trimmed = world.change(&scope, change).await;
    let bites = erase(&world, &scope, 2).await;
    assert!(bites.len() >= 3, "{bites:?}");
    assert_eq!(leaves(&world, &scope).await, expected(&before, trimmed));
    // Two months later more is over.
    world.machine.wait(days(61));
    let change = cut(&world, &scope).await;
    let trimmed = world.change(&scope, change).await;
    assert_eq!(trimmed, Trimmed { content: 5, personal_data: 8 });
    assert!(!erase(&world, &scope, 2).await.is_empty());
    assert_eq!(leaves(&world, &scope).await, expected(&before, trimmed));
}

pub async fn erasing_in_one_organization_touches_no_other<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let other = world.organization("other").await;
    for _ in 0..7 {
        world.note(&other, &sample::whole_event(Action::AccessDenied)).await;
    }
    sequence(&world, &other).await;
    let before = leaves(&world, &other).await;
    let change = cut(&world, &scope).await;
    world.change(&scope, change).await;
    assert!(erase(&world, &other, 100).await.is_empty());
    erase(&world, &scope, 100).await;
    assert_eq!(leaves(&world, &other).await, before);
}

pub async fn an_erased_event_is_neither_listed_nor_got_and_keeps_its_leaf<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let before = leaves(&world, &scope).await;
    let change = cut(&world, &scope).await;
    world.change(&scope, change).await;
    erase(&world, &scope, 100).await;
    let mut view = world.view(&scope).await;
    for LeafRecord { leaf, .. } in before.iter().take(3) {
        assert_eq!(view.event(leaf.event).await.unwrap(), None);
        assert_eq!(view.leaf_of(leaf.event).await.unwrap().as_ref(), Some(leaf));
    }
    let page = view.events(&EventFilter::default(), sample::numbered(1, 100)).await.unwrap();
    let listed: Vec<EventId> = page.rows.iter().rev().map(|row| row.event.id).collect();
    let left: Vec<EventId> = before.iter().skip(3).map(|leaf| leaf.leaf.event).collect();
    // The last one is that which says what may be erased.
    assert_eq!((listed.len(), page.total), (6, Total::Exactly(6)));
    assert_eq!(listed.get(..5), Some(left.as_slice()));
    let filters = [
        EventFilter { action: Some(Action::OrganizationCreated), ..EventFilter::default() },
        EventFilter { until: Some(world.machine.now().minus(days(90))), ..EventFilter::default() },
    ];
    for filter in filters {
        let page = view.events(&filter, sample::numbered(1, 100)).await.unwrap();
        assert_eq!((page.rows, page.total), (Vec::new(), Total::Exactly(0)), "{filter:?}");
    }
}

pub async fn the_log_goes_on_behind_what_was_erased<H: Harness>() {
    let (world, scope) = aged::<H>().await;
    let change = cut(&world, &scope).await;
    world.change(&scope, change).await;
    erase(&world, &scope, 100).await;
    world.agent(&scope, "one").await;
    sequence(&world, &scope).await;
    let after = state(&world, &scope).await;
    assert_eq!((after.size, after.signed_size()), (10, 10));
}

pub async fn the_last_use_of_a_credential_outlives_its_event<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let credential = world.credential(&scope, &agent).await.id();
    outlives(&world, &scope, &agent, credential).await;
}

pub async fn the_last_use_of_a_key_outlives_its_event<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let key = world.change(&scope, sample::client_key(&world.machine, &agent)).await.id();
    outlives(&world, &scope, &agent, key).await;
}

async fn outlives<H: Harness>(world: &World<H>, scope: &Scope, agent: &Agent, used: CredentialId) {
    let acting = sample::scope(scope.organization(), agent.id());
    let issued = Event::success(Action::TokenIssued).using(used);
    let id = world.note(&acting, &issued).await;
    let last = world.view(scope).await.event(id).await.unwrap().unwrap().event.timestamp;
    sequence(world, scope).await;
    world.machine.wait(days(365));
    let change = cut(world, scope).await;
    let trimmed = world.change(scope, change).await;
    assert_eq!(trimmed, Trimmed { content: 4, personal_data: 4 });
    erase(world, scope, 100).await;
    let mut view = world.view(scope).await;
    assert_eq!(view.event(id).await.unwrap(), None);
    let times = view.last_authentications(&[agent.id()]).await.unwrap();
    assert_eq!(times.into_iter().collect::<Vec<_>>(), [(agent.id(), last)]);
    let uses = view.last_uses(&[used]).await.unwrap();
    assert_eq!(uses.into_iter().collect::<Vec<_>>(), [(used, last)]);
}
