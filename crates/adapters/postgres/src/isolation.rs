//! Whether row-level security is a wall, or whether the server could pass it.

use std::fmt;

use sqlx::{PgConnection, Row};

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

/// One row for each way past the wall: by whoever logged in, who could take back the role that the
/// server took; by that role itself; and by the schema.
const FINDINGS: &str = "
    SELECT format('user `%s` logs in as a superuser', rolname)
        FROM pg_roles WHERE rolname = session_user AND rolsuper
    UNION ALL
    SELECT format('user `%s` passes row-level security', rolname)
        FROM pg_roles WHERE rolname = session_user AND rolbypassrls AND NOT rolsuper
    UNION ALL
    SELECT format('user `%s` may create roles', rolname)
        FROM pg_roles WHERE rolname = session_user AND rolcreaterole AND NOT rolsuper
    UNION ALL
    SELECT format('user `%s` may act as `%s`, which owns table `%s`', session_user, pg_get_userbyid(relowner), relname)
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND pg_has_role(session_user, relowner, 'MEMBER')
            AND NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = session_user AND rolsuper)
    UNION ALL
    SELECT format('role `%s` is a superuser, passes row-level security or may create roles', rolname)
        FROM pg_roles
        WHERE rolname = current_user AND rolname <> session_user AND (rolsuper OR rolbypassrls OR rolcreaterole)
    UNION ALL
    SELECT format('role `%s` may act as `%s`, which owns table `%s`', current_user, pg_get_userbyid(relowner), relname)
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND pg_has_role(current_user, relowner, 'MEMBER')
    UNION ALL
    SELECT format('role `%s` may define things in schema `public`', current_user)
        WHERE has_schema_privilege(current_user, 'public', 'CREATE')
    UNION ALL
    SELECT format('table `%s` has no forced row-level security', relname)
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
            AND relname <> '_sqlx_migrations'
            AND has_table_privilege(current_user, oid, 'SELECT, INSERT, UPDATE, DELETE')
            AND NOT (relrowsecurity AND relforcerowsecurity)
    UNION ALL
    SELECT format('role `%s` may change or delete audit events', current_user)
        WHERE has_table_privilege(current_user, 'public.audit_event', 'UPDATE, DELETE, TRUNCATE, TRIGGER')
    UNION ALL
    SELECT format('view `%s` does not act as whoever asks it', relname)
        FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
            AND NOT coalesce(reloptions::text ~ 'security_invoker=(true|on|1)', false)
    UNION ALL
    SELECT format('function `%s` acts as its owner', proname)
        FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND prosecdef
            AND has_function_privilege(current_user, oid, 'EXECUTE')";

/// Every way past the wall that this connection has.
pub(crate) async fn findings(connection: &mut PgConnection) -> Result<Vec<Finding>, sqlx::Error> {
    let rows = sqlx::query(FINDINGS).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0).map(Finding)).collect()
}
