//! AU-02: the audit log cannot be written, and everything else can.

use crate::outage::Scene;

#[test]
fn au_02_where_the_log_refuses_nothing_changes_and_no_token_leaves() {
    let scene = Scene::new();
    for (fault, begin, end) in [
        (
            "a trigger",
            "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN RAISE EXCEPTION 'it fails'; END $$;
             CREATE TRIGGER fails BEFORE INSERT ON audit_event
                 FOR EACH ROW EXECUTE FUNCTION fails()",
            "DROP FUNCTION fails() CASCADE",
        ),
        (
            "a right that was taken away",
            "REVOKE INSERT (id) ON audit_event FROM idp_app",
            "GRANT INSERT (id) ON audit_event TO idp_app",
        ),
    ] {
        let record = scene.installation.record();
        scene.installation.sql(begin);
        scene.expect_nothing_written(fault);
        scene.expect_reads(fault);
        assert_eq!(scene.installation.record(), record, "{fault}");
        scene.installation.sql(end);
        scene.expect_healed(fault);
    }
}

const WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'idp' AND state = 'active' AND wait_event_type = 'Lock'";

#[test]
fn au_02_where_the_log_is_locked_nothing_changes_and_no_token_leaves() {
    let scene = Scene::new();
    let record = scene.installation.record();
    let held = scene.installation.hold("LOCK TABLE audit_event IN ACCESS EXCLUSIVE MODE");
    scene.expect_nothing_written("a lock");
    // Whoever waits for the lock still, on behalf of somebody who was refused already, must not get it.
    scene.installation.wait_until(WAITING, "0");
    drop(held);
    assert_eq!(scene.installation.record(), record);
    scene.expect_healed("a lock");
}
