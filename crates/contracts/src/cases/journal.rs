//! No change without its event, and no event without its change.

use std::{collections::BTreeSet, time::Duration};

use audit::{
    Action, Apply, Audited, Changed, Event, EventRecord, Journal, LogAcknowledged, LogReader,
    Organizations, Retention, Transactor, Turn, record,
};
use futures_util::future::join;
use kernel::StoreError;
use registry::{Agents, OtherAdmins, StatusRequest};
use tenancy::Scope;
use tokens::SigningKeys;

use crate::{
    Harness, World,
    sample::{self, Sequencer},
};

/// What an event must say that came of this change in this scope.
fn says<H>(event: &EventRecord, scope: &Scope, of: &Event, world: &World<H>) {
    let expected = EventRecord {
        id: event.id,
        organization: scope.organization(),
        agent: scope.actor().agent(),
        action: of.action(),
        outcome: of.outcome(),
        resource: of.resource().cloned(),
        origin: scope.origin().clone(),
        used: of.used(),
        salt: event.salt,
        metadata: of.metadata().clone(),
        timestamp: event.timestamp,
    };
    assert_eq!(*event, expected);
    assert!(event.timestamp < world.machine.now());
    assert_eq!(event.id.made_at_millis(), Some(event.timestamp.unix_millis()));
}

pub async fn a_commit_leaves_exactly_one_event_that_says_who_where_and_what<H: Harness>() {
    let world = World::<H>::fresh().await;
    let scope = world.organization("first").await;
    let before = world.events().await.len();
    let change = sample::agent_named(&world.machine, scope.organization(), "one");
    let event = change.event();
    world.change(&scope, change).await;
    let events = world.events().await;
    assert_eq!(events.len(), before + 1);
    says(events.last().unwrap(), &scope, &event, &world);
}

pub async fn a_transaction_that_is_dropped_leaves_nothing<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let before = world.events().await;
    let change = sample::agent_named(&world.machine, scope.organization(), "one");
    let (tx, agent) = record(world.begin(&scope).await, change).await.unwrap();
    drop(tx);
    assert_eq!(world.view(&scope).await.agent(agent.id()).await.unwrap(), None);
    assert_eq!(world.events().await, before);
    // The store goes on as if nothing had been.
    world.agent(&scope, "one").await;
}

pub async fn several_changes_are_committed_together_or_not_at_all<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let before = world.events().await.len();
    let one = sample::agent_named(&world.machine, scope.organization(), "one");
    let two = sample::agent_named(&world.machine, scope.organization(), "two");
    let (tx, one) = record(world.begin(&scope).await, one).await.unwrap();
    let (mut tx, two) = record(tx, two).await.unwrap();
    assert_eq!(tx.agent(one.id()).await.unwrap().as_ref(), Some(&one));
    assert_eq!(world.view(&scope).await.agent(one.id()).await.unwrap(), None);
    tx.commit().await.unwrap();
    let mut view = world.view(&scope).await;
    assert_eq!(view.agent(one.id()).await.unwrap(), Some(one));
    assert_eq!(view.agent(two.id()).await.unwrap(), Some(two));
    assert_eq!(world.events().await.len(), before + 2);
}

pub async fn one_record_changes_twice_in_one_transaction<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let before = world.events().await.len();
    let [published, active, ..] = sample::every_key(&world.machine);
    let (tx, _) = record(world.begin(&scope).await, published).await.unwrap();
    let (tx, key) = record(tx, active).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.view(&scope).await.signing_keys().await.unwrap().whole, [key]);
    assert_eq!(world.events().await.len(), before + 2);
}

/// A server that starts anew may read an earlier time than the one before it: the later event then
/// has the lesser id, and what it tells of must be written all the same.
pub async fn records_change_while_the_clock_is_behind<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let credential = world.credential(&scope, &agent).await;
    let organization = world.view(&scope).await.organization().await.unwrap().unwrap();
    let [published, active, ..] = sample::every_key(&world.machine);
    world.change(&scope, published).await;

    world.machine.wind_back(Duration::from_secs(3_600));
    let now = world.machine.now();
    world.change(&scope, organization.suspend(now).unwrap()).await;
    world.change(&scope, sample::changed(agent, sample::patch(), now)).await;
    world.change(&scope, credential.revoke(now).unwrap()).await;
    world.change(&scope, active).await;
}

