//! DO-01: PostgreSQL is killed in the midst of a commit, and nobody knows how it ended. The
//! idempotency key does.

use std::thread;

use crate::{
    client::agent,
    installation::Installation,
    wire::{Request, send},
};

const ROUNDS: u32 = 10;

/// A commit that is held up before it is written: it will be lost.
const HELD_BEFORE: &str = "
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(60); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON agent DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION hold()";
const LET_GO_BEFORE: &str = "DROP FUNCTION hold() CASCADE";

/// A commit that is on the disk, and waits for a second server that does not exist: it will be there.
const HELD_AFTER: &str = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'";
const LET_GO_AFTER: &str = "ALTER SYSTEM RESET synchronous_standby_names";
const RELOAD: &str = "SELECT pg_reload_conf()";

/// Whether the registration's commit is held up. Its locks tell it from what the server commits on its
/// own account, which is held up as well: only a registration writes into both tables.
const COMMITTING: &str = "
    SELECT count(*) > 0 FROM pg_stat_activity AS backend
    WHERE application_name = 'idp' AND query = 'COMMIT' AND wait_event IN ('PgSleep', 'SyncRep')
        AND ARRAY['agent', 'idempotency_key'] <@ ARRAY(
            SELECT relation::regclass::text FROM pg_locks
            WHERE pg_locks.pid = backend.pid AND mode = 'RowExclusiveLock' AND granted
                AND relation IS NOT NULL)";

#[test]
fn do_01_after_a_kill_within_a_commit_the_same_key_finds_or_makes_the_one_agent() {
    let mut installation = Installation::start();
    let mut server = installation.server();
    let address = server.address.clone();
    let token = installation.admin().token(&address);
    for round in 0..ROUNDS {
        let is_durable = round % 2 == 1;
        let email = format!("agent-{round}@example.com");
        let request = Request::new("POST", "/api/v1/agents")
            .bearer(&token)
            .header("Idempotency-Key", &format!("key-{round}"))
            .json(&agent(&email));
        hold(&installation, is_durable);
        thread::scope(|scope| {
            let registering = scope.spawn(|| send(&address, &request));
            installation.wait_until(COMMITTING, "t");
            installation.postgres.kill().unwrap();
            registering.join().unwrap().expect_outage("the registration");
        });
        installation.postgres.restart().unwrap();
        let count = format!("SELECT count(*) FROM agent WHERE email = '{email}'");
        assert_eq!(installation.number(&count), u64::from(is_durable), "round {round}");
        let_go(&installation, is_durable);

        let answer = loop {
            let answer = send(&address, &request);
            if answer.status != 503 {
                break answer;
            }
            answer.expect_outage("trying again");
        };
        let first = answer.expect(201);
        let again = send(&address, &request).expect(201);
        assert_eq!(again["agentId"], first["agentId"], "round {round}");
        assert_eq!(installation.number(&count), 1, "round {round}");
    }
    let events = "SELECT count(*) FROM audit_event WHERE action = 'agent.created'";
    // One is the admin's.
    assert_eq!(installation.number(events), u64::from(ROUNDS) + 1);
    server.expect_running();
}

fn hold(installation: &Installation, is_durable: bool) {
    if is_durable {
        installation.sql(HELD_AFTER);
        installation.sql(RELOAD);
        // Its processes hear of it one after the other.
        installation.wait_until("SHOW synchronous_standby_names", "nobody");
        // A commit waits once the checkpointer has, which hears before it does what it is asked to.
        installation.sql("CHECKPOINT");
    } else {
        installation.sql(HELD_BEFORE);
    }
}

fn let_go(installation: &Installation, is_durable: bool) {
    if is_durable {
        installation.sql(LET_GO_AFTER);
        installation.sql(RELOAD);
        installation.wait_until("SHOW synchronous_standby_names", "");
    } else {
        installation.sql(LET_GO_BEFORE);
    }
}
