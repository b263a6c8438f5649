//! Organizations kept apart: nothing of one is visible or changeable from another.

use audit::{Apply, Audited, EventFilter, Organizations, record};
use kernel::StoreError;
use registry::{AgentFilter, Agents, OtherAdmins, Registration, Role, StatusRequest};
use tenancy::Scope;
use tokens::Revocations;

use crate::{Harness, Reads, World, sample};

/// One of everything in an organization.
struct Belongings {
    agent: registry::Agent,
    credential: credentials::Credential,
    registration: Registration,
    token: kernel::TokenId,
    event: kernel::EventId,
}

async fn one_of_everything<H: Harness>(world: &World<H>, scope: &Scope) -> Belongings {
    let (machine, organization) = (&world.machine, scope.organization());
    let new = sample::with_roles(sample::new_agent("one@example.com"), &[Role::Admin]);
    let key = "key-1".parse().unwrap();
    let caller = scope.actor().agent().unwrap();
    let registration = Registration::new(key, caller, &new, machine.now());
    let (id, now) = (machine.agent_id(), machine.now());
    let change = registry::Agent::register(id, organization, new, Some(registration.clone()), now);
    let agent = world.change(scope, change).await;
    let credential = world.credential(scope, &agent).await;
    let token = sample::verified_token(machine, organization, agent.id(), credential.id()).await;
    world.change(scope, sample::revoked(&token, machine.now())).await;
    let actor = sample::scope(organization, agent.id());
    let used = audit::Event::success(audit::Action::TokenIssued).using(credential.id());
    let event = world.note(&actor, &used).await;
    Belongings { agent, credential, registration, token: token.claims().id, event }
}

pub async fn nothing_of_another_organization_is_visible<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let own = one_of_everything(&world, &scope).await;
    let stranger = world.organization("stranger").await;
    sees(&mut world.view(&scope).await, &own, &world, true).await;
    sees(&mut world.begin(&scope).await, &own, &world, true).await;
    sees(&mut world.view(&stranger).await, &own, &world, false).await;
    sees(&mut world.begin(&stranger).await, &own, &world, false).await;
    let nowhere = world.machine.organization_id();
    let mut view = world.view_of(nowhere).await;
    sees(&mut view, &own, &world, false).await;
    assert_eq!(view.organization().await.unwrap(), None);
}

/// Asks every read port of an organization for every single thing.
async fn sees<H>(session: &mut impl Reads, own: &Belongings, world: &World<H>, visible: bool) {
    let (agent, credential) = (own.agent.id(), own.credential.id());
    let now = world.machine.now();
    let email = &own.agent.record().email;
    let caller = own.registration.caller;
    let key = &own.registration.key;
    let page = || sample::numbered(1, 100);
    let filter = AgentFilter::default();
    let by_capability =
        AgentFilter { capability: Some("resume:read".parse().unwrap()), ..AgentFilter::default() };
    let other = session.other_admins(world.machine.agent_id()).await.unwrap();
    let resources: Vec<_> = own.agent.record().resources.iter().cloned().collect();
    let count = usize::from(visible);
    let answers = [
        session.agent(agent).await.unwrap().is_some(),
        session.agent_by_email(email).await.unwrap().is_some(),
        session.agents(&filter, page()).await.unwrap().rows.len() == 1,
        session.agents(&by_capability, page()).await.unwrap().rows.len() == 1,
        session.agent_count().await.unwrap() == 1,
        other == OtherAdmins::Some,
        session.registration(caller, key, now).await.unwrap().is_some(),
        session.registered_resources(&resources).await.unwrap().len() == resources.len(),
        session.last_authentications(&[agent]).await.unwrap().len() == 1,
        session.credential(credential).await.unwrap().is_some(),
        session.credentials(agent, sample::numbered(1, 9)).await.unwrap().rows.len() == 1,
        session.live_credentials(agent, now).await.unwrap().0 == 1,
        session.last_uses(&[credential]).await.unwrap().len() == 1,
        session.is_revoked(own.token).await.unwrap(),
        session.event(own.event).await.unwrap().is_some(),
    ];
    assert_eq!(answers, [visible; 15]);
    let filter = EventFilter { agent: Some(agent), ..EventFilter::default() };
    let events = session.events(&filter, sample::numbered(1, 100)).await.unwrap();
    assert_eq!(events.rows.len(), count);
}

pub async fn a_change_of_another_organization_is_a_conflict_and_leaves_no_trace<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let own = one_of_everything(&world, &scope).await;
    let stranger = world.organization("stranger").await;
    let before = world.events().await;
    let now = world.machine.now();
    let [agent, credential] = [own.agent.clone(), own.agent.clone()];
    refused(&world, &stranger, sample::moved(agent, StatusRequest::Revoked, now)).await;
    refused(&world, &stranger, own.credential.revoke(now).unwrap()).await;
    refused(&world, &stranger, sample::credential(&world.machine, &credential, None)).await;
    let other = sample::agent_named(&world.machine, scope.organization(), "two");
    refused(&world, &stranger, other).await;
    let organization = world.view(&scope).await.organization().await.unwrap().unwrap();
    refused(&world, &stranger, organization.suspend(now).unwrap()).await;
    assert_eq!(world.events().await, before);
    assert_eq!(world.view(&scope).await.agent(own.agent.id()).await.unwrap(), Some(own.agent));
}

/// A record that says it is the scope's own, but belongs to an agent of somebody else.
pub async fn no_credential_is_made_for_an_agent_of_another_organization<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let stranger = world.organization("stranger").await;
    let new = sample::new_credential(&world.machine, stranger.organization(), agent.id());
    let change =
        credentials::Credential::generate(new, credentials::LiveCount(0), world.machine.now());
    refused(&world, &stranger, change.unwrap()).await;
}

/// Refused as a conflict, and rolled back.
async fn refused<H: Harness, C: Audited>(world: &World<H>, scope: &Scope, change: C)
where
    H::Tx: Apply<C>,
{
    let tx = world.begin(scope).await;
    assert!(matches!(record(tx, change).await.err(), Some(StoreError::Conflict)));
}

pub async fn tn_11_one_idempotency_key_in_two_organizations_is_two_keys<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let caller = world.machine.agent_id();
    let (one, two) = (sample::scope(scope.organization(), caller), other);
    let two = sample::scope(two.organization(), caller);
    let first = one_of_everything(&world, &one).await;
    let second = one_of_everything(&world, &two).await;
    let key = "key-1".parse().unwrap();
    let now = world.machine.now();
    let found = world.view(&one).await.registration(caller, &key, now).await.unwrap().unwrap();
    assert_eq!(found.agent, first.agent.id());
    let found = world.view(&two).await.registration(caller, &key, now).await.unwrap().unwrap();
    assert_eq!(found.agent, second.agent.id());
}

pub async fn one_token_id_in_two_organizations_is_two_tokens<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let (agent, credential) = (world.machine.agent_id(), world.machine.credential_id());
    let token =
        sample::verified_token(&world.machine, scope.organization(), agent, credential).await;
    let id = token.claims().id;
    let now = world.machine.now();
    world.change(&scope, sample::revoked(&token, now)).await;
    assert!(!world.view(&other).await.is_revoked(id).await.unwrap());
    world.change(&other, sample::revoked(&token, now)).await;
    assert!(world.view(&other).await.is_revoked(id).await.unwrap());
}
