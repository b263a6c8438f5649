//! What every table of the schema must have, so that a new one cannot forget it.

use crate::support::Database;

async fn names(database: &Database, query: &'static str) -> Vec<String> {
    sqlx::query_scalar(query).fetch_all(&mut database.connection().await).await.unwrap()
}

const OPEN: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND relname <> '_sqlx_migrations'
        AND NOT (relrowsecurity AND relforcerowsecurity)";

const WITHOUT_POLICY: &str = "
    SELECT relname::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND relname <> '_sqlx_migrations'
        AND NOT EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid)";

#[tokio::test]
async fn tn_08_every_table_is_closed_and_has_a_policy() {
    let database = Database::migrated().await;
    assert_eq!(names(&database, OPEN).await, [""; 0]);
    assert_eq!(names(&database, WITHOUT_POLICY).await, [""; 0]);
    database.execute("CREATE TABLE novelty (organization_id uuid)").await;
    assert_eq!(names(&database, OPEN).await, ["novelty"]);
    assert_eq!(names(&database, WITHOUT_POLICY).await, ["novelty"]);
}

/// Each part of a policy that does not hold the row against the organization that is named, and what
/// it asks instead.
const OTHERWISE: &str = "
    SELECT format('%s.%s %s', relname, polname, part)
    FROM pg_policy
    JOIN pg_class ON pg_class.oid = polrelid
    CROSS JOIN LATERAL (
        VALUES (pg_get_expr(polqual, polrelid)), (pg_get_expr(polwithcheck, polrelid))
    ) AS parts (part)
    WHERE part IS NOT NULL AND part !~ '^\\((organization_id|id) = current_organization\\(\\)\\)$'
    ORDER BY 1";

/// Reasons: the feed is read by its poller, of every organization; a client is looked up by whoever
/// does not know its organization yet; the platform likewise; keys are the installation's; the writer
/// of events names all of their organizations; and a sequencer looks for the logs that wait.
const OTHERWISE_ASKED: [&str; 12] = [
    "audit_event.named_organizations (strpos(current_setting('app.organizations'::text, true), (organization_id)::text) > 0)",
    "audit_log.the_sequencer (current_setting('app.sequencer'::text, true) = 'on'::text)",
    "audit_pending.named_organizations (strpos(current_setting('app.organizations'::text, true), (organization_id)::text) > 0)",
    "audit_pending.the_sequencer (current_setting('app.sequencer'::text, true) = 'on'::text)",
    "change_feed.the_poller (current_setting('app.feed'::text, true) = 'on'::text)",
    "change_feed.the_poller_forgets ((current_setting('app.feed'::text, true) = 'on'::text) \
     AND (changed_at < (now() - '00:05:00'::interval)))",
    "checkpoint_key.any_organization (current_organization() IS NOT NULL)",
    "checkpoint_key.any_organization (event_organization_id = current_organization())",
    "client.one_client (agent_id = (NULLIF(current_setting('app.client'::text, true), ''::text))::uuid)",
    "organization.the_platform ((kind = 'platform'::text) AND (current_setting('app.directory'::text, true) = 'platform'::text))",
    "signing_key.any_organization (current_organization() IS NOT NULL)",
    "signing_key.any_organization (event_organization_id = current_organization())",
];

#[tokio::test]
async fn tn_08_every_policy_asks_for_the_organization_but_those_that_are_known() {
    let database = Database::migrated().await;
    assert_eq!(names(&database, OTHERWISE).await, OTHERWISE_ASKED);
}

/// Keys, unique and foreign, that do not lead with the organization of the row.
const UNBOUND: &str = "
    SELECT format('%s (%s)', relname, (
        SELECT string_agg(attname, ', ' ORDER BY place)
        FROM unnest(indkey::int2[]) WITH ORDINALITY AS keys (number, place)
        JOIN pg_attribute ON attrelid = indrelid AND attnum = number
    ))
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace AND indisunique AND relname <> '_sqlx_migrations'
        AND NOT EXISTS (
            SELECT 1 FROM pg_attribute
            WHERE attrelid = indrelid AND attnum = indkey[0]
                AND attname IN ('organization_id', 'event_organization_id')
        )
    UNION ALL
    SELECT format('%s -> %s', relname, confrelid::regclass)
    FROM pg_constraint
    JOIN pg_class ON pg_class.oid = conrelid
    WHERE contype = 'f' AND connamespace = 'public'::regnamespace
        AND NOT EXISTS (
            SELECT 1 FROM pg_attribute
            WHERE attrelid = conrelid AND attnum = conkey[1]
                AND attname IN ('organization_id', 'event_organization_id')
        )
    ORDER BY 1";

const REASONS: [(&str, &str); 9] = [
    ("change_feed (number)", "a number that nobody chooses"),
    ("checkpoint_key (id)", "keys are the installation's"),
    ("client (agent_id)", "it tells the organization to whoever does not know it"),
    ("organization (id)", "it is the organization"),
    ("organization (kind)", "there is one platform"),
    ("organization -> audit_event", "by its id, which is the organization"),
    ("signing_key (algorithm)", "likewise: of each algorithm one is active"),
    ("signing_key (algorithm)", "likewise: and one is next"),
    ("signing_key (id)", "likewise"),
];

#[tokio::test]
async fn tn_03_every_key_is_of_one_organization_but_those_that_are_known() {
    let database = Database::migrated().await;
    let known: Vec<_> = REASONS.iter().map(|(key, _)| *key).collect();
    assert_eq!(names(&database, UNBOUND).await, known);
}

/// What may be run by nobody else's right: there is no function of the kind, and no view.
#[tokio::test]
async fn tn_08_nothing_in_the_schema_acts_as_its_owner() {
    let database = Database::migrated().await;
    let definers = "SELECT proname::text FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prosecdef";
    assert_eq!(names(&database, definers).await, [""; 0]);
    let views = "SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')";
    assert_eq!(names(&database, views).await, [""; 0]);
    let owners = "SELECT DISTINCT pg_get_userbyid(relowner)::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(names(&database, owners).await, ["idp_owner"]);
}
