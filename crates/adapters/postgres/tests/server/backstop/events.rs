//! Which event a row may be written under, and what the indexes hold by themselves.

use sqlx::PgConnection;

use super::sql::{attempt, filled, refused_by};

/// The triggers that ask for an event, which are tried here.
pub(super) const TRIGGERS: [&str; 7] = [
    "organization_is_written_under_an_event",
    "agent_is_written_under_an_event",
    "credential_is_written_under_an_event",
    "client_key_is_written_under_an_event",
    "signing_key_is_written_under_an_event",
    "revoked_token_is_written_under_an_event",
    "checkpoint_key_is_written_under_an_event",
];

/// An event, each field as SQL.
#[derive(Clone)]
struct Told {
    organization: &'static str,
    action: &'static str,
    outcome: &'static str,
    kind: &'static str,
    resource: &'static str,
    metadata: &'static str,
}

impl Told {
    const fn of(kind: &'static str, action: &'static str, resource: &'static str) -> Self {
        let (organization, outcome, metadata) = (ORGANIZATION, "success", "{}");
        Self { organization, action, outcome, kind, resource, metadata }
    }

    /// The statement that inserts it.
    fn insert(&self, id: &str) -> String {
        let Self { organization, action, outcome, kind, resource, metadata } = self;
        format!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at)
            VALUES ('{id}', {organization}, '{action}', '{outcome}', '{kind}', {resource}, 'r',
                '{metadata}', 1)"
        )
    }

    /// The same event, each time with one thing about it that will not do.
    fn spoiled(&self) -> Vec<Self> {
        let other = if self.kind == "agent" { "credential.revoked" } else { "agent.updated" };
        vec![
            Self { action: "token.issued", ..self.clone() },
            Self { action: other, ..self.clone() },
            Self { outcome: "failure", ..self.clone() },
            Self { kind: "route", ..self.clone() },
            Self { resource: "'00000000-0000-0000-0000-0000000000cc'", ..self.clone() },
            Self { resource: "'POST /api/v1/agents'", ..self.clone() },
            Self { organization: "gen_random_uuid()", ..self.clone() },
        ]
    }
}

const ORGANIZATION: &str = "(SELECT id FROM organization LIMIT 1)";
const EVENT: &str = "00000000-0000-0000-0000-0000000000ee";

/// For each table of record, an event that permits an update of its only row.
const UPDATES: [(&str, Told); 5] = [
    (
        "organization",
        Told::of("organization", "organization.suspended", "(SELECT id FROM organization)"),
    ),
    ("agent", Told::of("agent", "agent.updated", "(SELECT id FROM agent)")),
    ("credential", Told::of("credential", "credential.revoked", "(SELECT id FROM credential)")),
    ("client_key", Told::of("key", "key.removed", "(SELECT id FROM client_key)")),
    (
        "signing_key",
        Told::of("signing_key", "signing_key.activated", "(SELECT id FROM signing_key)"),
    ),
];

fn trigger(table: &str) -> String {
    format!("{table}_is_written_under_an_event")
}

/// An update that changes nothing but what each must change.
fn update(table: &str, event: &str) -> String {
    format!("UPDATE {table} SET revision = revision + 1, last_event = '{event}'")
}

#[tokio::test]
async fn a_record_changes_only_under_an_event_about_it() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    for (table, told) in UPDATES {
        let trigger = trigger(table);
        let under = |told: &Told| format!("{};;{}", told.insert(EVENT), update(table, EVENT));
        attempt(&mut stranger, None, &under(&told)).await.unwrap();
        for bad in told.spoiled() {
            refused_by((table, &trigger), &mut stranger, &under(&bad)).await;
        }
        refused_by((table, &trigger), &mut stranger, &update(table, EVENT)).await;
    }
}

#[tokio::test]
async fn a_record_changes_only_under_an_event_that_is_newer_than_its_last() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    for (table, told) in UPDATES {
        let trigger = trigger(table);
        let same = format!("UPDATE {table} SET revision = revision + 1");
        refused_by((table, &trigger), &mut stranger, &same).await;
        // Its own event, but of an earlier change.
        let again = format!(
            "{};;{};;
            UPDATE {table} SET revision = revision + 1, last_event = (
                SELECT id FROM audit_event WHERE resource_kind = '{}' ORDER BY position LIMIT 1
            )",
            told.insert(EVENT),
            update(table, EVENT),
            told.kind,
        );
        refused_by((table, &trigger), &mut stranger, &again).await;
        // One that was written before, and that no change was made under. Its id is greater: what
        // counts is the order in which they were written.
        let late = "ff000000-0000-0000-0000-000000000001";
        let skipped = format!(
            "{};;{};;{};;{}",
            told.insert(late),
            told.insert(EVENT),
            update(table, EVENT),
            update(table, late),
        );
        refused_by((table, &trigger), &mut stranger, &skipped).await;
        // And the other way round: a lesser id is no matter either.
        let behind = format!(
            "{};;{};;{};;{}",
            told.insert(late),
            update(table, late),
            told.insert(EVENT),
            update(table, EVENT),
        );
        attempt(&mut stranger, None, &behind).await.unwrap();
    }
}

