//! What the contract cannot ask of every store of logs: the lease of one process, what is torn out of
//! the file, and what is left in it of what was erased.

use std::time::Duration;

use audit::{
    Action, Event, LogReader, Logs, Retention, SequencerId, Tile, Tiles, Turn,
    sequence::{Fence, Wanted},
};
use contracts::sample::{self, Sequencer, next_extension};
use kernel::{OrganizationId, StoreError};
use sqlx::Executor;
use tenancy::{Actor, Kind, Origin, Plan, Scope};

use crate::database::{Database, Running};

async fn turn(running: &Running, scope: &Scope, sequencer: u128) -> sqlite_store::SqliteTurn {
    let turn = running.store.turn(scope.organization(), SequencerId(sequencer)).await;
    turn.unwrap().unwrap()
}

#[tokio::test]
async fn each_new_holder_of_a_log_has_a_greater_number() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let mut fences = Vec::new();
    for sequencer in [1, 1, 2, 2, 1] {
        let turn = turn(&running, &scope, sequencer).await;
        fences.push(turn.fence());
        turn.commit().await.unwrap();
    }
    assert_eq!(fences, [1, 1, 2, 2, 3].map(Fence));
    // A turn that is dropped leaves the lease where it was.
    drop(turn(&running, &scope, 5).await);
    assert_eq!(turn(&running, &scope, 1).await.fence(), Fence(3));
}

#[tokio::test]
async fn an_event_that_was_torn_out_before_its_turn_is_missed() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    let torn = running.note(&scope, &Event::success(Action::TokenIssued)).await.unwrap();
    let mut stranger = database.stranger().await;
    stranger.execute("DROP TRIGGER audit_event_is_never_deleted").await.unwrap();
    let delete = sqlx::query("DELETE FROM audit_event WHERE id = ?").bind(torn.uuid());
    delete.execute(&mut stranger).await.unwrap();
    let missed = turn(&running, &scope, 1).await.unsequenced(10).await.unwrap_err();
    assert!(matches!(missed, StoreError::Corrupt { table: "audit_event", .. }), "{missed}");
}

#[tokio::test]
async fn an_event_that_was_moved_to_another_log_before_its_turn_gets_no_place_there() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    database.execute("DROP TRIGGER audit_pending_is_never_updated").await;
    database.execute("UPDATE audit_pending SET organization_id = zeroblob(16)").await;
    let other = sample::scope(
        OrganizationId::from_uuid(sqlx::types::Uuid::nil()),
        running.machine.agent_id(),
    );
    let told = turn(&running, &other, 1).await.unsequenced(10).await.unwrap_err();
    let expected = StoreError::Corrupt { table: "audit_event", column: "organization_id" };
    assert_eq!(told.to_string(), expected.to_string());
    assert_eq!(turn(&running, &scope, 1).await.unsequenced(10).await.unwrap(), []);
}

#[tokio::test]
async fn only_the_events_that_were_read_last_get_places_and_all_of_them() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    running.note(&scope, &Event::success(Action::TokenIssued)).await.unwrap();
    let mut first = turn(&running, &scope, 1).await;
    let whole = next_extension(&mut first, scope.organization(), 10).await.unwrap();
    drop(first);
    for (about, expected) in [(0, 0), (1, 0), (2, 2)] {
        let mut turn = turn(&running, &scope, 1).await;
        turn.unsequenced(about).await.unwrap();
        match turn.extend(&whole).await {
            Ok(()) => turn.commit().await.unwrap(),
            Err(error) => {
                assert!(matches!(error, StoreError::Conflict), "{error}");
                turn.commit().await.unwrap_err();
            }
        }
        let size = running.view(&scope).await.log_state().await.unwrap().size;
        assert_eq!(size, expected);
    }
}

/// Whoever hears of checkpoints may be away for days.
#[tokio::test]
async fn logs_of_which_something_is_to_leave_come_behind_those_without_a_checkpoint() {
    let database = Database::new();
    let running = database.open().await;
    let sequencer = Sequencer::default();
    let signed = running.organization().await;
    sequencer.run(&running.store, signed.organization()).await;
    let mut others = Vec::new();
    for name in ["second", "third"] {
        let change = sample::founded(&running.machine, name, Kind::Tenant, Plan::Pro);
        let scope = sample::scope(change.after().id(), running.machine.agent_id());
        running.change(&scope, change).await.unwrap();
        others.push(scope.organization());
    }
    let [second, third] = others.try_into().unwrap();
    // What has a place was written before whatever has none.
    sequencer.extend(&running.store, third).await;
    let wanted = |most| Wanted { deliveries: true, exports: true, most };
    let waiting = running.store.waiting(wanted(9)).await.unwrap();
    assert_eq!(waiting, [third, second, signed.organization()]);
    assert_eq!(running.store.waiting(wanted(2)).await.unwrap(), [third, second]);
}

/// Not only no statement finds it any more.
#[tokio::test]
async fn what_was_erased_is_nowhere_in_the_file() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    for _ in 0..50 {
        running.note(&scope, &sample::whole_event(Action::AccessDenied)).await.unwrap();
    }
    Sequencer::default().run(&running.store, scope.organization()).await;
    let origin = scope.origin();
    let agent = origin.user_agent.as_ref().unwrap().as_str().to_owned();
    running.machine.wait(Duration::from_secs(100 * 86_400));
    let retention = Retention { content_days: 365, personal_data_days: 30 };
    let (mut view, now) = (running.view(&scope).await, running.machine.now());
    let cut = sample::cut(&mut view, scope.organization(), retention, now).await.unwrap();
    drop(view);
    let system = Scope::new(scope.organization(), Actor::System, Origin::internal());
    running.change(&system, cut).await.unwrap();
    running.close().await;
    assert!(holds(&database, &agent));
    let running = database.open().await;
    while running.store.erase(scope.organization(), 20).await.unwrap() > 0 {}
    running.close().await;
    assert!(!holds(&database, &agent), "`{agent}` is still there");
}

fn holds(database: &Database, text: &str) -> bool {
    let file = std::fs::read(database.path()).unwrap();
    file.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_tile_of_which_a_hash_was_torn_out_is_told() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    for _ in 0..3 {
        running.note(&scope, &Event::success(Action::TokenIssued)).await.unwrap();
    }
    Sequencer::default().run(&running.store, scope.organization()).await;
    let tile = Tile::of_tree(4, 0, 0).unwrap();
    assert_eq!(running.view(&scope).await.tile(tile).await.unwrap().len(), 4);
    database.execute("DROP TRIGGER audit_leaf_is_never_deleted").await;
    database.execute("DELETE FROM audit_leaf WHERE position = 2").await;
    let told = running.view(&scope).await.tile(tile).await.unwrap_err();
    assert!(matches!(told, StoreError::Corrupt { table: "audit_leaf", .. }), "{told}");
}

#[tokio::test]
async fn what_was_found_first_is_what_halts_a_log() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    for reason in ["first", "second"] {
        let mut turn = turn(&running, &scope, 1).await;
        turn.halt(reason).await.unwrap();
        turn.commit().await.unwrap();
    }
    let halted = running.view(&scope).await.log_state().await.unwrap().halted;
    assert_eq!(halted.as_deref(), Some("first"));
}
