//! Credentials: their states, their rotation, their limits and their use.

use std::time::Duration;

use audit::{Action, Event};
use credentials::{Credential, Credentials, LiveCount};
use kernel::{StoreError, Total};

use crate::{Harness, World, sample};

pub async fn every_field_and_state_of_a_credential_is_read_back_as_it_was_written<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let plain = world.credential(&scope, &agent).await;
    let (made, rotated, revoked) = sample::every_credential(&world.machine, &agent);
    let read = async |credential: &Credential| {
        let read = world.view(&scope).await.credential(credential.id()).await.unwrap();
        assert_eq!(read.as_ref(), Some(credential));
    };
    read(&plain).await;
    let made = world.change(&scope, made).await;
    read(&made).await;
    let old = rotated.old().clone();
    let successor = world.change(&scope, rotated).await;
    read(&old).await;
    read(&successor).await;
    let revoked = world.change(&scope, revoked).await;
    read(&revoked).await;
    let plain = world.change(&scope, plain.revoke(world.machine.now()).unwrap()).await;
    read(&plain).await;
}

pub async fn a_rotation_writes_both_credentials_or_none<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let (made, rotated, _) = sample::every_credential(&world.machine, &agent);
    let made = world.change(&scope, made).await;
    let revoked = world.change(&scope, made.revoke(world.machine.now()).unwrap()).await;
    let before = world.events().await;
    let successor = rotated.successor().id();
    let stale = world.try_change(&scope, rotated).await;
    assert!(matches!(stale, Err(StoreError::Conflict)));
    let mut view = world.view(&scope).await;
    assert_eq!(view.credential(successor).await.unwrap(), None);
    assert_eq!(view.credential(revoked.id()).await.unwrap(), Some(revoked));
    assert_eq!(world.events().await, before);
}

pub async fn a_rotation_leaves_one_event_for_two_rows<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let (made, rotated, _) = sample::every_credential(&world.machine, &agent);
    world.change(&scope, made).await;
    let before = world.events().await.len();
    world.change(&scope, rotated).await;
    let events = world.events().await;
    assert_eq!(events.len(), before + 1);
    assert_eq!(events.last().unwrap().action, Action::CredentialRotated);
}

pub async fn credentials_of_an_agent_are_listed_newest_first<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let other = world.agent(&scope, "other").await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        world.credential(&scope, &other).await;
        expected.insert(0, world.credential(&scope, &agent).await);
    }
    let mut view = world.view(&scope).await;
    let (mut rows, mut next) = (Vec::new(), None);
    for number in 1..=3 {
        let numbered = view.credentials(agent.id(), sample::numbered(number, 2)).await.unwrap();
        let page = next.map_or(sample::numbered(1, 2), |id| sample::after(id, 2));
        let after = view.credentials(agent.id(), page).await.unwrap();
        assert_eq!(numbered, after);
        assert_eq!(after.total, Total::Exactly(5));
        next = after.next;
        rows.extend(after.rows);
    }
    assert_eq!((rows, next), (expected, None));
}

pub async fn only_credentials_that_work_are_counted<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let other = world.agent(&scope, "other").await;
    world.credential(&scope, &other).await;
    let count =
        async |now| world.view(&scope).await.live_credentials(agent.id(), now).await.unwrap();
    assert_eq!(count(world.machine.now()).await, LiveCount(0));
    world.credential(&scope, &agent).await;
    let dead = world.credential(&scope, &agent).await;
    world.change(&scope, dead.revoke(world.machine.now()).unwrap()).await;
    let (made, rotated, _) = sample::every_credential(&world.machine, &agent);
    world.change(&scope, made).await;
    assert_eq!(count(world.machine.now()).await, LiveCount(2));
    let old = rotated.old().record().expires_at.unwrap();
    let new = rotated.successor().record().expires_at.unwrap();
    world.change(&scope, rotated).await;
    // A superseded credential works until its end, and not at that instant any more.
    assert_eq!(count(old.minus(Duration::from_micros(1))).await, LiveCount(3));
    assert_eq!(count(old).await, LiveCount(2));
    assert_eq!(count(new.minus(Duration::from_micros(1))).await, LiveCount(2));
    assert_eq!(count(new).await, LiveCount(1));
}

pub async fn the_last_use_of_a_credential_is_kept_and_never_goes_back<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let used = world.credential(&scope, &agent).await;
    let unused = world.credential(&scope, &agent).await;
    let acting = sample::scope(scope.organization(), agent.id());
    let issued = Event::success(Action::TokenIssued).using(used.id());
    let mut times = Vec::new();
    // The second use is written after the first, by a machine whose clock was set back.
    for seconds in [100, 0] {
        world.machine.wait(Duration::from_secs(seconds));
        let id = world.note(&acting, &issued).await;
        let events = world.events().await;
        times.push(events.iter().find(|event| event.id == id).unwrap().timestamp);
        world.machine.wind_back(Duration::from_secs(50));
    }
    let ids = [used.id(), unused.id()];
    let last = world.view(&scope).await.last_uses(&ids).await.unwrap();
    let latest = times.iter().max().copied().unwrap();
    assert!(times.last() < Some(&latest));
    assert_eq!(last.into_iter().collect::<Vec<_>>(), [(used.id(), latest)]);
}

pub async fn a_failure_is_no_use<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = world.agent(&scope, "one").await;
    let credential = world.credential(&scope, &agent).await;
    let acting = sample::scope(scope.organization(), agent.id());
    let refused = Event::failure(Action::TokenRefused).using(credential.id());
    world.note(&acting, &refused).await;
    let mut view = world.view(&scope).await;
    assert!(view.last_uses(&[credential.id()]).await.unwrap().is_empty());
}
