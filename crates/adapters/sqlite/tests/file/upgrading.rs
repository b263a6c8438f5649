//! A database of a release before is brought up to date, and keeps what it has.

use audit::Transactor;
use contracts::sample;
use kernel::OrganizationId;
use registry::Agents;
use sqlx::{Executor, SqliteConnection, migrate::Migrator, types::Uuid};
use tokens::{Jwk, KeyState, SigningKeys};

use crate::database::Database;

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/sqlite");

/// Brings an empty file to this version.
async fn of_version(version: i64, database: &Database) -> SqliteConnection {
    std::fs::File::create(database.path()).unwrap();
    let mut stranger = database.stranger().await;
    let known = MIGRATIONS.iter().filter(|one| one.version <= version).cloned().collect::<Vec<_>>();
    let before = Migrator { migrations: known.into(), ..Migrator::DEFAULT };
    before.run(&mut stranger).await.unwrap();
    stranger
}

/// A key of the release before, and where it stands.
async fn key(connection: &mut SqliteConnection, number: u8, state: &str) -> Jwk {
    let key = Jwk::P256 { x: [number; 32], y: [number; 32] };
    let id = key.thumbprint();
    let event = [number; 16];
    sqlx::query(
        "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
            resource_id, request_id, metadata, occurred_at, salt)
        VALUES (?, zeroblob(16), 'signing_key.published', 'success', 'signing_key', ?, 'r', '{}', 1,
            randomblob(32))",
    )
    .bind(event.as_slice())
    .bind(id.as_str())
    .execute(&mut *connection)
    .await
    .unwrap();
    sqlx::query(
        "INSERT INTO signing_key (
            id, algorithm, public_key, private_key, state, state_at, created_at, revision, last_event
        ) VALUES (?, 'ES256', ?, x'01', ?, 7, ?, 3, ?)",
    )
    .bind(id.as_str())
    .bind(key.to_raw())
    .bind(state)
    .bind(i64::from(number))
    .bind(event.as_slice())
    .execute(connection)
    .await
    .unwrap();
    key
}

#[tokio::test]
async fn signing_keys_of_the_release_before_are_there_and_as_safe_as_before() {
    let database = Database::new();
    let mut stranger = of_version(2, &database).await;
    let mut expected = Vec::new();
    for (number, state) in [(1, "retired"), (2, "retiring"), (3, "active"), (4, "published")] {
        expected.push((key(&mut stranger, number, state).await, state));
    }
    drop(stranger);

    let running = database.open().await;
    let scope = running.organization().await;
    let kept = running.store.view(scope.organization()).await.unwrap().signing_keys().await;
    let kept = kept.unwrap();
    assert!(kept.damaged.is_empty());
    let found = kept.whole.iter().map(|key| (key.record().public.clone(), key.state().name()));
    assert_eq!(found.collect::<Vec<_>>(), expected);
    assert!(kept.whole.iter().all(|key| key.record().revision.get() == 3));

    let mut stranger = database.stranger().await;
    for refused in [
        "DELETE FROM signing_key",
        "UPDATE signing_key SET private_key = x'02'",
        "UPDATE signing_key SET state = 'active' WHERE state = 'retired'",
    ] {
        assert!(stranger.execute(refused).await.is_err(), "{refused}");
    }
    let broken = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM pragma_foreign_key_check");
    assert_eq!(broken.fetch_one(&mut stranger).await.unwrap(), 0);

    // A second key is next only once the first one is not; and one may be compromised.
    let [.., active, next] = <[_; 4]>::try_from(kept.whole).unwrap();
    assert!(running.change(&scope, sample::key(&database.machine)).await.is_err());
    let now = database.machine.now();
    let lost = running.change(&scope, active.compromise(now).unwrap()).await.unwrap();
    assert_eq!(lost.state(), KeyState::Compromised { since: now });
    let change = next.activate(std::time::Duration::ZERO, now).unwrap();
    running.change(&scope, change).await.unwrap();
    running.change(&scope, sample::key(&database.machine)).await.unwrap();
}

/// An organization, and agents of which one is archived and another is decommissioned.
const AGENTS: &str = "
    INSERT INTO audit_event (
        id, organization_id, action, outcome, resource_kind, resource_id, request_id, metadata, occurred_at, salt
    )
    SELECT unhex(about), unhex(replace(hex(zeroblob(16)), '0', '1')), kind || '.created', 'success', kind, about, 'r',
        '{}', 1, randomblob(32)
    FROM (
        SELECT 'organization' AS kind, replace(hex(zeroblob(16)), '0', '1') AS about
        UNION ALL SELECT 'agent', replace(hex(zeroblob(16)), '0', '2')
        UNION ALL SELECT 'agent', replace(hex(zeroblob(16)), '0', '3')
        UNION ALL SELECT 'agent', replace(hex(zeroblob(16)), '0', '4')
    );
    INSERT INTO organization (
        id, name, slug, kind, plan, status, created_at, updated_at, revision, last_event
    )
    SELECT id, 'x', 'x', 'platform', 'pro', 'active', 1, 1, 1, id
    FROM audit_event WHERE resource_kind = 'organization';
    INSERT INTO agent (
        id, organization_id, email, email_folded, agent_type, version, capabilities, owner, deployment_env,
        status, status_since, decommissioned_at, roles, is_public, metadata, created_at, updated_at, revision, last_event
    )
    SELECT id, organization_id, hex(id), lower(hex(id)), 'custom', '1.0.0', '[\"a:b\"]', 'x', 'staging',
        CASE substr(hex(id), 1, 1) WHEN '2' THEN 'archived' WHEN '3' THEN 'decommissioned' ELSE 'active' END,
        CASE substr(hex(id), 1, 1) WHEN '4' THEN NULL ELSE 1 END,
        CASE substr(hex(id), 1, 1) WHEN '2' THEN 1 END,
        '[]', 0, '{}', 1, 1, 1, id
    FROM audit_event WHERE resource_kind = 'agent';
    INSERT INTO last_use (credential_id, organization_id, agent_id, used_at)
    SELECT id, organization_id, id, 7 FROM agent";

#[tokio::test]
async fn agents_of_the_release_before_are_in_the_tally_and_their_last_uses_are_kept() {
    let database = Database::new();
    let mut stranger = of_version(3, &database).await;
    stranger.execute(AGENTS).await.unwrap();
    drop(stranger);

    let running = database.open().await;
    let organization = OrganizationId::from_uuid(Uuid::from_bytes([0x11; 16]));
    assert_eq!(running.store.view(organization).await.unwrap().agent_count().await.unwrap(), 1);
    let listed = database.number("SELECT listed FROM agent_tally").await;
    assert_eq!(listed, 2);
    let kept = "SELECT count(*) FROM last_use WHERE used_at = 7 AND agent_id = credential_id";
    assert_eq!(database.number(kept).await, 3);
}
