//! DO-03: a PostgreSQL that is set to be read only, or has no room left on its disk.

use crate::outage::Scene;

/// As an administrator does it, or a service that runs out of room: for whoever connects from now on.
const READ_ONLY: &str = "ALTER DATABASE postgres SET default_transaction_read_only = on";
const WRITABLE: &str = "ALTER DATABASE postgres RESET default_transaction_read_only";
const HANG_UP: &str =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'idp'";

#[test]
fn do_03_a_database_that_is_read_only_takes_no_change_and_is_still_read() {
    let scene = Scene::new();
    let record = scene.installation.record();
    scene.installation.sql(READ_ONLY);
    scene.installation.sql(HANG_UP);
    scene.expect_nothing_written("read only");
    scene.expect_reads("read only");
    assert_eq!(scene.installation.record(), record);

    // Sessions that began meanwhile stay read only. Nobody hangs them up: the server does it itself,
    // once a change has failed on one.
    scene.installation.sql(WRITABLE);
    scene.expect_healed_after("read only", 1);
}

/// What PostgreSQL says where a table or an index cannot grow.
const FULL: &str = "
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON audit_event
        FOR EACH STATEMENT EXECUTE FUNCTION full_disk()";
const FREED: &str = "DROP FUNCTION full_disk() CASCADE";

#[test]
fn do_03_a_full_disk_takes_no_change_and_what_is_on_it_is_read() {
    let scene = Scene::new();
    let record = scene.installation.record();
    scene.installation.sql(FULL);
    scene.expect_nothing_written("full disk");
    scene.expect_reads("full disk");
    assert_eq!(scene.installation.record(), record);
    scene.installation.sql(FREED);
    scene.expect_healed("full disk");
}
