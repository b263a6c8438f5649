//! Sequencing: how events get their places, and what is kept of them.

use std::time::Duration;

use audit::{
    Action, AuditLog, Event, EventRecord, Hash, Journal, LogReader, LogState, Logs, Tile, Tiles,
    Turn,
    merkle::{Frontier, StoredHash},
    record,
    sequence::{Leaf, LeafRecord, Rehash, Wanted},
};
use futures_util::future::join_all;
use kernel::{EventId, StoreError};
use tenancy::Scope;

use crate::{
    Harness, World,
    sample::{self, Sequencer, next_extension},
};

/// What waits for a place.
async fn unsequenced<H: Harness>(world: &World<H>, scope: &Scope) -> Vec<EventRecord> {
    let mut turn = Sequencer::default().turn(world.harness.store(), scope.organization()).await;
    turn.unsequenced(10_000).await.unwrap()
}

/// Every leaf that there is.
async fn leaves<H: Harness>(world: &World<H>, scope: &Scope) -> Vec<LeafRecord> {
    world.view(scope).await.leaves(0, 10_000).await.unwrap()
}

/// Every event of the organization, in the order of their ids.
async fn events<H: Harness>(world: &World<H>, scope: &Scope) -> Vec<EventRecord> {
    let mut events = world.events().await;
    events.retain(|event| event.organization == scope.organization());
    events
}

fn ids(events: &[EventRecord]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

pub async fn every_committed_event_waits_for_its_place_in_the_order_written<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    world.agent(&scope, "one").await;
    world.note(&scope, &sample::whole_event(Action::AccessDenied)).await;
    world.note(&other, &Event::success(Action::TokenIssued)).await;
    let two = sample::agent_named(&world.machine, scope.organization(), "two");
    let three = sample::agent_named(&world.machine, scope.organization(), "three");
    let (tx, _) = record(world.begin(&scope).await, two).await.unwrap();
    let (tx, _) = record(tx, three).await.unwrap();
    tx.commit().await.unwrap();
    let expected = events(&world, &scope).await;
    assert_eq!(expected.len(), 5);
    assert_eq!(unsequenced(&world, &scope).await, expected);
    let others = unsequenced(&world, &other).await;
    assert_eq!((others.len(), others), (2, events(&world, &other).await));
}

/// Ids are made of the time, and must not decide.
pub async fn au_15_events_wait_in_the_order_written_while_the_clock_is_behind<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut written = ids(&events(&world, &scope).await);
    written.push(world.note(&scope, &Event::success(Action::TokenIssued)).await);
    world.machine.wind_back(Duration::from_secs(3_600));
    written.push(world.note(&scope, &Event::success(Action::TokenIssued)).await);
    assert_eq!(ids(&unsequenced(&world, &scope).await), written);
    Sequencer::default().extend(world.harness.store(), scope.organization()).await;
    let leaves = leaves(&world, &scope).await;
    let placed = leaves.iter().map(|leaf| (leaf.leaf.event, leaf.leaf.place.out_of_order));
    assert!(placed.eq(written.into_iter().zip([false, false, true])));
}

pub async fn an_event_of_a_transaction_that_is_dropped_never_waits<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let before = unsequenced(&world, &scope).await;
    let change = sample::agent_named(&world.machine, scope.organization(), "one");
    let (tx, _) = record(world.begin(&scope).await, change).await.unwrap();
    drop(tx);
    assert_eq!(unsequenced(&world, &scope).await, before);
}

pub async fn a_turn_that_is_dropped_leaves_all_as_it_was<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (sequencer, organization) = (Sequencer::default(), scope.organization());
    let waited = unsequenced(&world, &scope).await;
    let mut turn = sequencer.turn(world.harness.store(), organization).await;
    let extension = next_extension(&mut turn, organization, 10).await.unwrap();
    turn.extend(&extension).await.unwrap();
    drop(turn);
    let mut turn = sequencer.turn(world.harness.store(), organization).await;
    turn.halt("nothing of this is kept").await.unwrap();
    drop(turn);
    assert_eq!(unsequenced(&world, &scope).await, waited);
    let mut view = world.view(&scope).await;
    assert_eq!(view.log_state().await.unwrap(), LogState::default());
    assert_eq!(view.leaves(0, 10).await.unwrap(), []);
    let event = view.event(waited.first().unwrap().id).await.unwrap().unwrap();
    assert_eq!((event.place, view.leaf_of(event.event.id).await.unwrap()), (None, None));
}

