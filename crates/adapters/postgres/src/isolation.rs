//! Whether row-level security is a wall, or whether the server could pass it.

use std::fmt;

use sqlx::{AssertSqlSafe, PgConnection, Row};

/// How much is made of a server that could pass row-level security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// It is not let in: production.
    Demanded,
    /// It is told in the log: a laptop.
    Preferred,
}

/// A way past the wall, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding(String);

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whom the server can act as: the role that it took, whoever logged in and could take it back, and
/// whatever either is a member of. A superuser is a member of everything, which is told once.
const REACHED: &str = "
    WITH RECURSIVE taken AS (
        SELECT oid, rolsuper FROM pg_roles WHERE rolname IN (session_user, current_user)
    ), reached AS (
        SELECT DISTINCT role.*
        FROM pg_roles AS role
        JOIN taken ON role.oid = taken.oid
            OR (NOT taken.rolsuper AND pg_has_role(taken.oid, role.oid, 'MEMBER'))
    ), plain AS (
        SELECT oid, rolname FROM reached WHERE NOT rolsuper
    ), tables AS (
        SELECT oid, relname, relowner, relrowsecurity, relforcerowsecurity
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'f')
    ), shown AS (
        SELECT oid FROM tables
        UNION
        SELECT ev_class
        FROM shown
        JOIN pg_depend ON refclassid = 'pg_class'::regclass AND refobjid = shown.oid
        JOIN pg_rewrite ON classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
    ), ours AS (
        SELECT proname, pg_proc.oid, prosecdef, prolang
        FROM pg_proc
        JOIN pg_namespace ON pg_namespace.oid = pronamespace
        WHERE nspname NOT IN ('pg_catalog', 'information_schema')
    )";