pub async fn a_stale_change_is_a_conflict_and_leaves_no_trace<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let credential = world.credential(&scope, &agent).await;
    let now = world.machine.now();
    let changed = sample::changed(agent.clone(), sample::patch(), now);
    let changed = world.change(&scope, changed).await;
    world.change(&scope, credential.clone().revoke(now).unwrap()).await;
    let before = world.events().await;

    let stale = sample::moved(agent, StatusRequest::Suspended, now);
    conflicts(&world, &scope, stale).await;
    conflicts(&world, &scope, credential.revoke(now).unwrap()).await;
    assert_eq!(world.events().await, before);
    assert_eq!(world.view(&scope).await.agent(changed.id()).await.unwrap(), Some(changed));
}

pub async fn a_stale_change_of_an_organization_or_a_key_is_a_conflict<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut view = world.view(&scope).await;
    let organization = view.organization().await.unwrap().unwrap();
    let now = world.machine.now();
    world.change(&scope, organization.clone().suspend(now).unwrap()).await;
    conflicts(&world, &scope, organization.suspend(now).unwrap()).await;
    let [published, active, ..] = sample::every_key(&world.machine);
    let again = active.clone();
    world.change(&scope, published).await;
    world.change(&scope, active).await;
    conflicts(&world, &scope, again).await;
}

pub async fn what_is_new_cannot_be_written_twice<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = sample::agent_named(&world.machine, scope.organization(), "one");
    world.change(&scope, agent.clone()).await;
    let credential = sample::credential(&world.machine, agent.after(), None);
    world.change(&scope, credential.clone()).await;
    let key = sample::key(&world.machine);
    world.change(&scope, key.clone()).await;
    let before = world.events().await;
    conflicts(&world, &scope, agent).await;
    conflicts(&world, &scope, credential).await;
    conflicts(&world, &scope, key).await;
    assert_eq!(world.events().await, before);
}

/// The change must be refused as a conflict.
async fn conflicts<H: Harness, C: Audited>(world: &World<H>, scope: &Scope, change: C)
where
    H::Tx: Apply<C>,
{
    assert!(matches!(world.try_change(scope, change).await, Err(StoreError::Conflict)));
}

pub async fn of_two_writers_that_race_one_wins<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let before = world.events().await.len();
    let now = world.machine.now();
    let one = sample::moved(agent.clone(), StatusRequest::Suspended, now);
    let two = sample::moved(agent, StatusRequest::Revoked, now);
    let (one, two) = join(world.try_change(&scope, one), world.try_change(&scope, two)).await;
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    let won = won.unwrap();
    assert!(matches!(lost, Err(StoreError::Conflict)));
    assert_eq!(world.view(&scope).await.agent(won.id()).await.unwrap(), Some(won));
    assert_eq!(world.events().await.len(), before + 1);
}

/// Two admins that retire each other at once must not both succeed.
pub async fn what_a_transaction_reads_holds_until_it_commits<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let admin = |name: &str| {
        let new = sample::new_agent(&format!("{name}@example.com"));
        let new = sample::with_roles(new, &[registry::Role::Admin]);
        sample::registered(&world.machine, scope.organization(), new)
    };
    let one = world.change(&scope, admin("one")).await.id();
    let two = world.change(&scope, admin("two")).await.id();
    let retire = async |id| -> Result<(), StoreError> {
        let mut tx = world.harness.store().begin(scope.clone()).await?;
        let agent = tx.agent(id).await?.unwrap();
        let others = tx.other_admins(id).await?;
        let Ok(change) = agent.decommission(others, world.machine.now()) else {
            return Err(StoreError::Conflict);
        };
        let (tx, _) = record(tx, change).await?;
        tx.commit().await
    };
    let (first, second) = join(retire(one), retire(two)).await;
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    let left = if first.is_ok() { two } else { one };
    let mut view = world.view(&scope).await;
    assert_eq!(view.other_admins(left).await.unwrap(), OtherAdmins::None);
}

pub async fn a_view_does_not_change_while_it_is_open<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut before = world.view(&scope).await;
    assert_eq!(before.agent_count().await.unwrap(), 0);
    let agent = world.agent(&scope, "one").await;
    assert_eq!(before.agent_count().await.unwrap(), 0);
    assert_eq!(before.agent(agent.id()).await.unwrap(), None);
    assert_eq!(world.view(&scope).await.agent_count().await.unwrap(), 1);
}

