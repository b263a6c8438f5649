//! How far a log has come: what is signed, what has left, and what stops it.

use audit::{
    Action, Audited, Event, LogAcknowledged, LogReader, LogState, Logs, SignedCheckpoint, Turn,
    sequence::Wanted,
};
use kernel::StoreError;
use tenancy::Scope;

use crate::{
    Harness, World,
    sample::{self, Sequencer, next_extension},
};

async fn state<H: Harness>(world: &World<H>, scope: &Scope) -> LogState {
    world.view(scope).await.log_state().await.unwrap()
}

/// Notes something and gives it its place.
async fn grow<H: Harness>(world: &World<H>, scope: &Scope) {
    world.note(scope, &Event::success(Action::TokenIssued)).await;
    Sequencer::default().extend(world.harness.store(), scope.organization()).await;
}

async fn publish<H: Harness>(
    world: &World<H>,
    scope: &Scope,
    signed: &SignedCheckpoint,
) -> Result<(), StoreError> {
    let mut turn = Sequencer::default().turn(world.harness.store(), scope.organization()).await;
    turn.publish(signed).await?;
    turn.commit().await
}

/// A checkpoint of the log as it was at this size.
async fn checkpoint<H: Harness>(world: &World<H>, scope: &Scope, size: u64) -> SignedCheckpoint {
    let mut view = world.view(scope).await;
    Sequencer::default().checkpoint(&mut view, scope.organization(), size).await
}

async fn halt<H: Harness>(world: &World<H>, scope: &Scope, reason: &str) {
    let mut turn = Sequencer::default().turn(world.harness.store(), scope.organization()).await;
    turn.halt(reason).await.unwrap();
    turn.commit().await.unwrap();
}

pub async fn how_far_a_log_has_come_is_read_back_as_it_was_written<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let organization = scope.organization();
    assert_eq!(state(&world, &scope).await, LogState::default());
    for _ in 0..3 {
        grow(&world, &scope).await;
    }
    let signed = Sequencer::default().sign(world.harness.store(), organization).await;
    let mut turn = Sequencer::default().turn(world.harness.store(), organization).await;
    turn.delivered(3).await.unwrap();
    turn.exported(2).await.unwrap();
    turn.commit().await.unwrap();
    halt(&world, &scope, "é: what's \"wrong\" here").await;
    let leaves = world.view(&scope).await.leaves(0, 10).await.unwrap();
    let expected = LogState {
        origin: Some(sample::log_origin(organization)),
        size: 4,
        latest: leaves.last().unwrap().event.as_ref().map(|event| event.timestamp),
        signed: Some(signed),
        delivered: 3,
        exported: 2,
        trimmed: audit::Trimmed::default(),
        halted: Some("é: what's \"wrong\" here".to_owned()),
    };
    assert_eq!(state(&world, &scope).await, expected);
    let turn = Sequencer::default().turn(world.harness.store(), organization).await;
    assert_eq!(turn.state(), &expected);
}

pub async fn the_time_of_the_latest_event_never_goes_back<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    grow(&world, &scope).await;
    let latest = state(&world, &scope).await.latest;
    world.machine.wind_back(std::time::Duration::from_secs(3_600));
    grow(&world, &scope).await;
    let after = state(&world, &scope).await;
    assert_eq!((after.size, after.latest), (3, latest));
}

pub async fn the_newest_checkpoint_is_kept<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    grow(&world, &scope).await;
    grow(&world, &scope).await;
    for size in [1, 3] {
        let signed = checkpoint(&world, &scope, size).await;
        publish(&world, &scope, &signed).await.unwrap();
        assert_eq!(state(&world, &scope).await.signed, Some(signed));
    }
}

pub async fn the_signature_of_a_witness_is_added_and_nothing_is_taken_away<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    grow(&world, &scope).await;
    let signed = checkpoint(&world, &scope, 2).await;
    publish(&world, &scope, &signed).await.unwrap();
    let cosigned = signed.cosigned("\u{2014} witness.example.com AAAAAQI=\n").unwrap();
    publish(&world, &scope, &cosigned).await.unwrap();
    assert_eq!(state(&world, &scope).await.signed, Some(cosigned.clone()));
    publish(&world, &scope, &signed).await.unwrap_err();
    assert_eq!(state(&world, &scope).await.signed, Some(cosigned));
}

pub async fn au_11_a_smaller_checkpoint_or_another_of_the_same_size_is_refused<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    grow(&world, &scope).await;
    let [one, two] = [checkpoint(&world, &scope, 1).await, checkpoint(&world, &scope, 2).await];
    publish(&world, &scope, &two).await.unwrap();
    publish(&world, &scope, &one).await.unwrap_err();
    let mut fork = two.clone();
    fork.checkpoint.root = one.checkpoint.root;
    fork.note = one.note.replace("\n1\n", "\n2\n");
    publish(&world, &scope, &fork).await.unwrap_err();
    assert_eq!(state(&world, &scope).await.signed, Some(two));
}

