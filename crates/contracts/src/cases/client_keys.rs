//! Keys of clients: their kinds, their ids, their end, and that an agent has one way to authenticate.

use std::time::Duration;

use audit::{Action, Event, Journal, Transactor, record};
use credentials::{
    ClientKey, ClientKeys, Credential, Credentials, LiveCount, NewClientKey, Overlap, Ways,
};
use futures_util::future::{join, join_all};
use kernel::{AgentId, StoreError, Total};
use registry::{Agent, Agents};
use tenancy::Scope;

use crate::{Harness, World, sample};

async fn added<H: Harness>(world: &World<H>, scope: &Scope, agent: &Agent) -> ClientKey {
    world.change(scope, sample::client_key(&world.machine, agent)).await
}

async fn removed<H: Harness>(world: &World<H>, scope: &Scope, key: ClientKey) -> ClientKey {
    world.change(scope, key.remove(world.machine.now()).unwrap()).await
}

pub async fn every_kind_and_state_of_a_key_is_read_back_as_it_was_written<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    for change in sample::every_client_key(&world.machine, &agent) {
        let key = world.change(&scope, change).await;
        let read = world.view(&scope).await.client_key(key.id()).await.unwrap();
        assert_eq!(read.as_ref(), Some(&key));
        let ended = removed(&world, &scope, key).await;
        let read = world.view(&scope).await.client_key(ended.id()).await.unwrap();
        assert_eq!(read, Some(ended));
    }
}

pub async fn a_secret_is_no_key_and_a_key_no_secret<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (agent, other) = (world.agent(&scope, "one").await, world.agent(&scope, "other").await);
    let secret = world.credential(&scope, &agent).await;
    let key = added(&world, &scope, &other).await;
    let mut view = world.view(&scope).await;
    assert_eq!(view.client_key(secret.id()).await.unwrap(), None);
    assert_eq!(view.credential(key.id()).await.unwrap(), None);
}

pub async fn a_key_is_found_by_what_its_client_calls_it<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (agent, other) = (world.agent(&scope, "one").await, world.agent(&scope, "other").await);
    let called = |agent: &Agent| {
        let new = sample::new_client_key(&world.machine, scope.organization(), agent.id());
        let new = NewClientKey { kid: Some("key-1".parse().unwrap()), ..new };
        Ways::new(vec![], vec![]).add(new, world.machine.now()).unwrap().added
    };
    let find = async |agent: &Agent, kid: &str| {
        let mut view = world.view(&scope).await;
        view.client_key_called(agent.id(), &kid.parse().unwrap()).await.unwrap()
    };
    assert_eq!(find(&agent, "key-1").await, None);
    let first = world.change(&scope, called(&agent)).await;
    let of_other = world.change(&scope, called(&other)).await;
    assert_eq!(find(&agent, "key-1").await.as_ref(), Some(&first));
    assert_eq!(find(&other, "key-1").await, Some(of_other));
    assert_eq!(find(&agent, "Key-1").await, None);
    // One that was removed is found until its id is taken again, and the one that is live before it.
    let first = removed(&world, &scope, first).await;
    assert_eq!(find(&agent, "key-1").await, Some(first));
    let second = world.change(&scope, called(&agent)).await;
    assert_eq!(find(&agent, "key-1").await.as_ref(), Some(&second));
    let second = removed(&world, &scope, second).await;
    assert_eq!(find(&agent, "key-1").await, Some(second));
}

pub async fn an_id_or_a_key_that_is_live_is_not_taken_again<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let there = added(&world, &scope, &agent).await;
    let before = world.events().await;
    let new = || sample::new_client_key(&world.machine, scope.organization(), agent.id());
    let add = |new| Ways::new(vec![], vec![]).add(new, world.machine.now()).unwrap().added;
    let called_alike = add(NewClientKey { kid: Some(there.kid().clone()), ..new() });
    let kid = Some("another".parse().unwrap());
    let doubled = add(NewClientKey { kid, material: there.material().clone(), ..new() });
    for change in [&called_alike, &doubled] {
        let refused = world.try_change(&scope, change.clone()).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
    assert_eq!(world.events().await, before);
    removed(&world, &scope, there).await;
    world.change(&scope, called_alike).await;
    world.change(&scope, doubled).await;
}

pub async fn what_an_agent_authenticates_by_is_told_and_nothing_else<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (agent, other) = (world.agent(&scope, "one").await, world.agent(&scope, "other").await);
    world.change(&scope, sample::passing_credential(&world.machine, &other)).await;
    added(&world, &scope, &other).await;
    let (made, rotated, _) = sample::every_credential(&world.machine, &agent);
    world.change(&scope, made).await;
    let dead = world.credential(&scope, &agent).await;
    world.change(&scope, dead.revoke(world.machine.now()).unwrap()).await;
    let (old, new) = (rotated.old().clone(), rotated.successor().clone());
    world.change(&scope, rotated).await;
    let keys = [added(&world, &scope, &agent).await, added(&world, &scope, &agent).await];
    let gone = added(&world, &scope, &agent).await;
    removed(&world, &scope, gone).await;
    let mut view = world.view(&scope).await;
    assert_eq!(view.live_keys_of(agent.id()).await.unwrap(), keys);
    let ends = old.record().expires_at.unwrap();
    let before = ends.minus(Duration::from_micros(1));
    let mut secrets = async |now| view.live_secrets_of(agent.id(), now).await.unwrap();
    assert_eq!(secrets(before).await, [old, new.clone()]);
    assert_eq!(secrets(ends).await, [new]);
}

