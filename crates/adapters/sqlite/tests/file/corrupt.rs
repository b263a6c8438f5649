//! Rows of no possible form: told by table and column, and never guessed at.

use audit::{
    Action, AuditLog, CheckpointKeys, Event, LogReader, Logs, Organizations, SequencerId,
    Transactor, Turn, sequence::LeafRecord,
};
use contracts::sample::{self, Sequencer};
use credentials::{ClientKeys, Credentials};
use kernel::StoreError;
use registry::Agents;
use sqlx::{AssertSqlSafe, Executor};
use tokens::{Algorithm, KeptKeys, SigningKeys};

use crate::database::Database;

const ROWS: &[(&str, &str, &str)] = &[
    ("organization", "slug", "'No Slug'"),
    ("organization", "kind", "'guest'"),
    ("organization", "plan", "'gold'"),
    ("organization", "status", "'asleep'"),
    ("organization", "revision", "0"),
    ("agent", "email", "'nobody'"),
    ("agent", "version", "'one'"),
    ("agent", "agent_type", "'king'"),
    ("agent", "capabilities", "'[\"agents\"]'"),
    ("agent", "capabilities", "'[]'"),
    ("agent", "roles", "'[\"king\"]'"),
    ("agent", "roles", "'admin'"),
    ("agent", "metadata", "'[]'"),
    ("agent", "resources", "'[\"relative\"]'"),
    ("agent", "resources", "'urn:a'"),
    ("agent", "created_at", "-1"),
    ("agent", "status_since", "5"),
    ("credential", "hash", "x'00'"),
    ("credential", "pepper_version", "0"),
    ("credential", "state", "'asleep'"),
    ("credential", "name", "''"),
    ("client_key", "kid", "'../x'"),
    ("client_key", "kind", "'password'"),
    ("client_key", "algorithm", "'none'"),
    ("client_key", "public_key", "x'00'"),
    ("client_key", "public_key", "NULL"),
    ("client_key", "thumbprint", "'another'"),
    ("client_key", "state", "'asleep'"),
    ("client_key", "removed_at", "1"),
    ("signing_key", "public_key", "x'00'"),
    ("signing_key", "id", "'another'"),
    ("signing_key", "algorithm", "'none'"),
    ("signing_key", "state", "'asleep'"),
    ("audit_event", "action", "'agent.exploded'"),
    ("audit_event", "outcome", "'maybe'"),
    ("audit_event", "request_id", "'a b'"),
    ("audit_event", "address", "'localhost'"),
    ("audit_event", "metadata", "'[]'"),
    ("audit_event", "resource_kind", "NULL"),
    ("audit_event", "salt", "x'00'"),
    ("audit_event", "salt", "NULL"),
    ("audit_leaf", "hash", "x'00'"),
    ("audit_leaf", "commitment", "x'00'"),
    ("audit_log", "origin", "'x'"),
    ("audit_log", "size", "-1"),
    ("audit_log", "latest_at", "-1"),
    ("audit_log", "signed_note", "'x'"),
    ("audit_log", "signed_note", "NULL"),
    ("audit_log", "signed_size", "1"),
    ("audit_log", "delivered", "-1"),
    ("audit_log", "personal_data_before", "-1"),
    ("checkpoint_key", "id", "'another'"),
    ("checkpoint_key", "public_key", "x'00'"),
];

#[tokio::test]
async fn a_row_that_cannot_be_is_told_by_its_table_and_column() {
    for (table, column, value) in ROWS {
        let database = Database::new();
        let running = database.open().await;
        let scope = running.organization().await;
        let agent = running.agent(&scope, "one").await.unwrap();
        let credential = sample::passing_credential(&database.machine, &agent);
        let credential = running.change(&scope, credential).await.unwrap().id();
        let key = sample::client_key(&database.machine, &agent);
        let key = running.change(&scope, key).await.unwrap().id();
        running.change(&scope, sample::key(&database.machine)).await.unwrap();
        running.change(&scope, sample::checkpoint_key(&database.machine)).await.unwrap();
        Sequencer::default().run(&running.store, scope.organization()).await;
        spoil(&database, table, column, value).await;

        let mut view = running.store.view(scope.organization()).await.unwrap();
        let filter = audit::EventFilter::default();
        let errors = [
            view.organization().await.err(),
            view.agent(agent.id()).await.err(),
            view.credential(credential).await.err(),
            view.client_key(key).await.err(),
            damaged(view.signing_keys().await),
            view.events(&filter, sample::numbered(1, 9)).await.err(),
            view.leaves(0, 9).await.err(),
            view.log_state().await.err(),
            view.checkpoint_keys().await.err(),
        ];
        let told = errors.into_iter().flatten().map(|error| error.to_string());
        let mut told: Vec<_> = told.collect();
        told.dedup();
        let column = match *column {
            "resource_kind" => "resource_id",
            "signed_size" => "signed_note",
            "removed_at" => "state",
            column => column,
        };
        let expected = StoreError::Corrupt { table, column };
        assert_eq!(told, [expected.to_string()]);
    }
}

