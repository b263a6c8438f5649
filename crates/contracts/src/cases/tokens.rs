//! Revoked tokens and signing keys.

use std::time::Duration;

use kernel::StoreError;
use tenancy::Scope;
use tokens::{Algorithm, KeptKeys, Revocations, SigningKeys, VerifiedToken};

use crate::{Harness, World, sample};

async fn token<H: Harness>(world: &World<H>, scope: &Scope) -> VerifiedToken {
    let (agent, credential) = (world.machine.agent_id(), world.machine.credential_id());
    sample::verified_token(&world.machine, scope.organization(), agent, credential).await
}

pub async fn a_revoked_token_is_found_and_no_other<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (revoked, other) = (token(&world, &scope).await, token(&world, &scope).await);
    world.change(&scope, sample::revoked(&revoked, world.machine.now())).await;
    let mut view = world.view(&scope).await;
    assert!(view.is_revoked(revoked.claims().id).await.unwrap());
    assert!(!view.is_revoked(other.claims().id).await.unwrap());
    let again = sample::revoked(&revoked, world.machine.now());
    assert!(matches!(world.try_change(&scope, again).await, Err(StoreError::Conflict)));
}

pub async fn a_revocation_is_remembered_for_as_long_as_its_token_could_live<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let first = token(&world, &scope).await;
    world.change(&scope, sample::revoked(&first, world.machine.now())).await;
    let left = first.claims().expires_at.since(world.machine.now());
    world.machine.wait(left.saturating_sub(Duration::from_secs(1)));
    // Each revocation is an occasion to forget old ones.
    let second = token(&world, &scope).await;
    world.change(&scope, sample::revoked(&second, world.machine.now())).await;
    let mut view = world.view(&scope).await;
    assert!(view.is_revoked(first.claims().id).await.unwrap());
    assert!(view.is_revoked(second.claims().id).await.unwrap());
}

pub async fn a_revocation_is_forgotten_once_its_token_is_over<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let first = token(&world, &scope).await;
    world.change(&scope, sample::revoked(&first, world.machine.now())).await;
    world.machine.wait(Duration::from_secs(86_400));
    let second = token(&world, &scope).await;
    world.change(&scope, sample::revoked(&second, world.machine.now())).await;
    let mut view = world.view(&scope).await;
    assert!(!view.is_revoked(first.claims().id).await.unwrap());
    assert!(view.is_revoked(second.claims().id).await.unwrap());
}

pub async fn every_state_of_a_signing_key_is_read_back_as_it_was_written<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for change in sample::every_key(&world.machine) {
        let key = world.change(&scope, change).await;
        assert_eq!(world.view(&scope).await.signing_keys().await.unwrap().whole, [key]);
    }
}

pub async fn signing_keys_are_read_in_the_order_in_which_they_were_made<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut expected = Vec::new();
    for algorithm in Algorithm::ALL {
        let key = sample::key_of(&world.machine, algorithm);
        expected.push(world.change(&scope, key).await);
    }
    let active = expected.remove(0).activate(Duration::ZERO, world.machine.now()).unwrap();
    expected.insert(0, world.change(&scope, active).await);
    assert_eq!(world.view(&scope).await.signing_keys().await.unwrap().whole, expected);
}

pub async fn a_signing_key_that_ends_before_its_time_is_read_back_too<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut expected = Vec::new();
    for [begins, ends] in sample::ended_keys(&world.machine) {
        world.change(&scope, begins).await;
        expected.push(world.change(&scope, ends).await);
    }
    let kept = world.view(&scope).await.signing_keys().await.unwrap();
    assert_eq!(kept, KeptKeys { whole: expected, damaged: Vec::new() });
}

/// It holds its place no longer, and nothing else of its row is written.
pub async fn a_signing_key_that_cannot_be_read_ends_from_every_state_and_gives_its_place_up<
    H: Harness,
