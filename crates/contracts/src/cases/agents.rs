//! Agents: their fields and states, their addresses, and the keys they were registered under.

use std::{num::NonZeroU32, time::Duration};

use audit::Event;
use kernel::{Limit, PageRequest, Resource, Start, StoreError, Total};
use registry::{
    Agent, AgentFilter, AgentPatch, Agents, Fingerprint, IdempotencyKey, NewAgent, OtherAdmins,
    PastRegistration, Registration, Role, StatusRequest,
};

use crate::{Harness, World, sample};

pub async fn every_field_and_state_of_an_agent_is_read_back_as_it_was_written<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for change in sample::every_agent(&world.machine, scope.organization()) {
        let agent = world.change(&scope, change).await;
        let read = world.view(&scope).await.agent(agent.id()).await.unwrap();
        assert_eq!(read, Some(agent.clone()));
        // Equality of addresses is without case: the very spelling must be kept too.
        let email = read.unwrap().record().email.as_str().to_owned();
        assert_eq!(email, "Whole.Life@example.com");
        let in_transaction = world.begin(&scope).await.agent(agent.id()).await.unwrap();
        assert_eq!(in_transaction, Some(agent));
    }
}

pub async fn an_address_is_held_by_one_agent_in_any_spelling<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let first = world.agent(&scope, "bot").await;
    for name in ["bot", "Bot", "BOT"] {
        let second = sample::agent_named(&world.machine, scope.organization(), name);
        let refused = world.try_change(&scope, second).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{name}");
        let email = format!("{name}@EXAMPLE.com").parse().unwrap();
        let holder = world.view(&scope).await.agent_by_email(&email).await.unwrap();
        assert_eq!(holder.as_ref(), Some(&first), "{name}");
    }
}

pub async fn an_address_is_free_once_its_agent_is_gone<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let first = world.agent(&scope, "bot").await;
    let email = first.record().email.clone();
    for status in [StatusRequest::Suspended, StatusRequest::Revoked] {
        let agent = world.view(&scope).await.agent(first.id()).await.unwrap().unwrap();
        world.change(&scope, sample::moved(agent, status, world.machine.now())).await;
        let second = sample::agent_named(&world.machine, scope.organization(), "bot");
        let refused = world.try_change(&scope, second).await;
        assert!(matches!(refused, Err(StoreError::Conflict)));
    }
    let agent = world.view(&scope).await.agent(first.id()).await.unwrap().unwrap();
    let [gone, archived] = sample::archived(agent, &world.machine);
    world.change(&scope, gone).await;
    assert_eq!(world.view(&scope).await.agent_by_email(&email).await.unwrap(), None);
    let second = world.agent(&scope, "bot").await;
    world.change(&scope, archived).await;
    let holder = world.view(&scope).await.agent_by_email(&email).await.unwrap();
    assert_eq!(holder, Some(second));
}

pub async fn tn_03_an_address_is_free_in_another_organization<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let one = world.agent(&scope, "bot").await;
    let two = world.agent(&other, "bot").await;
    let email = one.record().email.clone();
    assert_eq!(world.view(&scope).await.agent_by_email(&email).await.unwrap(), Some(one));
    assert_eq!(world.view(&other).await.agent_by_email(&email).await.unwrap(), Some(two));
}

pub async fn agents_count_until_they_are_gone<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    world.agent(&scope, "stays").await;
    let counts = [(2, 2), (2, 2), (2, 2), (2, 2), (2, 2), (1, 2), (1, 1)];
    let life = sample::every_agent(&world.machine, scope.organization());
    assert_eq!(life.len(), counts.len());
    for (change, (count, listed)) in life.into_iter().zip(counts) {
        world.change(&scope, change).await;
        let mut view = world.view(&scope).await;
        assert_eq!(view.agent_count().await.unwrap(), count);
        let page = PageRequest { start: Start::Page(NonZeroU32::MIN), limit: Limit::default() };
        let page = view.agents(&AgentFilter::default(), page).await.unwrap();
        assert_eq!(page.total, Total::Exactly(listed));
        assert_eq!(u64::try_from(page.rows.len()).unwrap(), listed);
    }
    let other = world.organization("without-agents").await;
    assert_eq!(world.view(&other).await.agent_count().await.unwrap(), 0);
}

pub async fn another_admin_is_an_active_one<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let register = async |name: &str, roles: &[Role]| {
        let new = sample::new_agent(&format!("{name}@example.com"));
        let new = sample::with_roles(new, roles);
        world.change(&scope, sample::registered(&world.machine, scope.organization(), new)).await
    };
    let others =
        async |than: &Agent| world.view(&scope).await.other_admins(than.id()).await.unwrap();
    let first = register("first", &[Role::Admin]).await;
    register("operator", &[Role::Operator, Role::Auditor, Role::ResourceServer]).await;
    assert_eq!(others(&first).await, OtherAdmins::None);
    let second = register("second", &[Role::Admin, Role::Auditor]).await;
    assert_eq!(others(&first).await, OtherAdmins::Some);
    assert_eq!(others(&second).await, OtherAdmins::Some);
    let suspended = sample::moved(second, StatusRequest::Suspended, world.machine.now());
    let second = world.change(&scope, suspended).await;
    assert_eq!(others(&first).await, OtherAdmins::None);
    let active = sample::moved(second, StatusRequest::Active, world.machine.now());
    world.change(&scope, active).await;
    assert_eq!(others(&first).await, OtherAdmins::Some);
}

