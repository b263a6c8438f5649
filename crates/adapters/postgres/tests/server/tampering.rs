//! The owner of the database changes a log in it, and both verifiers find it.

use std::sync::Arc;

use audit::Transactor;
use contracts::{
    sample::KnownKey,
    tampering::{Dialect, Installation, Owned, Post, Stage, Trial, Verifiers},
};
use kernel::OrganizationId;
use outlets::CheckpointFile;
use postgres_store::{Options, PostgresView};
use tempfile::TempDir;

use crate::{running::Running, support::Database};

/// How many are tried. The thousand are tried on the other store: what differs here is how rows are
/// read.
const TAMPERINGS: u64 = 100;

const TABLES: [&str; 4] = ["audit_event", "audit_leaf", "audit_stored_hash", "audit_log"];

/// Takes every trigger and every constraint off the log's tables.
const UNLOCK: &str = "
    DO $$ DECLARE one record; BEGIN
        FOR one IN
            SELECT conrelid::regclass AS place, conname FROM pg_constraint
            WHERE contype IN ('c', 'f', 'p', 'u') AND conrelid = ANY (ARRAY[
                'audit_event', 'audit_leaf', 'audit_stored_hash', 'audit_log'
            ]::regclass[])
        LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', one.place, one.conname);
        END LOOP;
    END $$;
    ALTER TABLE audit_event DISABLE TRIGGER ALL;
    ALTER TABLE audit_leaf DISABLE TRIGGER ALL;
    ALTER TABLE audit_stored_hash DISABLE TRIGGER ALL;
    ALTER TABLE audit_log DISABLE TRIGGER ALL;";

/// Three logs in a database whose owner nothing holds back, and copies of them beside it.
struct Unlocked {
    running: Running,
    installation: Installation,
    folder: TempDir,
}

const fn copy_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Newest => "newest",
        Stage::Older => "older",
    }
}

async fn copy(database: &Database, stage: Stage) {
    let place = copy_of(stage);
    let tables = TABLES.map(|table| format!("CREATE TABLE {place}.{table} AS TABLE {table};"));
    database.execute(&format!("CREATE SCHEMA {place}; {}", tables.concat())).await;
}

impl Unlocked {
    async fn new() -> Self {
        let options = Options { connections: 4, ..Options::default() };
        let running = Running::with(options).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoints.ndjson");
        let left = Arc::new(CheckpointFile::open(&file).await.unwrap());
        let post = Post {
            signer: Arc::new(KnownKey::new(3)),
            outside: Arc::<CheckpointFile>::clone(&left),
            sink: left,
            file,
        };
        let copied = async || copy(&running.database, Stage::Older).await;
        let installation =
            Installation::fill(&running.store, &running.machine, &post, copied).await;
        copy(&running.database, Stage::Newest).await;
        running.database.execute(UNLOCK).await;
        Self { running, installation, folder }
    }
}

/// Who does the tampering.
struct Owner<'a>(&'a Running);

impl Owned for Owner<'_> {
    const DIALECT: Dialect = Dialect::Postgres;

    type View = PostgresView;

    async fn tampered(
        &mut self,
        stage: Stage,
        statements: &[String],
        organization: OrganizationId,
    ) -> PostgresView {
        let place = copy_of(stage);
        // Deleted and not truncated: a view that was just dropped may still hold its lock.
        let restored = TABLES.map(|table| {
            format!(
                "DELETE FROM {table}; \
                 INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {place}.{table};"
            )
        });
        let sql = format!("BEGIN; {} {}; COMMIT", restored.concat(), statements.join("; "));
        self.0.database.execute(&sql).await;
        self.0.store.view(organization).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn au_04_each_of_a_hundred_tamperings_at_random_is_found_by_both_verifiers() {
    let Unlocked { running, installation, folder } = Unlocked::new().await;
    let cases = folder.path().join("cases");
    std::fs::create_dir(&cases).unwrap();
    let verifiers = Verifiers::new(cases);
    let trial = Trial { installation: &installation, verifiers: &verifiers };
    let mut owner = Owner(&running);
    assert_eq!(trial.untouched(&mut owner).await, vec![["ok"; 2]; 3]);
    for from in (0..TAMPERINGS).step_by(50) {
        let tally = Box::pin(trial.run(&mut owner, from..from + 50)).await;
        assert_eq!(tally.values().sum::<usize>(), 50);
    }
}
