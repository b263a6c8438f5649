//! Those who write at the same time, in a store that has several writers.

use std::time::Duration;

use audit::{Journal, record};
use jose::{SingleUse, SingleUses};

use crate::{Harness, World, sample};

/// Whoever authenticates is let in while somebody changes the organization, however long that takes.
pub async fn a_use_waits_for_no_change_of_its_organization<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (store, organization) = (world.harness.store(), scope.organization());
    let change = sample::agent_named(&world.machine, organization, "slow");
    let (held, _) = record(world.begin(&scope).await, change).await.unwrap();
    let now = world.machine.now();
    for id in ["1", "2", "3"] {
        let single_use =
            SingleUse::new("assertion", "agent", id, now.plus(Duration::from_secs(60)));
        assert!(store.use_once(organization, &single_use, now).await.unwrap());
        assert!(!store.use_once(organization, &single_use, now).await.unwrap());
    }
    held.commit().await.unwrap();
    assert!(world.events().await.len() > 1, "the change was held, and then made");
}
