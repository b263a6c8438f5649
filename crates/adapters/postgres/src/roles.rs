//! The roles: who owns the schema, who may change it, and who serves requests.
//!
//! Roles belong to the whole server and not to one database, so they stand in no migration.

use sqlx::{Executor, PgConnection, Row};

/// Each is made if it is not there: another database of this server may have them already, and
/// somebody else may be making them at this moment.
const CREATE: &str = "
    DO $$
    DECLARE wanted text;
    BEGIN
        FOREACH wanted IN ARRAY ARRAY['idp_owner', 'idp_migrator', 'idp_app', 'idp_eraser'] LOOP
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
                BEGIN
                    EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
                EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
                END;
            END IF;
        END LOOP;
    END $$";

/// Whoever migrates acts as the owner. Each grant only where it is missing: later migrations may be
/// run by somebody who may grant nothing. From version 16 on whoever makes a role is a member of it, and
/// may all the same not act as it.
const GRANT: &str = "
    DO $$
    DECLARE
        right_to_act text := CASE
            WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER'
        END;
    BEGIN
        IF NOT pg_has_role('idp_migrator', 'idp_owner', 'MEMBER') THEN
            BEGIN
                GRANT idp_owner TO idp_migrator;
            EXCEPTION WHEN unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, 'idp_owner', right_to_act) THEN
            GRANT idp_owner TO current_user;
        END IF;
        -- First, since until version 14 everybody may create there, the owner too.
        IF has_schema_privilege('idp_app', 'public', 'CREATE') THEN
            REVOKE CREATE ON SCHEMA public FROM PUBLIC, idp_app;
        END IF;
        IF NOT (
            has_schema_privilege('idp_owner', 'public', 'CREATE')
            AND has_schema_privilege('idp_owner', 'public', 'USAGE')
        ) THEN
            GRANT CREATE, USAGE ON SCHEMA public TO idp_owner;
        END IF;
        IF NOT has_schema_privilege('idp_app', 'public', 'USAGE') THEN
            GRANT USAGE ON SCHEMA public TO idp_app;
        END IF;
        IF NOT has_schema_privilege('idp_eraser', 'public', 'USAGE') THEN
            GRANT USAGE ON SCHEMA public TO idp_eraser;
        END IF;
        -- A temporary table stands before one of ours that has its name.
        IF has_database_privilege('idp_app', current_database(), 'TEMPORARY') THEN
            EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC, idp_app', current_database());
        END IF;
    END $$";

/// The server becomes the eraser where it erases, and has none of the eraser's rights where it does
/// not: it may take the role, and inherits nothing of it. Until version 15 that is a property of the
/// member, from 16 on of the membership. Somebody else may be granting it at this moment, in another
/// database of this server: the two fail each other, and whoever fails looks again.
const LEND_ERASER: &str = "
    DO $$
    BEGIN
        FOR attempt IN 1..100 LOOP
            IF pg_has_role('idp_app', 'idp_eraser', 'MEMBER') AND NOT pg_has_role('idp_app', 'idp_eraser', 'USAGE') THEN
                RETURN;
            END IF;
            BEGIN
                IF current_setting('server_version_num')::int >= 160000 THEN
                    EXECUTE 'GRANT idp_eraser TO idp_app WITH INHERIT FALSE, SET TRUE';
                ELSE
                    ALTER ROLE idp_app NOINHERIT;
                    GRANT idp_eraser TO idp_app;
                END IF;
                RETURN;
            EXCEPTION WHEN unique_violation OR internal_error THEN
                IF attempt = 100 THEN RAISE; END IF;
                PERFORM pg_sleep(0.02);
            END;
        END LOOP;
    END $$";

const ACT_AS_OWNER: &str = "SET ROLE idp_owner";

/// What each role must not be able to do.
const DANGEROUS: &str = "
    SELECT rolname FROM pg_roles
    WHERE rolname IN ('idp_owner', 'idp_app', 'idp_eraser')
        AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
    ORDER BY rolname";

/// Makes the roles where they are missing, and acts as the owner from then on. Gives back the names
/// of roles that may do what they must not.
pub(crate) async fn prepare(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    connection.execute(CREATE).await?;
    connection.execute(GRANT).await?;
    connection.execute(LEND_ERASER).await?;
    let dangerous = sqlx::query(DANGEROUS).fetch_all(&mut *connection).await?;
    connection.execute(ACT_AS_OWNER).await?;
    dangerous.iter().map(|row| row.try_get(0)).collect()
}
