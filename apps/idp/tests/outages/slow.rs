//! DS-10: PostgreSQL answers, and takes its time.

use crate::{
    client::send_all,
    outage::Scene,
    wire::{Request, send},
};

/// How many ask at the same time.
const MANY: usize = 500;

/// Each event takes two seconds to write.
const SLOW_LOG: &str = "
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
    CREATE TRIGGER dawdle BEFORE INSERT ON audit_event
        FOR EACH STATEMENT EXECUTE FUNCTION dawdle()";
const BRISK_LOG: &str = "DROP FUNCTION dawdle() CASCADE";

#[test]
fn ds_10_while_the_log_is_slow_500_callers_are_told_to_come_again_and_health_answers() {
    let scene = Scene::new();
    scene.installation.sql(SLOW_LOG);
    flood(&scene.server.address, &scene.installation.admin().asks());
    scene.installation.sql(BRISK_LOG);
    scene.expect_healed_in_time("slow log");
}

const WAITING: &str = "
    SELECT count(*) > 0 FROM pg_stat_activity
    WHERE application_name = 'idp' AND wait_event_type = 'Lock'";

#[test]
fn ds_10_while_every_connection_hangs_500_callers_are_told_to_come_again_and_health_tells() {
    let scene = Scene::new();
    let held = scene.installation.hold("LOCK TABLE agent IN ACCESS EXCLUSIVE MODE");
    let (address, request) = (&scene.server.address, scene.reads());
    std::thread::scope(|scope| {
        let flooding = scope.spawn(|| flood(address, &request));
        scene.installation.wait_until(WAITING, "t");
        let health = send(address, &Request::get("/health/detailed"));
        health.expect_in_time("the health of services");
        let status = health.status;
        let body: serde_json::Value = serde_json::from_str(&health.body).unwrap();
        let told = (status, body["services"]["database"]["status"].as_str().unwrap());
        assert!([(503, "unreachable"), (200, "degraded")].contains(&told), "{told:?}");
        flooding.join().unwrap();
    });
    drop(held);
    scene.expect_healed_in_time("hanging");
}

/// Many ask at the same time, and are refused in time; whoever asks whether the process lives is
/// answered meanwhile.
#[track_caller]
fn flood(address: &str, request: &Request) {
    let mut requests = vec![("a request", request.clone()); MANY];
    requests.extend(vec![("health", Request::get("/health")); 20]);
    for (number, answer) in send_all(address, &requests).into_iter().enumerate() {
        if number < MANY {
            answer.expect_outage(&format!("request {number}"));
        } else {
            answer.expect_in_time("health");
            answer.expect(200);
        }
    }
}
