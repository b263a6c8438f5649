//! AU-02: the audit log cannot be written, and everything else can.

use crate::{installation::Installation, outage::Scene, wire::send};

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

/// Nobody could mend by waiting that an event is written for an organization that the statement does
/// not name.
#[test]
fn au_02_where_row_level_security_refuses_an_event_it_is_told_as_a_fault_and_no_token_leaves() {
    let installation = Installation::start();
    let server = installation.server();
    let record = installation.record();
    installation.sql("DROP POLICY named_organizations ON audit_event");
    let answer = send(&server.address, &installation.admin().asks());
    assert_eq!((answer.status, answer.retry_after()), (500, None), "{}", answer.body);
    assert_eq!(installation.record(), record);
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