/// One row that cannot be keeps no other key from being read.
fn damaged(kept: Result<KeptKeys, StoreError>) -> Option<StoreError> {
    let column = match kept {
        Ok(kept) => kept.damaged.first()?.column,
        Err(error) => return Some(error),
    };
    Some(StoreError::Corrupt { table: "signing_key", column })
}

#[tokio::test]
async fn sm_01_a_signing_key_that_cannot_be_keeps_no_other_from_being_read() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    running.change(&scope, sample::key(&database.machine)).await.unwrap();
    spoil(&database, "signing_key", "public_key", "x'00'").await;
    let whole = sample::key_of(&database.machine, Algorithm::EdDsa);
    let whole = running.change(&scope, whole).await.unwrap();
    let kept = running.store.view(scope.organization()).await.unwrap().signing_keys().await;
    let kept = kept.unwrap();
    assert_eq!(kept.whole, [whole]);
    assert_eq!(kept.damaged.iter().map(|one| one.column).collect::<Vec<_>>(), ["public_key"]);
}

/// The rows of a log are read many in one. A text that spoils this must spoil no more than its row.
#[tokio::test]
async fn an_event_that_cannot_be_read_takes_no_leaf_with_it() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    Sequencer::default().run(&running.store, scope.organization()).await;
    let mut view = running.store.view(scope.organization()).await.unwrap();
    let before = view.leaves(0, 9).await.unwrap();
    drop(view);
    let waiting = running.note(&scope, &Event::success(Action::TokenIssued)).await.unwrap();
    spoil(&database, "audit_event", "request_id", "CAST(x'ff' AS TEXT)").await;

    let mut view = running.store.view(scope.organization()).await.unwrap();
    let after = view.leaves(0, 9).await.unwrap();
    assert!(!before.is_empty() && before.iter().all(|record| record.event.is_some()));
    assert!(after.iter().all(|record| record.event.is_none()));
    let leaves = |records: &[LeafRecord]| -> Vec<_> {
        records.iter().map(|record| record.leaf.clone()).collect()
    };
    assert_eq!(leaves(&after), leaves(&before));
    assert_eq!(view.leaf_of(waiting).await.unwrap(), None);
    let turn = running.store.turn(scope.organization(), SequencerId(1)).await.unwrap();
    let told = turn.unwrap().unsequenced(9).await.unwrap_err();
    let expected = StoreError::Corrupt { table: "audit_event", column: "request_id" };
    assert_eq!(told.to_string(), expected.to_string());
}

/// No bytes and an empty run of them are not the same, in whichever way they are read.
#[tokio::test]
async fn a_salt_that_is_empty_is_refused_where_none_would_be_taken() {
    let database = Database::new();
    let running = database.open().await;
    let scope = running.organization().await;
    Sequencer::default().run(&running.store, scope.organization()).await;
    running.note(&scope, &Event::success(Action::TokenIssued)).await.unwrap();
    for column in ["address", "user_agent", "salt"] {
        spoil(&database, "audit_event", column, "NULL").await;
    }
    let filter = audit::EventFilter::default();
    for (salt, is_taken) in [("NULL", true), ("x''", false)] {
        spoil(&database, "audit_event", "salt", salt).await;
        let mut view = running.store.view(scope.organization()).await.unwrap();
        assert_eq!(view.events(&filter, sample::numbered(1, 9)).await.is_ok(), is_taken);
        let leaves = view.leaves(0, 9).await.unwrap();
        assert!(!leaves.is_empty());
        assert!(leaves.iter().all(|record| record.event.is_some() == is_taken), "{salt}");
        drop(view);
        let turn = running.store.turn(scope.organization(), SequencerId(1)).await.unwrap();
        let waiting = turn.unwrap().unsequenced(9).await;
        let told = waiting.err().map(|error| error.to_string());
        let expected = StoreError::Corrupt { table: "audit_event", column: "salt" }.to_string();
        assert_eq!(told, (!is_taken).then_some(expected));
    }
}

/// Puts a value where no check and no trigger would let it.
async fn spoil(database: &Database, table: &str, column: &str, value: &str) {
    let mut stranger = database.stranger().await;
    stranger.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    stranger.execute("PRAGMA ignore_check_constraints = ON").await.unwrap();
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> =
        sqlx::query_scalar(triggers).fetch_all(&mut stranger).await.unwrap();
    for trigger in triggers {
        stranger.execute(AssertSqlSafe(format!("DROP TRIGGER {trigger}"))).await.unwrap();
    }
    let sql = format!("UPDATE {table} SET {column} = {value}");
    stranger.execute(AssertSqlSafe(sql)).await.unwrap();
}
