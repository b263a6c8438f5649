//! Which event a row may be written under, which rows `REPLACE` would take away, and what the
//! indexes hold where a trigger looks for the same.

use sqlx::SqliteConnection;

use super::{attempt, filled, refused_by};

/// The triggers that ask for an event, which are tried here.
pub(super) const TRIGGERS: [&str; 13] = [
    "organization_begins_with_an_event",
    "organization_changes_with_an_event",
    "agent_begins_with_an_event",
    "agent_changes_with_an_event",
    "credential_begins_with_an_event",
    "credential_changes_with_an_event",
    "client_key_begins_with_an_event",
    "client_key_changes_with_an_event",
    "signing_key_begins_with_an_event",
    "signing_key_changes_with_an_event",
    "signing_key_replaces_none",
    "revoked_token_begins_with_an_event",
    "checkpoint_key_begins_with_an_event",
];

/// An event, each field as SQL.
#[derive(Clone)]
pub(super) struct Told {
    organization: &'static str,
    action: &'static str,
    outcome: &'static str,
    kind: &'static str,
    resource: &'static str,
    metadata: &'static str,
}

impl Told {
    pub(super) const fn of(
        kind: &'static str,
        action: &'static str,
        resource: &'static str,
    ) -> Self {
        let (organization, outcome, metadata) = (ORGANIZATION, "success", "{}");
        Self { organization, action, outcome, kind, resource, metadata }
    }

    /// The statement that inserts it, its id in hex.
    pub(super) fn insert(&self, id: &str) -> String {
        let Self { organization, action, outcome, kind, resource, metadata } = self;
        format!(
            "INSERT INTO audit_event (id, organization_id, action, outcome, resource_kind,
                resource_id, request_id, metadata, occurred_at, salt)
            VALUES (x'{id}', {organization}, '{action}', '{outcome}', '{kind}', {resource}, 'r',
                '{metadata}', 1, zeroblob(32))"
        )
    }

    /// The same event, each time with one thing about it that will not do.
    pub(super) fn spoiled(&self) -> Vec<Self> {
        let other = if self.kind == "agent" { "credential.revoked" } else { "agent.updated" };
        let mut all = vec![
            Self { action: "token.issued", ..self.clone() },
            Self { action: other, ..self.clone() },
            Self { outcome: "failure", ..self.clone() },
            Self { kind: "route", ..self.clone() },
            Self { resource: "'00000000-0000-0000-0000-0000000000cc'", ..self.clone() },
            Self { resource: "'POST /api/v1/agents'", ..self.clone() },
        ];
        if !matches!(self.kind, "signing_key" | "checkpoint_key") {
            all.push(Self { organization: "zeroblob(16)", ..self.clone() });
        }
        all
    }
}

const ORGANIZATION: &str = "(SELECT id FROM organization LIMIT 1)";
pub(super) const EVENT: &str = "000000000000000000000000000000ee";
const NEW_ID: &str = "'00000000-0000-0000-0000-0000000000bb'";

/// For each table of record, an event that permits an update of its only row.
const UPDATES: [(&str, Told); 5] = [
    (
        "organization",
        Told::of("organization", "organization.suspended", "(SELECT hex(id) FROM organization)"),
    ),
    ("agent", Told::of("agent", "agent.updated", "(SELECT hex(id) FROM agent)")),
    (
        "credential",
        Told::of("credential", "credential.revoked", "(SELECT hex(id) FROM credential)"),
    ),
    ("client_key", Told::of("key", "key.removed", "(SELECT hex(id) FROM client_key)")),
    (
        "signing_key",
        Told::of("signing_key", "signing_key.activated", "(SELECT id FROM signing_key)"),
    ),
];

/// An update that changes nothing but what each must change.
fn update(table: &str, event: &str) -> String {
    format!("UPDATE {table} SET revision = revision + 1, last_event = x'{event}'")
}

#[tokio::test]
async fn a_record_changes_only_under_an_event_about_it() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for (table, told) in UPDATES {
        let trigger = format!("{table}_changes_with_an_event");
        let under = |told: &Told| format!("{};;{}", told.insert(EVENT), update(table, EVENT));
        attempt(&mut stranger, None, &under(&told)).await.unwrap();
        for bad in told.spoiled() {
            refused_by(&trigger, &mut stranger, &under(&bad)).await;
        }
        refused_by(&trigger, &mut stranger, &update(table, EVENT)).await;
    }
}

