//! Organizations, and what is known before anybody has one.

use audit::{Directory, Organizations};
use kernel::StoreError;
use tenancy::{Kind, Plan};

use crate::{Harness, World, sample};

pub async fn every_state_of_an_organization_is_read_back_as_it_was_written<H: Harness>() {
    let world = World::<H>::fresh().await;
    for (slug, kind, plan) in [
        ("platform", Kind::Platform, Plan::Enterprise),
        ("tenant", Kind::Tenant, Plan::Free),
        ("other", Kind::Tenant, Plan::Pro),
    ] {
        let founded = sample::founded(&world.machine, slug, kind, plan);
        let id = founded.after().id();
        let scope = sample::scope(id, world.machine.agent_id());
        let active = world.change(&scope, founded).await;
        assert_eq!(world.view_of(id).await.organization().await.unwrap(), Some(active.clone()));
        let change = active.suspend(world.machine.now()).unwrap();
        let suspended = world.change(&scope, change).await;
        assert_eq!(world.view_of(id).await.organization().await.unwrap(), Some(suspended.clone()));
        let change = suspended.reactivate(world.machine.now()).unwrap();
        let active = world.change(&scope, change).await;
        assert_eq!(world.view_of(id).await.organization().await.unwrap(), Some(active));
    }
}

pub async fn there_is_one_platform<H: Harness>() {
    let world = World::<H>::fresh().await;
    assert_eq!(world.harness.store().platform().await.unwrap(), None);
    world.organization("tenant").await;
    assert_eq!(world.harness.store().platform().await.unwrap(), None);
    let found = || sample::founded(&world.machine, "first", Kind::Platform, Plan::Free);
    let (first, second) = (found(), found());
    let id = first.after().id();
    world.change(&sample::scope(id, world.machine.agent_id()), first).await;
    assert_eq!(world.harness.store().platform().await.unwrap(), Some(id));
    let scope = sample::scope(second.after().id(), world.machine.agent_id());
    assert!(matches!(world.try_change(&scope, second).await, Err(StoreError::Conflict)));
}

pub async fn tn_03_two_organizations_may_have_one_slug<H: Harness>() {
    let world = World::<H>::fresh().await;
    let one = world.organization("same").await;
    let two = world.organization("same").await;
    assert_ne!(one.organization(), two.organization());
}

pub async fn the_organization_of_a_client_is_known<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let one = world.agent(&scope, "one").await;
    let two = world.agent(&other, "two").await;
    let store = world.harness.store();
    assert_eq!(store.organization_of(one.id()).await.unwrap(), Some(scope.organization()));
    assert_eq!(store.organization_of(two.id()).await.unwrap(), Some(other.organization()));
    assert_eq!(store.organization_of(world.machine.agent_id()).await.unwrap(), None);
}
