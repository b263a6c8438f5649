//! What is good once.

use std::time::Duration;

use audit::Journal;
use jose::{SingleUse, SingleUses};
use tenancy::Scope;

use crate::{Harness, World};

fn used<H: Harness>(world: &World<H>, id: &str) -> SingleUse {
    SingleUse::new("assertion", "agent", id, world.machine.now().plus(Duration::from_secs(60)))
}

async fn try_once<H: Harness>(world: &World<H>, scope: &Scope, single_use: &SingleUse) -> bool {
    let mut tx = world.begin(scope).await;
    let is_first = tx.use_once(single_use, world.machine.now()).await.unwrap();
    tx.commit().await.unwrap();
    is_first
}

pub async fn what_was_used_once_is_used_for_good<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (one, other) = (used(&world, "1"), used(&world, "2"));
    assert!(try_once(&world, &scope, &one).await);
    assert!(!try_once(&world, &scope, &one).await);
    assert!(try_once(&world, &scope, &other).await);
    assert!(!try_once(&world, &scope, &one).await);
}

pub async fn ca_08_of_many_uses_at_once_exactly_one_is_the_first<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for round in 0..20 {
        let single_use = used(&world, &round.to_string());
        let uses = (0..16).map(|_| try_once(&world, &scope, &single_use));
        let first = futures_util::future::join_all(uses).await;
        assert_eq!(first.into_iter().filter(|is_first| *is_first).count(), 1, "round {round}");
    }
}

pub async fn what_is_not_committed_was_not_used<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let single_use = used(&world, "1");
    let mut tx = world.begin(&scope).await;
    assert!(tx.use_once(&single_use, world.machine.now()).await.unwrap());
    drop(tx);
    assert!(try_once(&world, &scope, &single_use).await);
}

pub async fn ca_10_one_id_in_two_organizations_is_two<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let single_use = used(&world, "1");
    assert!(try_once(&world, &scope, &single_use).await);
    assert!(try_once(&world, &other, &single_use).await);
    assert!(!try_once(&world, &other, &single_use).await);
}

/// By an hour: a clock that is set back must not make it good again. That what is over is forgotten
/// shows in its being first again, which nothing that would be refused for its age comes to.
pub async fn ck_02_a_use_is_remembered_past_its_time_and_then_forgotten<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let single_use = used(&world, "1");
    assert!(try_once(&world, &scope, &single_use).await);
    world.machine.wait(Duration::from_secs(3_600));
    let others: Vec<_> = (0..200).map(|id| used(&world, &format!("a{id}"))).collect();
    for other in &others {
        assert!(try_once(&world, &scope, other).await);
    }
    assert!(!try_once(&world, &scope, &single_use).await);
    world.machine.wait(Duration::from_secs(7_300));
    for id in 0..200 {
        assert!(try_once(&world, &scope, &used(&world, &format!("b{id}"))).await);
    }
    assert!(try_once(&world, &scope, &single_use).await);
}