pub async fn only_what_an_active_agent_answers_to_is_registered<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let answering = async |name: &str, resources: &[&str]| {
        let new = sample::new_agent(&format!("{name}@example.com"));
        let new = NewAgent { resources: sample::resources(resources), ..new };
        world.change(&scope, sample::registered(&world.machine, scope.organization(), new)).await
    };
    let all = ["https://a.example", "https://b.example", "urn:it's:\"b\"", "https://c.example"];
    let asked: Vec<Resource> = all.iter().map(|one| one.parse().unwrap()).collect();
    let registered = async |scope| {
        let found = world.view(scope).await.registered_resources(&asked).await.unwrap();
        found.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>().join(" ")
    };
    answering("nothing", &[]).await;
    assert_eq!(registered(&scope).await, "");
    let both = answering("both", &["https://a.example", "urn:it's:\"b\"", "urn:unasked"]).await;
    answering("one", &["https://a.example", "https://b.example/"]).await;
    assert_eq!(registered(&scope).await, "https://a.example urn:it's:\"b\"");
    let elsewhere = world.organization("elsewhere").await;
    assert_eq!(registered(&elsewhere).await, "");
    let none = world.view(&scope).await.registered_resources(&[]).await.unwrap();
    assert!(none.is_empty());
    let suspended = sample::moved(both, StatusRequest::Suspended, world.machine.now());
    let both = world.change(&scope, suspended).await;
    assert_eq!(registered(&scope).await, "https://a.example");
    let active = sample::moved(both, StatusRequest::Active, world.machine.now());
    let both = world.change(&scope, active).await;
    assert_eq!(registered(&scope).await, "https://a.example urn:it's:\"b\"");
    let none = AgentPatch { resources: Some(sample::resources(&[])), ..AgentPatch::default() };
    world.change(&scope, sample::changed(both, none, world.machine.now())).await;
    assert_eq!(registered(&scope).await, "https://a.example");
}

/// A registration under a key, asked for now.
fn under_key<H: Harness>(
    world: &World<H>,
    scope: &tenancy::Scope,
    (key, name): (&str, &str),
) -> registry::AgentChange {
    let new = sample::new_agent(&format!("{name}@example.com"));
    let (now, caller) = (world.machine.now(), scope.actor().agent().unwrap());
    let registration = Registration::new(key.parse().unwrap(), caller, &new, now);
    let id = world.machine.agent_id();
    Agent::register(id, scope.organization(), new, Some(registration), now)
}

pub async fn a_key_finds_the_agent_that_was_registered_under_it<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let caller = scope.actor().agent().unwrap();
    let agent = world.change(&scope, under_key(&world, &scope, ("k'1\"%_", "one"))).await;
    let fingerprint = Fingerprint::of(&sample::new_agent("one@example.com"));
    let key: IdempotencyKey = "k'1\"%_".parse().unwrap();
    let mut view = world.view(&scope).await;
    let found = view.registration(caller, &key, world.machine.now()).await.unwrap();
    assert_eq!(found, Some(PastRegistration { fingerprint, agent: agent.id() }));
    let other: IdempotencyKey = "k'1\"%%".parse().unwrap();
    assert_eq!(view.registration(caller, &other, world.machine.now()).await.unwrap(), None);
    let stranger = world.machine.agent_id();
    assert_eq!(view.registration(stranger, &key, world.machine.now()).await.unwrap(), None);
}

pub async fn one_key_of_two_callers_is_two_keys<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = sample::scope(scope.organization(), world.machine.agent_id());
    let one = world.change(&scope, under_key(&world, &scope, ("key", "one"))).await;
    let two = world.change(&other, under_key(&world, &other, ("key", "two"))).await;
    let key = "key".parse().unwrap();
    for (scope, agent) in [(&scope, one), (&other, two)] {
        let (caller, now) = (scope.actor().agent().unwrap(), world.machine.now());
        let found = world.view(scope).await.registration(caller, &key, now).await.unwrap();
        assert_eq!(found.unwrap().agent, agent.id());
    }
}

pub async fn a_key_is_forgotten_after_its_time_and_may_be_used_again<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let caller = scope.actor().agent().unwrap();
    let key = "key".parse().unwrap();
    world.change(&scope, under_key(&world, &scope, ("key", "one"))).await;
    let refused = world.try_change(&scope, under_key(&world, &scope, ("key", "two"))).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "the key is remembered still");

    world.machine.wait(registry::idempotency::KEPT_FOR);
    let mut view = world.view(&scope).await;
    assert_eq!(view.registration(caller, &key, world.machine.now()).await.unwrap(), None);
    let three = world.change(&scope, under_key(&world, &scope, ("key", "three"))).await;
    let mut view = world.view(&scope).await;
    let found = view.registration(caller, &key, world.machine.now()).await.unwrap();
    assert_eq!(found.unwrap().agent, three.id());
}

pub async fn an_agent_last_authenticated_when_any_of_its_credentials_was_used<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let idle = world.agent(&scope, "idle").await;
    let one = world.credential(&scope, &agent).await;
    let two = world.credential(&scope, &agent).await;
    let acting = sample::scope(scope.organization(), agent.id());
    let mut last = None;
    for credential in [&one, &two, &one] {
        world.machine.wait(Duration::from_secs(5));
        let used = Event::success(audit::Action::TokenIssued).using(credential.id());
        let id = world.note(&acting, &used).await;
        last = world.events().await.iter().find(|event| event.id == id).map(|e| e.timestamp);
    }
    let mut view = world.view(&scope).await;
    let times = view.last_authentications(&[agent.id(), idle.id()]).await.unwrap();
    assert_eq!(times.into_iter().collect::<Vec<_>>(), [(agent.id(), last.unwrap())]);
}