pub async fn what_has_a_place_waits_no_longer<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let organization = scope.organization();
    let waited = unsequenced(&world, &scope).await;
    let mut turn = Sequencer::default().turn(world.harness.store(), organization).await;
    let extension = next_extension(&mut turn, organization, 10).await.unwrap();
    turn.extend(&extension).await.unwrap();
    turn.commit().await.unwrap();
    assert_eq!(unsequenced(&world, &scope).await, []);
    let later = world.note(&scope, &Event::success(Action::TokenIssued)).await;
    assert_eq!(ids(&unsequenced(&world, &scope).await), [later]);
    let mut view = world.view(&scope).await;
    let [leaf] = <[Leaf; 1]>::try_from(extension.leaves).unwrap();
    assert_eq!(waited.first().unwrap().id, leaf.event);
    assert_eq!(view.leaf_of(leaf.event).await.unwrap().as_ref(), Some(&leaf));
    assert_eq!(view.leaf_of(later).await.unwrap(), None);
    let state = LogState {
        origin: Some(sample::log_origin(organization)),
        size: 1,
        latest: extension.latest,
        ..LogState::default()
    };
    assert_eq!(view.log_state().await.unwrap(), state);
}

pub async fn an_event_gets_one_place_and_only_in_the_turn_that_read_it<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let organization = scope.organization();
    let mut turn = Sequencer::default().turn(world.harness.store(), organization).await;
    let extension = next_extension(&mut turn, organization, 10).await.unwrap();
    drop(turn);
    let extend = async || {
        let mut turn = Sequencer::default().turn(world.harness.store(), organization).await;
        turn.extend(&extension).await?;
        turn.commit().await
    };
    extend().await.unwrap_err();
    assert_eq!(leaves(&world, &scope).await, []);
    Sequencer::default().extend(world.harness.store(), organization).await;
    let placed = leaves(&world, &scope).await;
    extend().await.unwrap_err();
    assert_eq!((leaves(&world, &scope).await, placed.len()), (placed, 1));
}

pub async fn places_are_given_bite_by_bite_without_a_gap_or_a_double<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let organization = scope.organization();
    for number in 0..11 {
        world.note(&scope, &Event::success(Action::TokenIssued).with("number", number)).await;
    }
    let mut bites = 0;
    loop {
        let mut turn = Sequencer::default().turn(world.harness.store(), organization).await;
        let Some(extension) = next_extension(&mut turn, organization, 3).await else { break };
        assert!(extension.leaves.len() <= 4, "{} at once", extension.leaves.len());
        turn.extend(&extension).await.unwrap();
        turn.commit().await.unwrap();
        bites += 1;
    }
    assert!(bites >= 3, "{bites}");
    let leaves = leaves(&world, &scope).await;
    assert!(leaves.iter().map(|leaf| leaf.leaf.place.position).eq(0..12));
    let placed: Vec<_> = leaves.into_iter().map(|leaf| leaf.event.unwrap()).collect();
    assert_eq!(placed, events(&world, &scope).await);
}

pub async fn leaves_are_read_back_as_they_were_written<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let organization = scope.organization();
    let agent = world.agent(&scope, "one").await;
    let credential = world.credential(&scope, &agent).await;
    world.note(&scope, &sample::whole_event(Action::AccessDenied)).await;
    world.note(&scope, &Event::success(Action::TokenIssued).using(credential.id())).await;
    let internal = Scope::new(organization, tenancy::Actor::System, tenancy::Origin::internal());
    world.note(&internal, &Event::success(Action::AuthFailed)).await;
    let mut turn = Sequencer::default().turn(world.harness.store(), organization).await;
    let extension = next_extension(&mut turn, organization, 100).await.unwrap();
    turn.extend(&extension).await.unwrap();
    turn.commit().await.unwrap();
    let events = events(&world, &scope).await.into_iter().map(Some);
    let written = extension.leaves.into_iter().zip(events);
    let written: Vec<_> = written.map(|(leaf, event)| LeafRecord { leaf, event }).collect();
    assert_eq!(written.len(), 6);
    let mut view = world.view(&scope).await;
    assert_eq!(view.leaves(0, 100).await.unwrap(), written);
    assert_eq!(view.leaves(2, 3).await.unwrap(), written.get(2..5).unwrap());
    assert_eq!(view.leaves(6, 3).await.unwrap(), []);
    // What was read back is what was hashed.
    let mut rehash = Rehash::behind(Frontier::empty(), None).unwrap();
    written.iter().for_each(|leaf| rehash.push(leaf).unwrap());
}

