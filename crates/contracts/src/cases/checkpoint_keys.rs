//! The keys that sign checkpoints.

use audit::{Action, Audited, CheckpointKeys};
use kernel::StoreError;

use crate::{Harness, World, sample};

pub async fn checkpoint_keys_are_read_back_oldest_first_in_every_organization<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    assert_eq!(world.view(&scope).await.checkpoint_keys().await.unwrap(), []);
    let mut keys = Vec::new();
    for scope in [&other, &scope, &other] {
        keys.push(world.change(scope, sample::checkpoint_key(&world.machine)).await);
    }
    for scope in [&scope, &other] {
        assert_eq!(world.view(scope).await.checkpoint_keys().await.unwrap(), keys);
    }
}

pub async fn a_checkpoint_key_leaves_exactly_one_event<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let before = world.events().await.len();
    let change = sample::checkpoint_key(&world.machine);
    let event = change.event();
    let key = world.change(&scope, change).await;
    let events = world.events().await;
    assert_eq!(events.len(), before + 1);
    let last = events.last().unwrap();
    assert_eq!(
        (last.action, &last.resource),
        (Action::CheckpointKeyCreated, &event.resource().cloned())
    );
    assert_eq!(last.resource.as_ref().unwrap().id, key.id);
    assert!(last.metadata.is_empty());
}

pub async fn one_checkpoint_key_twice_is_a_conflict_and_leaves_no_trace<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let change = sample::checkpoint_key(&world.machine);
    let key = world.change(&scope, change.clone()).await;
    let before = world.events().await;
    let again = world.try_change(&scope, change).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    assert_eq!(world.events().await, before);
    assert_eq!(world.view(&scope).await.checkpoint_keys().await.unwrap(), [key]);
}
