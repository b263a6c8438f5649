//! Logs of several replicas: a lease that ends, a turn that is cut off, and a replica that knows of
//! none of it.

use std::{collections::BTreeSet, time::Duration};

use audit::{Action, Event, LogReader, Logs, SignedCheckpoint, Transactor, Turn, sequence::Wanted};
use contracts::sample::{self, Sequencer};
use kernel::{OrganizationId, StoreError};
use postgres_store::{Options, PostgresStore, PostgresTurn};
use sqlx::{AssertSqlSafe, Executor, Row};
use tenancy::{Kind, Scope};

use crate::{
    running::{Running, few, open, spawned},
    support::Database,
};

/// Two replicas on one database, and an organization that has events without a place.
struct Two {
    running: Running,
    other: PostgresStore,
    scope: Scope,
}

const ONE: u128 = 1;
const OTHER: u128 = 2;

const EXPIRE: &str = "UPDATE audit_log SET leased_until = clock_timestamp() - interval '1 second'";

/// The sessions that are in a turn.
const IN_A_TURN: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'
        AND state LIKE 'idle in transaction%'";

impl Two {
    async fn replicas() -> Self {
        Self::with(few()).await
    }

    async fn with(options: Options) -> Self {
        let running = Running::with(options).await;
        let scope = running.organization("first", Kind::Tenant).await;
        let (other, background) = open(&running.database, &running.machine, &few()).await;
        let _working = spawned(background.run());
        Self { running, other, scope }
    }

    fn one(&self) -> &PostgresStore {
        &self.running.store
    }

    fn log(&self) -> OrganizationId {
        self.scope.organization()
    }

    fn database(&self) -> &Database {
        &self.running.database
    }

    async fn note(&self) {
        let event = Event::failure(Action::AccessDenied);
        self.running.note(&self.scope, &event).await.unwrap();
    }

    /// Whether another replica gets a turn, as it asks again and again.
    async fn other_takes_over(&self) -> PostgresTurn {
        Sequencer::new(OTHER).turn(&self.other, self.log()).await
    }

    async fn other_tries(&self) -> Option<PostgresTurn> {
        Sequencer::new(OTHER).try_turn(&self.other, self.log()).await
    }

    async fn size(&self) -> u64 {
        self.one().view(self.log()).await.unwrap().log_state().await.unwrap().size
    }
}

/// A turn that has given what waits its places, and a checkpoint that it is about to publish.
async fn midway(turn: &mut PostgresTurn, sequencer: u128) -> SignedCheckpoint {
    let organization = turn.organization();
    let extension = sample::next_extension(turn, organization, 100).await.unwrap();
    turn.extend(&extension).await.unwrap();
    Sequencer::new(sequencer).checkpoint(turn, organization, extension.size).await
}

#[tokio::test]
async fn a_lease_that_is_over_is_anybodys_and_its_number_grows() {
    let two = Two::replicas().await;
    let turn = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    let first = turn.fence();
    turn.commit().await.unwrap();
    let renewed = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    assert_eq!(renewed.fence(), first, "a lease that is renewed keeps its number");
    renewed.commit().await.unwrap();
    assert!(two.other_tries().await.is_none());
    two.database().execute(EXPIRE).await;
    let turn = two.other_takes_over().await;
    assert!(turn.fence() > first);
    let second = turn.fence();
    turn.commit().await.unwrap();
    // The first is told so before it does anything, and gets a new number when its time comes again.
    assert!(Sequencer::new(ONE).try_turn(two.one(), two.log()).await.is_none());
    two.database().execute(EXPIRE).await;
    assert!(Sequencer::new(ONE).turn(two.one(), two.log()).await.fence() > second);
}

/// The clock of the database was set back since, or somebody wrote it there: a log is not to wait until
/// that clock is where it was.
#[tokio::test]
async fn a_lease_that_ends_later_than_any_that_is_given_is_anybodys() {
    let two = Two::replicas().await;
    let mut last = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    for end in ["clock_timestamp() + interval '1 hour'", "'infinity'", "NULL"] {
        let first = last.fence();
        last.commit().await.unwrap();
        two.database().execute(&format!("UPDATE audit_log SET leased_until = {end}")).await;
        let turn = two.other_tries().await.unwrap();
        assert!(turn.fence() > first, "{end}");
        turn.commit().await.unwrap();
        assert!(Sequencer::new(ONE).try_turn(two.one(), two.log()).await.is_none(), "{end}");
        two.database().execute(EXPIRE).await;
        last = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    }
}

/// Whoever looks and finds nothing to do keeps nobody else from it.
#[tokio::test]
async fn a_turn_that_is_dropped_leaves_no_lease() {
    let two = Two::replicas().await;
    drop(Sequencer::new(ONE).turn(two.one(), two.log()).await);
    two.other_takes_over().await.commit().await.unwrap();
}

/// The row of a log is made in the first turn: whoever comes meanwhile does not wait for it.
#[tokio::test]
async fn no_replica_waits_for_the_turn_of_another() {
    let two = Two::replicas().await;
    for _ in 0..2 {
        let mut turn = Sequencer::new(ONE).turn(two.one(), two.log()).await;
        assert!(two.other_tries().await.is_none());
        turn.halt("a test says so").await.unwrap();
        assert!(two.other_tries().await.is_none());
        turn.commit().await.unwrap();
        two.database().execute(EXPIRE).await;
    }
}

