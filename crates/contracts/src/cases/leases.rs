//! The lease of a log: of several sequencers one is in it.

use audit::{Action, Event, Journal, LogReader, Turn, record};

use crate::{
    FeedHarness, World,
    sample::{self, Sequencer},
};

pub async fn no_other_sequencer_gets_a_turn_while_one_is_in_it<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let (store, organization) = (world.harness.store(), scope.organization());
    let [one, two] = [Sequencer::new(1), Sequencer::new(2)];
    let turn = one.turn(store, organization).await;
    assert!(two.try_turn(store, organization).await.is_none());
    assert!(one.try_turn(store, organization).await.is_none(), "not even the same one");
    // Another log is another matter.
    assert!(two.try_turn(store, other.organization()).await.is_some());
    turn.commit().await.unwrap();
}

pub async fn no_other_sequencer_gets_a_turn_while_one_holds_the_lease<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (store, organization) = (world.harness.store(), scope.organization());
    let [one, two] = [Sequencer::new(1), Sequencer::new(2)];
    let turn = one.turn(store, organization).await;
    turn.commit().await.unwrap();
    assert!(two.try_turn(store, organization).await.is_none());
    one.turn(store, organization).await.commit().await.unwrap();
}

/// Events are numbered when they are written and become visible when they are committed: who
/// remembered the greatest number would leave the lesser that commits later without a place.
pub async fn an_event_that_commits_after_a_later_one_gets_its_place<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (store, organization) = (world.harness.store(), scope.organization());
    let change = sample::agent_named(&world.machine, organization, "slow");
    let (slow, _) = record(world.begin(&scope).await, change).await.unwrap();
    let fast = world.note(&scope, &Event::success(Action::TokenIssued)).await;
    assert_eq!(Sequencer::default().extend(store, organization).await, 2);
    slow.commit().await.unwrap();
    assert_eq!(Sequencer::default().extend(store, organization).await, 3);
    let mut view = world.view(&scope).await;
    assert_eq!(view.leaf_of(fast).await.unwrap().unwrap().place.position, 1);
    let last = view.leaves(2, 10).await.unwrap();
    let actions = last.iter().map(|leaf| leaf.event.as_ref().unwrap().action);
    assert!(actions.eq([Action::AgentCreated]));
}