/// Columns and what stands in them, as SQL.
type Columns = &'static [(&'static str, &'static str)];

/// For each table of record, an event that permits a row that is new, and what is new about it
/// apart from the event.
const INSERTS: [(&str, Told, Columns); 8] = [
    (
        "organization",
        Told { organization: NEW, ..Told::of("organization", "organization.created", NEW) },
        &[("id", NEW), ("kind", "'tenant'")],
    ),
    (
        "agent",
        Told::of("agent", "agent.created", NEW),
        &[("id", NEW), ("email", "'b@b.c'"), ("email_folded", "'b@b.c'")],
    ),
    // Of an agent that has no key.
    (
        "credential",
        Told::of("credential", "credential.generated", NEW),
        &[("id", NEW), ("agent_id", NEW)],
    ),
    ("credential", SUCCEEDED, &[("id", NEW), ("agent_id", NEW)]),
    (
        "client_key",
        Told::of("key", "key.added", NEW),
        &[("id", NEW), ("kid", "'new'"), ("thumbprint", "'new'")],
    ),
    (
        "signing_key",
        Told::of("signing_key", "signing_key.published", "'new'"),
        &[("id", "'new'"), ("algorithm", "'EdDSA'")],
    ),
    ("revoked_token", Told::of("token", "token.revoked", NEW), &[("token_id", NEW)]),
    (
        "checkpoint_key",
        Told::of("checkpoint_key", "checkpoint_key.created", "'new'"),
        &[("id", "'new'")],
    ),
];

const NEW: &str = "'00000000-0000-0000-0000-0000000000bb'";

/// The event of a rotation: about the old credential, and it names the new one.
const SUCCEEDED: Told = Told {
    metadata: r#"{"successorId":"00000000-0000-0000-0000-0000000000bb"}"#,
    ..Told::of("credential", "credential.rotated", "(SELECT id FROM credential)")
};

/// The statement that inserts a copy of a row of the table that differs in these columns.
async fn copy(connection: &mut PgConnection, table: &str, differing: &[(&str, &str)]) -> String {
    let columns = "SELECT attname::text FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped";
    let columns: Vec<String> =
        sqlx::query_scalar(columns).bind(table).fetch_all(connection).await.unwrap();
    let value = |name: &String| {
        let new = differing.iter().find(|(column, _)| column == name);
        new.map_or_else(|| name.clone(), |(_, value)| (*value).to_owned())
    };
    let values: Vec<_> = columns.iter().map(value).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    format!("INSERT INTO {table} ({columns}) SELECT {values} FROM {table} LIMIT 1")
}

#[tokio::test]
async fn a_record_begins_only_under_an_event_about_it() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    for (table, told, new) in INSERTS {
        let trigger = trigger(table);
        let event = format!("'{EVENT}'");
        let new = [new, &[("last_event", event.as_str())]].concat();
        let new = [new, vec![("event_organization_id", ORGANIZATION)]].concat();
        let insert = copy(&mut stranger, table, &new).await;
        let under = |told: &Told| format!("{};;{insert}", told.insert(EVENT));
        attempt(&mut stranger, None, &under(&told)).await.unwrap();
        let mut bad = told.spoiled();
        if told.action == SUCCEEDED.action {
            // Which credential was rotated does not make another one its successor.
            bad.retain(|bad| bad.resource == told.resource);
            bad.push(Told { metadata: "{}", resource: NEW, ..told.clone() });
            let other = r#"{"successorId":"00000000-0000-0000-0000-0000000000cc"}"#;
            bad.push(Told { metadata: other, ..told.clone() });
        }
        for bad in bad {
            refused_by((table, &trigger), &mut stranger, &under(&bad)).await;
        }
        refused_by((table, &trigger), &mut stranger, &insert).await;
    }
}

#[tokio::test]
async fn addresses_the_platform_and_the_active_key_are_unique() {
    let database = filled().await;
    let mut stranger = database.connection().await;
    let event = format!("'{EVENT}'");
    let new = [("id", NEW), ("last_event", event.as_str())];
    let agent = copy(&mut stranger, "agent", &new).await;
    let platform = copy(&mut stranger, "organization", &new).await;
    let key = [("id", "'new'"), ("last_event", event.as_str()), ("state", "'active'")];
    let key = copy(&mut stranger, "signing_key", &key).await;
    let activated =
        "UPDATE signing_key SET state = 'active', revision = revision + 1, last_event = (
            SELECT id FROM audit_event WHERE action = 'signing_key.activated'
        )";
    let [(_, founded, _), (_, registered, _), _, _, _, (_, published, _), ..] = INSERTS;
    for sql in [
        format!("{};;{agent}", registered.insert(EVENT)),
        format!("{};;{platform}", founded.insert(EVENT)),
        format!("{activated};;{};;{key}", published.insert(EVENT)),
    ] {
        let error = attempt(&mut stranger, None, &sql).await.expect_err(&sql);
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{sql}: {error}");
    }
}