pub async fn keys_of_an_agent_are_listed_newest_first<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (agent, other) = (world.agent(&scope, "one").await, world.agent(&scope, "other").await);
    let mut expected = Vec::new();
    for _ in 0..5 {
        added(&world, &scope, &other).await;
        expected.insert(0, added(&world, &scope, &agent).await);
    }
    let gone = removed(&world, &scope, expected.remove(1)).await;
    expected.insert(1, gone);
    let mut view = world.view(&scope).await;
    let (mut rows, mut next) = (Vec::new(), None);
    for number in 1..=3 {
        let numbered = view.client_keys_of(agent.id(), sample::numbered(number, 2)).await.unwrap();
        let page = next.map_or(sample::numbered(1, 2), |id| sample::after(id, 2));
        let after = view.client_keys_of(agent.id(), page).await.unwrap();
        assert_eq!(numbered, after);
        assert_eq!(after.total, Total::Exactly(5));
        next = after.next;
        rows.extend(after.rows);
    }
    assert_eq!((rows, next), (expected, None));
}

pub async fn a_stale_change_of_a_key_is_a_conflict_and_leaves_no_trace<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let change = sample::client_key(&world.machine, &agent);
    let key = world.change(&scope, change.clone()).await;
    let gone = removed(&world, &scope, key.clone()).await;
    let before = world.events().await;
    let again = key.remove(world.machine.now()).unwrap();
    for change in [change, again] {
        let refused = world.try_change(&scope, change).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
    assert_eq!(world.events().await, before);
    assert_eq!(world.view(&scope).await.client_key(gone.id()).await.unwrap(), Some(gone));
}

pub async fn tn_01_no_key_is_seen_or_made_from_another_organization<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let stranger = world.organization("stranger").await;
    world.change(&scope, sample::passing_credential(&world.machine, &agent)).await;
    let key = added(&world, &scope, &agent).await;
    let before = world.events().await;
    let page = || sample::numbered(1, 9);
    let (id, now) = (agent.id(), world.machine.now());
    let mut view = world.view(&stranger).await;
    assert_eq!(view.client_key(key.id()).await.unwrap(), None);
    assert_eq!(view.client_key_called(id, key.kid()).await.unwrap(), None);
    assert!(view.live_keys_of(id).await.unwrap().is_empty());
    assert!(view.live_secrets_of(id, now).await.unwrap().is_empty());
    assert!(view.client_keys_of(id, page()).await.unwrap().rows.is_empty());
    let elsewhere = sample::new_client_key(&world.machine, stranger.organization(), id);
    let elsewhere = Ways::new(vec![], vec![]).add(elsewhere, now).unwrap().added;
    let changes = [sample::client_key(&world.machine, &agent), key.remove(now).unwrap(), elsewhere];
    for change in changes {
        let tx = world.begin(&stranger).await;
        let refused = record(tx, change).await.err();
        assert!(matches!(refused, Some(StoreError::Conflict)), "{refused:?}");
    }
    assert_eq!(world.events().await, before);
}

/// What the use case does: whatever it reads holds until it commits.
async fn add_one<H: Harness>(
    world: &World<H>,
    scope: &Scope,
    agent: AgentId,
) -> Result<usize, StoreError> {
    let mut tx = world.harness.store().begin(scope.clone()).await?;
    let now = world.machine.now();
    let ways = Ways::new(tx.live_secrets_of(agent, now).await?, tx.live_keys_of(agent).await?);
    let new = sample::new_client_key(&world.machine, scope.organization(), agent);
    let Ok(addition) = ways.add(new, now) else { return Err(StoreError::Conflict) };
    let ended = addition.ended.len();
    for change in addition.ended {
        (tx, _) = record(tx, change).await?;
    }
    let (tx, _) = record(tx, addition.added).await?;
    tx.commit().await?;
    Ok(ended)
}

async fn make_secret<H: Harness>(
    world: &World<H>,
    scope: &Scope,
    agent: AgentId,
) -> Result<Credential, StoreError> {
    let mut tx = world.harness.store().begin(scope.clone()).await?;
    let now = world.machine.now();
    let ways = Ways::new(Vec::new(), tx.live_keys_of(agent).await?);
    ways.admit_secret().map_err(|_| StoreError::Conflict)?;
    let live = tx.live_credentials(agent, now).await?;
    let new = sample::new_credential(&world.machine, scope.organization(), agent);
    let change = Credential::generate(new, live, now).map_err(|_| StoreError::Conflict)?;
    let (tx, made) = record(tx, change).await?;
    tx.commit().await?;
    Ok(made)
}