#[tokio::test]
async fn a_turn_whose_session_is_ended_cannot_publish_and_another_replica_has_the_log() {
    let two = Two::replicas().await;
    let mut turn = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    let checkpoint = midway(&mut turn, ONE).await;
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (SELECT pid FROM ({}) AS one)",
        IN_A_TURN.replace("count(*)", "pid")
    );
    two.database().execute(&end).await;
    let mut next = two.other_takes_over().await;
    let again = midway(&mut next, OTHER).await;
    next.publish(&again).await.unwrap();
    next.commit().await.unwrap();
    let published = turn.publish(&checkpoint).await;
    assert!(matches!(published, Err(StoreError::Unavailable(_))), "{published:?}");
    turn.commit().await.unwrap_err();
    assert_eq!(two.size().await, 1);
}

/// As a process that is stopped does: for two seconds of the server's time, however patient the store
/// is. The contract's patience ends the test after ten.
#[tokio::test]
async fn a_turn_in_which_nothing_comes_is_ended_by_the_server() {
    let two = Two::with(Options { patience: Duration::from_secs(60), ..few() }).await;
    let mut turn = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    let checkpoint = midway(&mut turn, ONE).await;
    assert_eq!(two.database().number(IN_A_TURN).await, 1);
    let next = two.other_takes_over().await;
    assert_eq!(two.database().number(IN_A_TURN).await, 1);
    turn.publish(&checkpoint).await.unwrap_err();
    turn.commit().await.unwrap_err();
    drop(next);
    assert_eq!(two.size().await, 0);
}

/// What the release before wrote, and still writes beside this one.
const OLD_APPEND: &str = "
    SELECT append_events(
        ARRAY[gen_random_uuid(), gen_random_uuid()], ARRAY['{one}', '{one}']::uuid[],
        ARRAY[NULL, NULL]::uuid[], ARRAY['access.denied', 'token.issued'],
        ARRAY['failure', 'success'], ARRAY[NULL, NULL]::text[], ARRAY[NULL, NULL]::text[],
        ARRAY['r', 'r'], ARRAY[NULL, NULL]::text[], ARRAY[NULL, NULL]::text[],
        ARRAY[NULL, NULL]::uuid[], ARRAY['{}', '{}']::json[], ARRAY[1, 2]::bigint[]
    )";

#[tokio::test]
async fn mu_01_events_of_a_replica_of_the_release_before_get_a_salt_and_a_place() {
    let two = Two::replicas().await;
    let first = Sequencer::new(ONE).run(two.one(), two.log()).await;
    assert_eq!(first.checkpoint.size, 1);
    let mut server = two.database().as_server().await;
    let append = OLD_APPEND.replace("{one}", &two.log().to_string());
    server.execute(AssertSqlSafe(append)).await.unwrap();
    assert_eq!(
        two.database().number("SELECT sum(cardinality(events)) FROM audit_pending").await,
        2
    );
    let salts = "SELECT salt FROM audit_event";
    let salts = two.database().connection().await.fetch_all(salts).await.unwrap();
    let salts: BTreeSet<Vec<u8>> = salts.iter().map(|row| row.get(0)).collect();
    assert_eq!(salts.len(), 3);
    assert!(salts.iter().all(|salt| salt.len() == 32));
    let next = Sequencer::new(ONE).run(two.one(), two.log()).await;
    assert_eq!(next.checkpoint.size, 3);
}

/// A backlog of one organization hides no other, and costs few looks.
#[tokio::test]
async fn a_backlog_of_one_organization_keeps_no_other_from_its_turn() {
    let two = Two::replicas().await;
    let backlog = format!(
        "INSERT INTO audit_pending (organization_id, events)
        SELECT '{}', ARRAY[gen_random_uuid()] FROM generate_series(1, 5000)",
        two.log()
    );
    two.database().execute(&backlog).await;
    let later = two.running.organization("later", Kind::Tenant).await;
    let wanted = Wanted { deliveries: false, exports: false, most: 10 };
    let waiting = two.one().waiting(wanted).await.unwrap();
    assert_eq!(waiting, [two.log(), later.organization()]);
}

/// An event that waits and is gone is told, and nothing is given its place.
#[tokio::test]
async fn an_event_that_is_gone_before_it_has_a_place_is_told() {
    let two = Two::replicas().await;
    two.note().await;
    let tamper = "
        ALTER TABLE audit_event DISABLE TRIGGER ALL;
        DELETE FROM audit_event WHERE action = 'access.denied'";
    two.database().execute(tamper).await;
    let mut turn = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    let told = turn.unsequenced(100).await;
    assert!(matches!(told, Err(StoreError::Corrupt { table: "audit_pending", .. })), "{told:?}");
}

/// Groups come whole, in the order in which they were written, and each event in its group's.
#[tokio::test]
async fn groups_come_whole_and_in_order() {
    let two = Two::replicas().await;
    for _ in 0..3 {
        let group: Vec<_> = (0..4).map(|_| two.note()).collect();
        futures_util::future::join_all(group).await;
    }
    let mut turn = Sequencer::new(ONE).turn(two.one(), two.log()).await;
    let first = turn.unsequenced(1).await.unwrap();
    assert_eq!(first.len(), 1, "the one that founded the organization is a group of its own");
    let some = turn.unsequenced(3).await.unwrap();
    assert!((3..=5).contains(&some.len()), "{}", some.len());
    let all = turn.unsequenced(100).await.unwrap();
    assert_eq!(all.len(), 13);
    assert_eq!(all.get(..some.len()), Some(some.as_slice()));
    let written = "SELECT id FROM audit_event ORDER BY position";
    let written = two.database().connection().await.fetch_all(written).await.unwrap();
    let written: Vec<sqlx::types::Uuid> = written.iter().map(|row| row.get(0)).collect();
    assert!(all.iter().map(|event| event.id.uuid()).eq(written));
}