pub async fn every_kind_of_change_leaves_its_event<H: Harness>() {
    let world = World::<H>::fresh().await;
    let machine = &world.machine;
    let scope = world.organization("first").await;
    let mut view = world.view(&scope).await;
    let organization = view.organization().await.unwrap().unwrap();
    let suspended = world.change(&scope, organization.suspend(machine.now()).unwrap()).await;
    world.change(&scope, suspended.reactivate(machine.now()).unwrap()).await;
    let agent = world.agent(&scope, "one").await;
    let (made, rotated, revoked) = sample::every_credential(machine, &agent);
    let credential = world.change(&scope, made).await.id();
    world.change(&scope, rotated).await;
    world.change(&scope, revoked).await;
    let key = world.change(&scope, sample::client_key(machine, &agent)).await;
    world.change(&scope, key.remove(machine.now()).unwrap()).await;
    let token = sample::verified_token(machine, scope.organization(), agent.id(), credential).await;
    world.change(&scope, sample::revoked(&token, machine.now())).await;
    for change in sample::every_agent(machine, scope.organization()) {
        world.change(&scope, change).await;
    }
    for change in sample::ended_keys(machine).into_iter().flatten() {
        world.change(&scope, change).await;
    }
    for change in sample::every_key(machine) {
        world.change(&scope, change).await;
    }
    let damaged = world.change(&scope, sample::key(machine)).await;
    world.change(&scope, sample::damaged_key_ended(&damaged, machine.now())).await;
    for action in sample::NOTED {
        world.note(&scope, &Event::success(action)).await;
    }
    every_change_of_a_log(&world, &scope).await;
    let seen: BTreeSet<_> = world.events().await.iter().map(|event| event.action).collect();
    let all: BTreeSet<_> = Action::ALL.iter().copied().collect();
    assert_eq!(seen, all, "a kind of event is new: give it a sample");
}

/// The changes of a log's life, and of the key that signs it.
async fn every_change_of_a_log<H: Harness>(world: &World<H>, scope: &Scope) {
    let (organization, store) = (scope.organization(), world.harness.store());
    world.change(scope, sample::checkpoint_key(&world.machine)).await;
    Sequencer::default().run(store, organization).await;
    world.machine.wait(Duration::from_secs(86_400));
    let retention = Retention { content_days: 0, personal_data_days: 0 };
    let now = world.machine.now();
    let cut = sample::cut(&mut world.view(scope).await, organization, retention, now).await;
    world.change(scope, cut.unwrap()).await;
    let mut turn = Sequencer::default().turn(store, organization).await;
    turn.halt("of a test").await.unwrap();
    turn.commit().await.unwrap();
    let halted = world.view(scope).await.log_state().await.unwrap();
    let acknowledged = LogAcknowledged::new(organization, &halted, "it is a test").unwrap();
    world.change(scope, acknowledged).await;
}

pub async fn every_change_is_told_of_before_it_is_acknowledged<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let _ = world.machine.heard.take();
    let agent = world.agent(&scope, "one").await;
    let told = |resource| Changed { organization: scope.organization(), resource };
    assert_eq!(world.machine.heard.take(), [told(agent.id().into())]);
    let credential = sample::credential(&world.machine, &agent, None);
    let moved = sample::moved(agent.clone(), StatusRequest::Suspended, world.machine.now());
    let (tx, _) = record(world.begin(&scope).await, moved).await.unwrap();
    let (tx, credential) = record(tx, credential).await.unwrap();
    tx.commit().await.unwrap();
    let both = [told(agent.id().into()), told(credential.id().into())];
    assert_eq!(world.machine.heard.take(), both);
}

pub async fn what_is_not_committed_is_not_told_of<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let _ = world.machine.heard.take();
    let change = sample::agent_named(&world.machine, scope.organization(), "one");
    let (tx, _) = record(world.begin(&scope).await, change.clone()).await.unwrap();
    drop(tx);
    let twice = world.change(&scope, change.clone()).await;
    assert_eq!(world.machine.heard.take().len(), 1);
    conflicts(&world, &scope, change).await;
    assert_eq!(world.machine.heard.take(), []);
    assert!(world.view(&scope).await.agent(twice.id()).await.unwrap().is_some());
}