pub async fn an_event_tells_its_place_as_soon_as_it_has_one<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    world.note(&scope, &Event::success(Action::TokenIssued)).await;
    Sequencer::default().extend(world.harness.store(), scope.organization()).await;
    let late = world.note(&scope, &Event::success(Action::TokenIssued)).await;
    let mut view = world.view(&scope).await;
    for leaf in view.leaves(0, 10).await.unwrap() {
        let event = view.event(leaf.leaf.event).await.unwrap().unwrap();
        assert_eq!((event.place, Some(event.event)), (Some(leaf.leaf.place), leaf.event));
    }
    assert_eq!(view.event(late).await.unwrap().unwrap().place, None);
    let page = view.events(&audit::EventFilter::default(), sample::numbered(1, 10)).await.unwrap();
    let positions = page.rows.iter().map(|row| row.place.map(|place| place.position));
    assert!(positions.eq([None, Some(1), Some(0)]));
}

pub async fn tiles_hold_the_hashes_that_were_stored<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let event = Event::success(Action::TokenIntrospected);
    join_all((0..599).map(|_| world.note(&scope, &event))).await;
    let size = Sequencer::default().extend(world.harness.store(), scope.organization()).await;
    assert_eq!(size, 600);
    let (mut frontier, mut rows) = (Frontier::empty(), [Vec::new(), Vec::new()]);
    for leaf in leaves(&world, &scope).await {
        frontier.push(leaf.leaf.hash, |stored| {
            rows.get_mut(usize::from(stored.level)).unwrap().push(stored.hash);
        });
    }
    let mut view = world.view(&scope).await;
    for (level, row) in (0..).zip(&rows) {
        for (index, hashes) in (0..).zip(row.chunks(256)) {
            let tile = Tile::of_tree(600, level, index).unwrap();
            assert_eq!(view.tile(tile).await.unwrap(), hashes);
        }
    }
    // A tile of the tree as it was is the beginning of that of today.
    let narrow = Tile::of_tree(256 + 17, 0, 1).unwrap();
    assert_eq!(view.tile(narrow).await.unwrap(), rows.first().unwrap().get(256..273).unwrap());
    assert_eq!(Frontier::load(&mut view, 600).await.unwrap().root(), frontier.root());
    let missing = view.tile(Tile::of_tree(601, 0, 2).unwrap()).await;
    assert!(matches!(missing, Err(StoreError::Corrupt { .. })), "{missing:?}");
}

pub async fn stored_hashes_of_every_level_are_read_back<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let organization = scope.organization();
    let mut turn = Sequencer::default().turn(world.harness.store(), organization).await;
    let mut extension = next_extension(&mut turn, organization, 100).await.unwrap();
    let of = |level: u8, index: u64| StoredHash { level, index, hash: Hash::of(&[level]) };
    extension.above.extend((1..=7).flat_map(|level| [of(level, 0), of(level, 1)]));
    turn.extend(&extension).await.unwrap();
    turn.commit().await.unwrap();
    let mut view = world.view(&scope).await;
    for level in 1..=7 {
        let tile = Tile::of_tree(2_u64 << (8 * u32::from(level)), level, 0).unwrap();
        assert_eq!(view.tile(tile).await.unwrap(), [Hash::of(&[level]); 2]);
    }
}