>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut ended = 0;
    for life in 1..=3 {
        let mut changes = sample::every_key(&world.machine).into_iter().take(life);
        let mut key = world.change(&scope, changes.next().unwrap()).await;
        for change in changes {
            key = world.change(&scope, change).await;
        }
        let now = world.machine.now();
        world.change(&scope, sample::damaged_key_ended(&key, now)).await;
        ended += 1;
        let compromised = key.clone().compromise(now).unwrap().into_after();
        let kept = world.view(&scope).await.signing_keys().await.unwrap().whole;
        assert_eq!((kept.len(), kept.last()), (ended, Some(&compromised)));
    }
}

/// JR-06: of two that end it at once, one does.
pub async fn jr_06_a_signing_key_that_cannot_be_read_ends_once_and_by_the_state_that_it_has<
    H: Harness,
>() {
    let (world, scope) = World::<H>::with_organization().await;
    let key = world.change(&scope, sample::key(&world.machine)).await;
    let end = sample::damaged_key_ended(&key, world.machine.now());
    let active = key.activate(Duration::ZERO, world.machine.now()).unwrap();
    let active = world.change(&scope, active).await;
    let before = world.events().await;
    let refused = world.try_change(&scope, end).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "it is in another state");
    assert_eq!(world.events().await, before);
    let end = sample::damaged_key_ended(&active, world.machine.now());
    world.change(&scope, end.clone()).await;
    let before = world.events().await;
    assert!(matches!(world.try_change(&scope, end).await, Err(StoreError::Conflict)));
    assert_eq!(world.events().await, before);
}

/// Each algorithm has keys of its own.
pub async fn one_signing_key_of_each_algorithm_signs_and_one_is_next<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for algorithm in Algorithm::ALL {
        let first = world.change(&scope, sample::key_of(&world.machine, algorithm)).await;
        let active = first.activate(Duration::ZERO, world.machine.now()).unwrap();
        world.change(&scope, active).await;
        world.change(&scope, sample::key_of(&world.machine, algorithm)).await;
    }
    let before = world.events().await;
    for algorithm in Algorithm::ALL {
        let third = sample::key_of(&world.machine, algorithm);
        let refused = world.try_change(&scope, third).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "two are next for {algorithm:?}");
    }
    assert_eq!(world.events().await, before);
}

/// JR-06: whoever planned by what another has changed since changes nothing.
pub async fn jr_06_a_stale_rotation_is_a_conflict_and_leaves_no_trace<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let [published, active, retiring, _] = sample::every_key(&world.machine);
    world.change(&scope, published).await;
    let stale = world.change(&scope, active).await;
    world.change(&scope, retiring).await;
    let before = world.events().await;
    let now = world.machine.now();
    let retired_again = stale.clone().retire(Duration::from_secs(1), now).unwrap();
    let refused = world.try_change(&scope, retired_again).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    let refused = world.try_change(&scope, stale.compromise(now).unwrap()).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    assert_eq!(world.events().await, before);
}

/// Of two that sign, nobody could tell which a token should be of.
pub async fn a_second_active_signing_key_is_a_conflict_and_leaves_no_trace<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let [published, active, retiring, ..] = sample::every_key(&world.machine);
    world.change(&scope, published).await;
    let first = world.change(&scope, active).await;
    let second = world.change(&scope, sample::key(&world.machine)).await;
    let before = world.events().await;

    let both = second.clone().activate(Duration::ZERO, world.machine.now()).unwrap();
    let refused = world.try_change(&scope, both).await;
    assert!(matches!(refused, Err(StoreError::Conflict)));
    assert_eq!(world.events().await, before);
    let keys = world.view(&scope).await.signing_keys().await.unwrap().whole;
    assert_eq!(keys, [first, second.clone()]);

    // Once the first one has ceased to sign, the second may.
    world.change(&scope, retiring).await;
    let next = second.activate(Duration::ZERO, world.machine.now()).unwrap();
    world.change(&scope, next).await;
}

/// They belong to the installation: whoever reads them has no organization that would matter.
pub async fn signing_keys_are_the_same_in_every_organization<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let key = world.change(&scope, sample::key(&world.machine)).await;
    assert_eq!(world.view(&other).await.signing_keys().await.unwrap().whole, [key]);
}