/// Ways past the wall, each a list of them in words.
const FINDINGS: [&str; 15] = [
    "SELECT format('the server may act as `%s`, which %s', rolname, power)
    FROM reached
    CROSS JOIN LATERAL (VALUES
        (rolsuper, 'is a superuser'),
        (rolbypassrls, 'passes row-level security'),
        (rolcreaterole, 'may create roles'),
        (rolreplication, 'may copy the whole server')
    ) AS powers (held, power)
    WHERE held",
    "SELECT format('the server may act as `%s`, which reaches past its rights', rolname)
    FROM plain
    WHERE rolname IN (
        'pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
        'pg_execute_server_program', 'pg_create_subscription'
    )",
    "SELECT format('the server may act as `%s`, which owns things in schema `public`', rolname)
    FROM plain
    WHERE oid IN (SELECT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace)
        OR oid IN (SELECT proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace)",
    "SELECT format('the server may act as `%s`, which owns schema `public`', rolname)
    FROM plain
    WHERE oid = (SELECT nspowner FROM pg_namespace WHERE nspname = 'public')",
    "SELECT format('the server may act as `%s`, which owns the database', rolname)
    FROM plain
    WHERE oid = (SELECT datdba FROM pg_database WHERE datname = current_database())",
    "SELECT format('role `%s` may define things in schema `public`', rolname)
    FROM plain WHERE has_schema_privilege(oid, 'public', 'CREATE')",
    "SELECT format('role `%s` may define schemas in the database', rolname)
    FROM plain WHERE has_database_privilege(oid, current_database(), 'CREATE')",
    "SELECT format('role `%s` may make temporary tables, which stand before ours', rolname)
    FROM plain WHERE has_database_privilege(oid, current_database(), 'TEMPORARY')",
    "SELECT format('table `%s` has no forced row-level security', relname)
    FROM tables
    WHERE relname <> '_sqlx_migrations'
        AND NOT (relrowsecurity AND relforcerowsecurity)
        AND EXISTS (
            SELECT 1 FROM plain
            WHERE has_any_column_privilege(plain.oid, tables.oid, 'SELECT, INSERT, UPDATE')
                OR has_table_privilege(plain.oid, tables.oid, 'DELETE')
        )",
    "SELECT format('policy `%s` of table `%s` names no organization', polname, relname)
    FROM pg_policy
    JOIN tables ON tables.oid = polrelid
    CROSS JOIN LATERAL (VALUES (polqual), (polwithcheck)) AS parts (part)
    WHERE polpermissive
        AND (polroles = '{0}' OR EXISTS (SELECT 1 FROM plain WHERE plain.oid = ANY (polroles)))
        AND pg_get_expr(part, polrelid) !~ '(current_organization\\(|current_setting\\(''app\\.)'",
    "SELECT format('role `%s` has the right to %s on table `%s`', rolname, what, relname)
    FROM plain
    CROSS JOIN tables
    CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES'])
        AS what
    WHERE (
            what IN ('TRUNCATE', 'TRIGGER', 'REFERENCES')
            OR relname = '_sqlx_migrations'
            OR (
                relname IN ('audit_event', 'client', 'audit_leaf', 'audit_stored_hash', 'checkpoint_key')
                AND what <> 'INSERT'
            )
            OR (relname = 'audit_pending' AND what = 'UPDATE')
            OR (relname = 'audit_log' AND what = 'DELETE')
            OR (what = 'DELETE' AND EXISTS (
                SELECT 1 FROM pg_attribute WHERE attrelid = tables.oid AND attname = 'revision'
            ))
        )
        -- Who erases changes events, and only as their trigger lets it.
        AND NOT (rolname = 'idp_eraser' AND relname = 'audit_event' AND what = 'UPDATE')
        AND CASE
            WHEN what IN ('INSERT', 'UPDATE', 'REFERENCES')
                THEN has_any_column_privilege(plain.oid, tables.oid, what)
            ELSE has_table_privilege(plain.oid, tables.oid, what)
        END",
    "SELECT format('view `%s` does not act as whoever asks it', relname)
    FROM pg_class
    JOIN shown ON shown.oid = pg_class.oid
    WHERE (
            relkind = 'm'
            OR (
                relkind = 'v'
                AND NOT coalesce(reloptions::text ~ 'security_invoker=(true|on|yes|1)', false)
            )
        )
        AND EXISTS (
            SELECT 1 FROM plain
            WHERE has_any_column_privilege(plain.oid, pg_class.oid, 'SELECT, INSERT, UPDATE')
                OR has_table_privilege(plain.oid, pg_class.oid, 'DELETE')
        )",
    "SELECT format('function `%s` acts as its owner', proname)
    FROM ours
    WHERE prosecdef
        AND EXISTS (SELECT 1 FROM plain WHERE has_function_privilege(plain.oid, ours.oid, 'EXECUTE'))",
    "SELECT format('function `%s` is of a language that can do anything', proname)
    FROM ours
    JOIN pg_language ON pg_language.oid = prolang
    WHERE NOT lanpltrusted AND lanname NOT IN ('internal', 'c')
        AND EXISTS (SELECT 1 FROM plain WHERE has_function_privilege(plain.oid, ours.oid, 'EXECUTE'))",
    "SELECT format('trigger `%s` of table `%s` is switched off', tgname, relname)
    FROM pg_trigger
    JOIN tables ON tables.oid = tgrelid
    WHERE tgenabled NOT IN ('O', 'A')",
];

/// From version 15 on, even this can be granted.
const SWITCHES: &str = "SELECT format('role `%s` may switch triggers off', rolname)
    FROM plain WHERE has_parameter_privilege(oid, 'session_replication_role', 'SET')";
const SWITCHES_SINCE: u32 = 150_000;

/// Every way past the wall that this connection has.
pub(crate) async fn findings(connection: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let mut ways = FINDINGS.to_vec();
    if connection.server_version_num().is_some_and(|version| version >= SWITCHES_SINCE) {
        ways.push(SWITCHES);
    }
    let query = format!("{REACHED} {} ORDER BY 1", ways.join(" UNION "));
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0).map(Finding)).collect()
}
