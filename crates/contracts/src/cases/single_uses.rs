//! What is good once.

use std::time::Duration;

use jose::{SingleUse, SingleUses};
use tenancy::Scope;

use crate::{Harness, World};

fn used<H: Harness>(world: &World<H>, id: &str) -> SingleUse {
    SingleUse::new("assertion", "agent", id, world.machine.now().plus(Duration::from_secs(60)))
}

async fn try_once<H: Harness>(world: &World<H>, scope: &Scope, single_use: &SingleUse) -> bool {
    let (organization, now) = (scope.organization(), world.machine.now());
    world.harness.store().use_once(organization, single_use, now).await.unwrap()
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

pub async fn ca_10_one_id_in_two_organizations_is_two<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let single_use = used(&world, "1");
    assert!(try_once(&world, &scope, &single_use).await);
    assert!(try_once(&world, &other, &single_use).await);
    assert!(!try_once(&world, &other, &single_use).await);
}

/// A use that is given up midway was had or not, and either way the store goes on: it is first once.
pub async fn a_use_that_is_given_up_keeps_nobody_waiting<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for round in 0..20 {
        let single_use = used(&world, &round.to_string());
        let given_up = Box::pin(try_once(&world, &scope, &single_use));
        let at_once = futures_util::future::ready(());
        drop(futures_util::future::select(given_up, at_once).await);
        let again = [(); 2].map(|()| try_once(&world, &scope, &single_use));
        let first = futures_util::future::join_all(again).await;
        assert!(first.into_iter().filter(|is_first| *is_first).count() <= 1, "round {round}");
        assert!(try_once(&world, &scope, &used(&world, &format!("other {round}"))).await);
    }
}

/// Each of the last is an occasion to forget, and there is much to be forgotten.
pub async fn many_that_forget_at_once_do_not_get_in_the_way_of_each_other<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    for round in ["a", "b", "c"] {
        let over: Vec<_> = (0..100).map(|id| used(&world, &format!("{round}{id}"))).collect();
        assert_eq!(first_of(&world, &scope, &over).await, over.len());
        world.machine.wait(Duration::from_secs(7_300));
        let ids = (0..).map(|id| used(&world, &format!("{round} later {id}")));
        let occasions = ids.filter(SingleUse::is_an_occasion_to_forget);
        let occasions: Vec<_> = occasions.take(16).collect();
        assert_eq!(first_of(&world, &scope, &occasions).await, occasions.len());
        assert_eq!(first_of(&world, &scope, &over).await, over.len(), "they were not forgotten");
    }
}

/// How many of these are first, used at the same time.
async fn first_of<H: Harness>(world: &World<H>, scope: &Scope, uses: &[SingleUse]) -> usize {
    let uses = uses.iter().map(|one| try_once(world, scope, one));
    let first = futures_util::future::join_all(uses).await;
    first.into_iter().filter(|is_first| *is_first).count()
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