#[tokio::test]
async fn a_record_changes_only_under_an_event_that_is_newer_than_its_last() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for (table, told) in UPDATES {
        let trigger = format!("{table}_changes_with_an_event");
        let same = format!("UPDATE {table} SET revision = revision + 1");
        refused_by(&trigger, &mut stranger, &same).await;
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
        refused_by(&trigger, &mut stranger, &again).await;
        // One that was written before, and that no change was made under. Its id is greater: what
        // counts is the order in which they were written.
        let late = "ff000000000000000000000000000001";
        let skipped = format!(
            "{};;{};;{};;{}",
            told.insert(late),
            told.insert(EVENT),
            update(table, EVENT),
            update(table, late),
        );
        refused_by(&trigger, &mut stranger, &skipped).await;
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
        Told { organization: NEW, ..Told::of("organization", "organization.created", NEW_ID) },
        &[("id", NEW), ("kind", "'tenant'")],
    ),
    (
        "agent",
        Told::of("agent", "agent.created", NEW_ID),
        &[("id", NEW), ("email", "'b@b.c'"), ("email_folded", "'b@b.c'")],
    ),
    // Of an agent that has no key.
    (
        "credential",
        Told::of("credential", "credential.generated", NEW_ID),
        &[("id", NEW), ("agent_id", NEW)],
    ),
    ("credential", SUCCEEDED, &[("id", NEW), ("agent_id", NEW)]),
    (
        "client_key",
        Told::of("key", "key.added", NEW_ID),
        &[("id", NEW), ("kid", "'new'"), ("thumbprint", "'new'")],
    ),
    (
        "signing_key",
        Told::of("signing_key", "signing_key.published", "'new'"),
        &[("id", "'new'"), ("algorithm", "'EdDSA'")],
    ),
    ("revoked_token", Told::of("token", "token.revoked", NEW_ID), &[("token_id", NEW)]),
    (
        "checkpoint_key",
        Told::of("checkpoint_key", "checkpoint_key.created", "'new'"),
        &[("id", "'new'")],
    ),
];

const NEW: &str = "x'000000000000000000000000000000bb'";

/// The event of a rotation: about the old credential, and it names the new one.
const SUCCEEDED: Told = Told {
    metadata: r#"{"successorId":"00000000-0000-0000-0000-0000000000bb"}"#,
    ..Told::of("credential", "credential.rotated", "(SELECT hex(id) FROM credential)")
};

/// Inserts a copy of a row of the table that differs in these columns.
async fn copy(
    connection: &mut SqliteConnection,
    (insert, table): (&str, &str),
    differing: &[(&str, &str)],
) -> String {
    let columns = "SELECT name FROM pragma_table_info(?)";
    let mut columns: Vec<String> =
        sqlx::query_scalar(columns).bind(table).fetch_all(connection).await.unwrap();
    columns.extend(differing.iter().filter(|(name, _)| *name == "rowid").map(|_| "rowid".into()));
    let value = |name: &String| {
        let new = differing.iter().find(|(column, _)| column == name);
        new.map_or_else(|| name.clone(), |(_, value)| (*value).to_owned())
    };
    let values: Vec<_> = columns.iter().map(value).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    format!("{insert} INTO {table} ({columns}) SELECT {values} FROM {table} LIMIT 1")
}

#[tokio::test]
async fn a_record_begins_only_under_an_event_about_it() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for (table, told, new) in INSERTS {
        let trigger = format!("{table}_begins_with_an_event");
        let event = format!("x'{EVENT}'");
        let new = [new, &[("last_event", event.as_str())]].concat();
        let insert = copy(&mut stranger, ("INSERT", table), &new).await;
        let under = |told: &Told| format!("{};;{insert}", told.insert(EVENT));
        attempt(&mut stranger, None, &under(&told)).await.unwrap();
        let mut bad = told.spoiled();
        if told.action == SUCCEEDED.action {
            // Which credential was rotated does not make another one its successor.
            bad.retain(|bad| bad.resource == told.resource);
            bad.push(Told { metadata: "{}", resource: NEW_ID, ..told.clone() });
            let other = r#"{"successorId":"00000000-0000-0000-0000-0000000000cc"}"#;
            bad.push(Told { metadata: other, ..told.clone() });
        }
        for bad in bad {
            refused_by(&trigger, &mut stranger, &under(&bad)).await;
        }
        refused_by(&trigger, &mut stranger, &insert).await;
    }
}