pub async fn a_checkpoint_of_more_than_there_is_is_refused<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    grow(&world, &scope).await;
    let mut signed = checkpoint(&world, &scope, 2).await;
    signed.checkpoint.size = 3;
    publish(&world, &scope, &signed).await.unwrap_err();
    assert_eq!(state(&world, &scope).await.signed, None);
}

pub async fn a_log_that_is_halted_is_neither_extended_nor_signed<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (organization, store) = (scope.organization(), world.harness.store());
    grow(&world, &scope).await;
    halt(&world, &scope, "of a test").await;
    let signed = checkpoint(&world, &scope, 2).await;
    publish(&world, &scope, &signed).await.unwrap_err();
    // Who acts is not kept from it: the event waits.
    world.note(&scope, &Event::success(Action::TokenIssued)).await;
    let mut turn = Sequencer::default().turn(store, organization).await;
    let extension = next_extension(&mut turn, organization, 10).await.unwrap();
    let extended = async {
        turn.extend(&extension).await?;
        turn.commit().await
    };
    assert!(extended.await.is_err());
    let after = state(&world, &scope).await;
    assert_eq!((after.size, after.signed), (2, None));
    assert_eq!(after.halted.as_deref(), Some("of a test"));
    let wanted = Wanted { deliveries: true, exports: true, most: 10 };
    assert_eq!(store.waiting(wanted).await.unwrap(), []);
}

/// An operator acknowledges what began it, and not what came of it.
pub async fn what_halted_a_log_first_is_what_stays<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    halt(&world, &scope, "the first").await;
    halt(&world, &scope, "the second").await;
    assert_eq!(state(&world, &scope).await.halted.as_deref(), Some("the first"));
}

pub async fn logs_that_are_halted_are_named_with_the_reason_of_each<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let store = world.harness.store();
    grow(&world, &scope).await;
    assert_eq!(store.halted(10).await.unwrap(), []);
    let mut expected = Vec::new();
    for number in 0..3 {
        let scope = world.organization(&format!("halted-{number}")).await;
        let reason = format!("of test {number}");
        halt(&world, &scope, &reason).await;
        expected.push((scope.organization(), reason));
    }
    expected.sort_unstable();
    assert_eq!(store.halted(10).await.unwrap(), expected);
    assert_eq!(store.halted(2).await.unwrap().as_slice(), expected.get(..2).unwrap());
    // One that goes on is not named any more.
    halt(&world, &scope, "for a moment").await;
    assert_eq!(store.halted(10).await.unwrap().len(), 4);
    let halted = state(&world, &scope).await;
    let change = LogAcknowledged::new(scope.organization(), &halted, "it is over").unwrap();
    world.change(&scope, change).await;
    assert_eq!(store.halted(10).await.unwrap(), expected);
}

pub async fn an_acknowledged_log_goes_on_and_leaves_exactly_one_event<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let (organization, store) = (scope.organization(), world.harness.store());
    grow(&world, &scope).await;
    halt(&world, &scope, "of a test").await;
    let before = world.events().await.len();
    let halted = state(&world, &scope).await;
    let change = LogAcknowledged::new(organization, &halted, "the backup of the 20th").unwrap();
    let said = change.event();
    world.change(&scope, change).await;
    let events = world.events().await;
    assert_eq!(events.len(), before + 1);
    let event = events.last().unwrap();
    assert_eq!((event.action, &event.metadata), (Action::LogAcknowledged, said.metadata()));
    assert_eq!(event.resource.as_ref().unwrap().id, organization.to_string());
    assert_eq!(state(&world, &scope).await, LogState { halted: None, ..halted });
    let wanted = Wanted { deliveries: false, exports: false, most: 10 };
    assert_eq!(store.waiting(wanted).await.unwrap(), [organization]);
    assert_eq!(Sequencer::default().run(store, organization).await.checkpoint.size, 3);
}

pub async fn what_halts_a_log_is_acknowledged_once<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    halt(&world, &scope, "of a test").await;
    let halted = state(&world, &scope).await;
    let change = LogAcknowledged::new(scope.organization(), &halted, "once").unwrap();
    world.change(&scope, change.clone()).await;
    let before = world.events().await;
    let again = world.try_change(&scope, change).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    assert_eq!(world.events().await, before);
    // It may be halted again, and the old finding does not acknowledge the new one.
    halt(&world, &scope, "of something else").await;
    let stale = LogAcknowledged::new(scope.organization(), &halted, "twice").unwrap();
    let stale = world.try_change(&scope, stale).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    assert_eq!(state(&world, &scope).await.halted.as_deref(), Some("of something else"));
}