pub async fn nothing_of_the_log_of_another_organization_is_visible<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let signed = Sequencer::default().run(world.harness.store(), scope.organization()).await;
    let leaf = leaves(&world, &scope).await.into_iter().next().unwrap().leaf;
    let mut view = world.view(&other).await;
    assert_eq!(view.log_state().await.unwrap(), LogState::default());
    assert_eq!(view.leaf_of(leaf.event).await.unwrap(), None);
    assert_eq!(view.leaves(0, 10).await.unwrap(), []);
    assert!(view.tile(Tile::of_tree(1, 0, 0).unwrap()).await.is_err());
    // Each log begins at 0, and has a root of its own.
    let others = Sequencer::default().run(world.harness.store(), other.organization()).await;
    assert_eq!((signed.checkpoint.size, others.checkpoint.size), (1, 1));
    assert_ne!(signed.checkpoint.root, others.checkpoint.root);
    let state = world.view(&scope).await.log_state().await.unwrap();
    assert_eq!(state.signed, Some(signed));
}

pub async fn logs_are_named_page_by_page<H: Harness>() {
    let world = World::<H>::fresh().await;
    let mut all = Vec::new();
    for number in 0..5 {
        all.push(world.organization(&format!("tenant-{number}")).await.organization());
    }
    for organization in &all {
        Sequencer::default().run(world.harness.store(), *organization).await;
    }
    all.sort_unstable();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = world.harness.store().some(after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(*last);
        seen.extend(page);
    }
    assert_eq!(seen, all);
}

pub async fn a_log_waits_for_as_long_as_something_is_to_be_done_in_it<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("idle").await;
    let (sequencer, store) = (Sequencer::default(), world.harness.store());
    let organization = scope.organization();
    settle(&sequencer, &world, &other).await;
    let waits = async |deliveries, exports| {
        let named = store.waiting(Wanted { deliveries, exports, most: 10 }).await.unwrap();
        assert!(!named.contains(&other.organization()), "the other log has nothing to do");
        named == [organization]
    };
    let all = async || {
        let (none, deliveries) = (waits(false, false).await, waits(true, false).await);
        (none, deliveries, waits(false, true).await, waits(true, true).await)
    };
    assert_eq!(all().await, (true, true, true, true), "an event has no place");
    sequencer.extend(store, organization).await;
    assert_eq!(all().await, (true, true, true, true), "a leaf is not signed");
    sequencer.sign(store, organization).await;
    assert_eq!(all().await, (false, true, true, true), "nothing has left");
    let mut turn = sequencer.turn(store, organization).await;
    turn.delivered(1).await.unwrap();
    turn.commit().await.unwrap();
    assert_eq!(all().await, (false, false, true, true), "the checkpoint has left");
    let mut turn = sequencer.turn(store, organization).await;
    turn.exported(1).await.unwrap();
    turn.commit().await.unwrap();
    assert_eq!(all().await, (false, false, false, false), "everything has left");
    world.note(&scope, &Event::success(Action::TokenIssued)).await;
    assert_eq!(all().await, (true, true, true, true), "an event is new");
}

/// Does everything that there is to do in a log.
async fn settle<H: Harness>(sequencer: &Sequencer, world: &World<H>, scope: &Scope) {
    let store = world.harness.store();
    let size = sequencer.run(store, scope.organization()).await.checkpoint.size;
    let mut turn = sequencer.turn(store, scope.organization()).await;
    turn.delivered(size).await.unwrap();
    turn.exported(size).await.unwrap();
    turn.commit().await.unwrap();
}

pub async fn no_more_logs_are_named_than_asked_for<H: Harness>() {
    let world = World::<H>::fresh().await;
    let mut all = Vec::new();
    for number in 0..4 {
        all.push(world.organization(&format!("tenant-{number}")).await.organization());
    }
    // Two have no place for an event yet, one is not signed, one has a checkpoint that must leave.
    let (store, sequencer) = (world.harness.store(), Sequencer::default());
    sequencer.extend(store, *all.get(2).unwrap()).await;
    sequencer.run(store, *all.get(3).unwrap()).await;
    for most in 1..=4 {
        let wanted = Wanted { deliveries: true, exports: true, most };
        let mut named = store.waiting(wanted).await.unwrap();
        assert_eq!(named.len(), usize::try_from(most).unwrap());
        named.sort_unstable();
        named.dedup();
        assert_eq!(named.len(), usize::try_from(most).unwrap(), "one is named twice");
        assert!(named.iter().all(|one| all.contains(one)));
    }
}