/// `REPLACE` also deletes the row whose rowid it is given, be the new one ever so proper.
#[tokio::test]
async fn no_record_is_replaced_by_its_rowid() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    for (table, told, new) in INSERTS.into_iter().filter(|(table, ..)| *table != "revoked_token") {
        let event = format!("x'{EVENT}'");
        let new = [new, &[("last_event", event.as_str()), ("rowid", "rowid")]].concat();
        let replace = copy(&mut stranger, ("INSERT OR REPLACE", table), &new).await;
        let sql = format!("{};;{replace}", told.insert(EVENT));
        refused_by(&format!("{table}_is_never_replaced"), &mut stranger, &sql).await;
    }
}

/// What an agent's keys are told apart by, where no trigger looks for it.
#[tokio::test]
async fn a_live_key_and_its_id_are_unique_by_their_indexes_too() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    let event = format!("x'{EVENT}'");
    let added = Told::of("key", "key.added", NEW_ID).insert(EVENT);
    for other in ["kid", "thumbprint"] {
        let new = [("id", NEW), ("last_event", event.as_str()), (other, "'new'")];
        let insert = copy(&mut stranger, ("INSERT", "client_key"), &new).await;
        let sql = format!("{added};;{insert}");
        let trigger = "client_key_is_never_replaced";
        let error = attempt(&mut stranger, Some(trigger), &sql).await.expect_err(&sql);
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{sql}: {error}");
        let replace = copy(&mut stranger, ("INSERT OR REPLACE", "client_key"), &new).await;
        refused_by(trigger, &mut stranger, &format!("{added};;{replace}")).await;
    }
}

/// With one that is active, and an event that permits a second one.
async fn with_two_keys(connection: &mut SqliteConnection, last: &str) -> String {
    let (_, first, _) = INSERTS.into_iter().find(|(table, ..)| *table == "signing_key").unwrap();
    let event = format!("x'{EVENT}'");
    let new = [
        ("id", "'new'"),
        ("last_event", event.as_str()),
        ("state", "'published'"),
        ("revision", "1"),
    ];
    let insert = copy(connection, ("INSERT", "signing_key"), &new).await;
    let then = "000000000000000000000000000000ef";
    let activated = Told { action: "signing_key.activated", ..first.clone() };
    format!(
        "UPDATE signing_key SET state = 'active', revision = 2, last_event = (
            SELECT id FROM audit_event WHERE action = 'signing_key.activated'
        );;{};;{insert};;{};;{last} SET state = 'active', revision = 2, last_event = x'{then}'
        WHERE id = 'new'",
        first.insert(EVENT),
        activated.insert(then),
    )
}

#[tokio::test]
async fn a_second_active_key_takes_no_other_ones_place() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    let update = with_two_keys(&mut stranger, "UPDATE OR REPLACE signing_key").await;
    refused_by("signing_key_replaces_none", &mut stranger, &update).await;
    let published = Told::of("signing_key", "signing_key.published", "'new'").insert(EVENT);
    let event = format!("x'{EVENT}'");
    let new = [("id", "'new'"), ("last_event", event.as_str())];
    let insert = copy(&mut stranger, ("INSERT OR REPLACE", "signing_key"), &new).await;
    let insert = format!(
        "UPDATE signing_key SET state = 'active', revision = 2, last_event = (
            SELECT id FROM audit_event WHERE action = 'signing_key.activated'
        );;{published};;{insert}"
    );
    refused_by("signing_key_is_never_replaced", &mut stranger, &insert).await;
}

/// The triggers against `REPLACE` look for the same; the indexes must hold without them.
#[tokio::test]
async fn addresses_the_platform_and_the_active_key_are_unique_by_their_indexes_too() {
    let database = filled().await;
    let mut stranger = database.stranger().await;
    let event = format!("x'{EVENT}'");
    let new = [("id", NEW), ("last_event", event.as_str())];
    let agent = copy(&mut stranger, ("INSERT", "agent"), &new).await;
    let platform = copy(&mut stranger, ("INSERT", "organization"), &new).await;
    let [(_, founded, _), (_, registered, _), ..] = INSERTS;
    for (trigger, sql) in [
        ("agent_is_never_replaced", format!("{};;{agent}", registered.insert(EVENT))),
        ("organization_is_never_replaced", format!("{};;{platform}", founded.insert(EVENT))),
        ("signing_key_replaces_none", with_two_keys(&mut stranger, "UPDATE signing_key").await),
    ] {
        let error = attempt(&mut stranger, Some(trigger), &sql).await.expect_err(&sql);
        assert!(error.as_database_error().unwrap().is_unique_violation(), "{sql}: {error}");
    }
}