pub async fn cr_03_of_many_keys_at_once_ten_are_registered<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await.id();
    for _ in 0..8 {
        add_one(&world, &scope, agent).await.unwrap();
    }
    let done = join_all((0..12).map(|_| add_one(&world, &scope, agent))).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 2);
    let live = world.view(&scope).await.live_keys_of(agent).await.unwrap().len();
    assert_eq!(u64::try_from(live), Ok(LiveCount::MAX));
}

pub async fn ca_03_a_secret_and_a_key_that_race_never_stand_side_by_side<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for round in 0..10 {
        let agent = world.agent(&scope, &format!("agent-{round}")).await.id();
        let before = world.events().await.len();
        let key = add_one(&world, &scope, agent);
        let secret = make_secret(&world, &scope, agent);
        let (key, secret) = if round % 2 == 0 {
            join(key, secret).await
        } else {
            let (secret, key) = join(secret, key).await;
            (key, secret)
        };
        // The key is registered in either order. A secret that came first ended with it.
        let ended = key.unwrap();
        assert_eq!(ended, usize::from(secret.is_ok()), "{secret:?}");
        let mut view = world.view(&scope).await;
        assert_eq!(view.live_keys_of(agent).await.unwrap().len(), 1);
        let now = world.machine.now();
        assert!(view.live_secrets_of(agent, now).await.unwrap().is_empty());
        let events = world.events().await.len() - before;
        assert_eq!(events, 1 + 2 * ended);
    }
}

/// As a server of the release before would write it, which knows no keys, while a key is there.
pub async fn ca_03_no_secret_is_made_or_rotated_beside_a_key_whoever_asks<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (machine, agent) = (&world.machine, world.agent(&scope, "one").await);
    let old = world.change(&scope, sample::passing_credential(machine, &agent)).await;
    let key = added(&world, &scope, &agent).await;
    let before = world.events().await;
    let made = world.try_change(&scope, sample::credential(machine, &agent, None)).await;
    assert!(matches!(made, Err(StoreError::Refused(_))), "{made:?}");
    let successor = sample::credential(machine, &agent, None).after().record().clone();
    let successor = (successor.id, successor.hash);
    let overlap = Overlap::default();
    let rotation = old.rotate(successor, overlap, LiveCount(1), machine.now()).unwrap();
    let rotated = world.try_change(&scope, rotation.clone()).await;
    assert!(matches!(rotated, Err(StoreError::Refused(_))), "{rotated:?}");
    assert_eq!(world.events().await, before);
    removed(&world, &scope, key).await;
    world.change(&scope, rotation).await;
    world.credential(&scope, &agent).await;
}

pub async fn ca_03_no_key_is_made_beside_a_secret_that_never_ends_whoever_asks<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (machine, agent) = (&world.machine, world.agent(&scope, "one").await);
    let secret = world.credential(&scope, &agent).await;
    let before = world.events().await;
    let made = world.try_change(&scope, sample::client_key(machine, &agent)).await;
    assert!(matches!(made, Err(StoreError::Refused(_))), "{made:?}");
    assert_eq!(world.events().await, before);
    world.change(&scope, secret.revoke(machine.now()).unwrap()).await;
    added(&world, &scope, &agent).await;
}

pub async fn the_first_key_and_the_ends_of_the_secrets_are_written_together_or_not_at_all<
    H: Harness,
>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let secret = world.credential(&scope, &agent).await;
    let before = world.events().await;
    let now = world.machine.now();
    let new = sample::new_client_key(&world.machine, scope.organization(), agent.id());
    let addition = Ways::new(vec![secret.clone()], vec![]).add(new, now).unwrap();
    let mut tx = world.begin(&scope).await;
    for change in addition.ended {
        (tx, _) = record(tx, change).await.unwrap();
    }
    let (tx, key) = record(tx, addition.added).await.unwrap();
    drop(tx);
    let mut view = world.view(&scope).await;
    assert_eq!(view.credential(secret.id()).await.unwrap(), Some(secret));
    assert_eq!(view.client_key(key.id()).await.unwrap(), None);
    assert_eq!(world.events().await, before);
}

pub async fn the_last_use_of_a_key_is_kept_for_it_and_its_agent<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let secret = world.change(&scope, sample::passing_credential(&world.machine, &agent)).await;
    let key = added(&world, &scope, &agent).await;
    let acting = sample::scope(scope.organization(), agent.id());
    for used in [secret.id(), key.id()] {
        world.machine.wait(Duration::from_secs(5));
        world.note(&acting, &Event::success(Action::TokenIssued).using(used)).await;
    }
    let last = world.events().await.last().unwrap().timestamp;
    let mut view = world.view(&scope).await;
    let uses = view.last_uses(&[key.id()]).await.unwrap();
    assert_eq!(uses.into_iter().collect::<Vec<_>>(), [(key.id(), last)]);
    let times = view.last_authentications(&[agent.id()]).await.unwrap();
    assert_eq!(times.into_iter().collect::<Vec<_>>(), [(agent.id(), last)]);
}
