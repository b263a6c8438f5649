//! Statements that go past the store, and what each leads to with a trigger there and without.

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::client_keys;
use crate::{running::Running, support::Database};

/// One of everything, and a token that is revoked for long.
pub(super) async fn filled() -> Database {
    let running = Running::fresh().await;
    running.fill("first", tenancy::Kind::Platform).await;
    let database = running.close().await;
    database.execute(&format!("BEGIN; {EVENT}; {REVOCATION}; {STORED_HASH}; COMMIT")).await;
    database
}

const EVENT: &str = "
    INSERT INTO audit_event (
        id, organization_id, action, outcome, resource_kind, resource_id, request_id, metadata,
        occurred_at
    )
    SELECT '00000000-0000-0000-0000-000000000001', id, 'token.revoked', 'success', 'token',
        '00000000-0000-0000-0000-000000000009', 'r', '{}', 1
    FROM organization";

const STORED_HASH: &str =
    "INSERT INTO audit_stored_hash SELECT id, 1, 0, sha256('x') FROM organization";

/// Of a token that lives until the year 9999.
const REVOCATION: &str = "
    INSERT INTO revoked_token (organization_id, token_id, revoked_at, expires_at, last_event)
    SELECT id, '00000000-0000-0000-0000-000000000009', 1, 253402300799000000,
        '00000000-0000-0000-0000-000000000001'
    FROM organization";

/// A use that is remembered until the year 9999.
macro_rules! single_use {
    () => {
        "INSERT INTO single_use SELECT id, sha256('x'), 253402300799000000 FROM organization"
    };
}
pub(super) use single_use;

/// An event that permits one more update of the table's only row.
macro_rules! event {
    ("organization") => {
        event!("organization", ".suspended", "id", "id")
    };
    ("agent") => {
        event!("agent", ".updated", "organization_id", "id")
    };
    ("credential") => {
        event!("credential", ".revoked", "organization_id", "id")
    };
    ("signing_key") => {
        event!("signing_key", ".activated", "event_organization_id", "id")
    };
    ($table:literal, $verb:literal, $organization:literal, $resource:literal) => {
        concat!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at)
            SELECT gen_random_uuid(), ",
            $organization,
            ", '",
            $table,
            $verb,
            "', 'success', '",
            $table,
            "', ",
            $resource,
            ", 'r', '{}', 1 FROM ",
            $table
        )
    };
}
pub(super) use event;

/// A proper update of a table, under its newest event, with what makes it improper.
macro_rules! update {
    ($table:literal, $set:literal) => {
        concat!("UPDATE ", $table, " SET ", $set, ", revision = revision + 1, ", newest!($table))
    };
}
pub(super) use update;

/// Names the newest event that there is of the table.
macro_rules! newest {
    ($table:literal) => {
        concat!(
            "last_event = (
                SELECT id FROM audit_event WHERE resource_kind = '",
            $table,
            "' ORDER BY position DESC LIMIT 1
            )"
        )
    };
}
pub(super) use newest;

const NEW_EVENTS: [&str; 5] = [
    event!("organization"),
    event!("agent"),
    event!("credential"),
    client_keys::EVENT,
    event!("signing_key"),
];

/// No reference, so that nothing but a trigger can refuse a statement.
const UNBIND: &str = "
    DO $$
    DECLARE bound record;
    BEGIN
        FOR bound IN SELECT conrelid::regclass AS home, conname FROM pg_constraint WHERE contype = 'f'
        LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', bound.home, bound.conname);
        END LOOP;
    END $$";

/// Which of the triggers is left out, if one is.
pub(super) type Without<'a> = Option<(&'a str, &'a str)>;

/// What the last statement leads to, the trigger there or not. Nothing of it stays.
pub(super) async fn attempt(
    connection: &mut PgConnection,
    without: Without<'_>,
    sql: &str,
) -> Result<(), sqlx::Error> {
    connection.execute("BEGIN").await.unwrap();
    connection.execute(UNBIND).await.unwrap();
    if let Some((table, trigger)) = without {
        let drop = AssertSqlSafe(format!("DROP TRIGGER {trigger} ON {table}"));
        connection.execute(drop).await.unwrap();
    }
    for event in NEW_EVENTS {
        connection.execute(event).await.unwrap();
    }
    let statements: Vec<_> = sql.split(";;").collect();
    let (last, before) = statements.split_last().unwrap();
    for statement in before {
        connection.execute(AssertSqlSafe((*statement).to_owned())).await.unwrap();
    }
    let done = connection.execute(AssertSqlSafe((*last).to_owned())).await.map(|_| ());
    connection.execute("ROLLBACK").await.unwrap();
    done
}

/// What a trigger refuses by.
const INTEGRITY: &str = "23000";

/// The trigger refuses the last statement, and nothing else does.
pub(super) async fn refused_by(
    (table, trigger): (&str, &str),
    connection: &mut PgConnection,
    sql: &str,
) {
    let refused = attempt(connection, None, sql).await;
    assert!(refused.is_err(), "{trigger} let through: {sql}");
    let error = refused.unwrap_err();
    let code = error.as_database_error().and_then(|error| error.code()).unwrap();
    assert_eq!(code, INTEGRITY, "{trigger}: not by a trigger: {error}: {sql}");
    let passed = attempt(connection, Some((table, trigger)), sql).await;
    assert!(passed.is_ok(), "not {trigger} refuses {sql}: {passed:?}");
}
