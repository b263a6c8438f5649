//! DO-08: rows that cannot be, written by SQL past every trigger and check. Whoever needs one is
//! told that the server is at fault; nobody else notices.

use serde_json::Value;

use crate::{
    client::{Client, introspects, register},
    founding,
    installation::Installation,
    wire::{Request, send},
};

/// No column is checked any more.
const UNGUARDED: &str = "
    DO $$ DECLARE one record; BEGIN
        FOR one IN SELECT conrelid::regclass AS place, conname FROM pg_constraint
            WHERE contype = 'c' AND connamespace = 'public'::regnamespace
        LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.place, one.conname); END LOOP;
    END $$;
    ALTER TABLE organization ALTER name DROP NOT NULL;
    ALTER TABLE agent ALTER owner DROP NOT NULL";

/// What is done to an agent.
const OF_AGENTS: [&str; 9] = [
    "roles = '{emperor}'",
    "version = ''",
    "owner = NULL",
    "email = ' ', email_folded = ' '",
    "status = 'gone'",
    "capabilities = '{}'",
    "metadata = '[1]'",
    "created_at = -9223372036854775808",
    "revision = 0",
];

/// What is done to the credential of one.
const OF_CREDENTIALS: [&str; 5] = [
    "state = 'melted'",
    "hash = ''",
    "pepper_version = 0",
    "expires_at = 9223372036854775807",
    "created_at = -1",
];

/// What is done to an organization.
const OF_ORGANIZATIONS: [&str; 3] = ["plan = 'gold'", "status = ''", "name = NULL"];

#[test]
fn do_08_a_row_that_cannot_be_is_a_fault_of_the_request_that_needs_it_and_of_no_other() {
    let installation = Installation::start();
    let names: Vec<String> =
        (0..OF_ORGANIZATIONS.len()).map(|number| format!("organization-{number}")).collect();
    let organizations = founding::found(&installation.postgres.url(), &names);
    let server = installation.server();
    let token = installation.admin().token(&server.address);
    let new = |kind: &str, number: usize| {
        register(&server.address, &token, &format!("{kind}-{number}@example.com"))
    };
    let good = new("good", 0);
    let of_agents: Vec<_> = (0..OF_AGENTS.len()).map(|number| new("agent", number)).collect();
    let of_credentials: Vec<_> =
        (0..OF_CREDENTIALS.len()).map(|number| new("credential", number)).collect();
    server.end();

    installation.sql(UNGUARDED);
    for (damage, Client { id, .. }) in OF_AGENTS.iter().zip(&of_agents) {
        damage_row(&installation, "agent", damage, &format!("id = '{id}'"));
    }
    for (damage, Client { id, .. }) in OF_CREDENTIALS.iter().zip(&of_credentials) {
        damage_row(&installation, "credential", damage, &format!("agent_id = '{id}'"));
    }
    for (damage, founded) in OF_ORGANIZATIONS.iter().zip(&organizations) {
        let row = format!("id = '{}'", founded.organization);
        damage_row(&installation, "organization", damage, &row);
    }

    // It starts, with all of that there.
    let server = installation.server();
    let address = &server.address;
    let all = OF_AGENTS.iter().zip(&of_agents).chain(OF_CREDENTIALS.iter().zip(&of_credentials));
    for (damage, client) in all {
        expect_fault(send(address, &client.asks()), damage);
        send(address, &good.asks()).expect(200);
    }
    for (damage, founded) in OF_ORGANIZATIONS.iter().zip(&organizations) {
        let client = Client { id: founded.admin.clone(), secret: founded.secret.clone() };
        expect_fault(send(address, &client.asks()), damage);
    }
    for (damage, client) in OF_AGENTS.iter().zip(&of_agents) {
        let request = Request::get(&format!("/api/v1/agents/{}", client.id)).bearer(&token);
        expect_fault(send(address, &request), damage);
    }
    let good = Request::get(&format!("/api/v1/agents/{}", good.id)).bearer(&token);
    send(address, &good).expect(200);
    register(address, &token, "later@example.com");
    assert_eq!(send(address, &introspects(&token, &token)).expect(200)["active"], true);
    assert_eq!(send(address, &Request::get("/health/detailed")).status, 200);
    let log = server.end();
    assert!(log.contains("holds a row that cannot be") && !log.contains("panicked"), "{log}");
}

fn damage_row(installation: &Installation, table: &str, damage: &str, row: &str) {
    installation.sql(&format!(
        "SET session_replication_role = replica; UPDATE {table} SET {damage} WHERE {row}"
    ));
}

/// A fault of the server, of which the caller learns nothing.
#[track_caller]
fn expect_fault(answer: crate::wire::Answer, damage: &str) {
    assert_eq!(answer.status, 500, "{damage}: {}", answer.body);
    let body: Value = answer.expect(500);
    let told = body["error_description"].as_str().or(body["message"].as_str());
    assert_eq!(told, Some("internal error"), "{damage}");
}

/// The replicas that looked at the feed a while after its last change.
const LOOKED: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE application_name = 'idp' AND query LIKE '%LEFT JOIN change_feed%'
        AND query_start > (SELECT max(changed_at) FROM change_feed) + interval '300 ms'";

#[test]
fn do_08_a_change_that_cannot_be_read_keeps_no_replica_from_the_next() {
    let installation = Installation::start_with(&[("IDP_LOG", "warn")]);
    let (one, other) = (installation.server(), installation.server());
    let token = installation.admin().token(&one.address);
    let client = register(&one.address, &token, "agent@example.com");
    let theirs = client.token(&one.address);
    let is_active =
        || send(&other.address, &introspects(&theirs, &token)).expect(200)["active"] == true;
    assert!(is_active());
    // In a transaction that stays open, so that it is found at each look until the end.
    let _open = installation.hold("CREATE TEMP TABLE unfinished (id bigint)");
    installation.sql(
        "INSERT INTO change_feed (organization_id, resource_kind, resource_id)
         SELECT id, garbage, '' FROM organization, unnest(ARRAY['agent', 'planet', '']) AS garbage",
    );
    // Both have looked, and have done so again.
    installation.wait_until(LOOKED, "2");
    let path = format!("/api/v1/agents/{}", client.id);
    let suspended = serde_json::json!({"status": "suspended"});
    let suspension = Request::new("PATCH", &path).bearer(&token).json(&suspended);
    send(&one.address, &suspension).expect(200);
    // Copies would say so for at most a second.
    let asked = std::iter::repeat_with(is_active).take(20_000);
    assert!(asked.into_iter().any(|active| !active));
    let log = other.end();
    // It sees the changes of others still: whoever does not asks the store about everything.
    assert!(!log.contains("panicked") && !log.contains("cannot be seen"), "{log}");
}

const DAMAGED_KEY: &str =
    "SET session_replication_role = replica; UPDATE signing_key SET private_key = '', revision = 9";
const TOLD: &str = "
    INSERT INTO change_feed (organization_id, resource_kind, resource_id)
    SELECT event_organization_id, 'signing_key', id FROM signing_key";

#[test]
fn do_08_a_key_that_cannot_be_read_ends_no_server_that_runs_and_lets_none_start() {
    let installation = Installation::start();
    let mut server = installation.server();
    let admin = installation.admin();
    let token = admin.token(&server.address);
    installation.sql(DAMAGED_KEY);
    installation.sql(TOLD);
    // The server looks at the feed four times a second, and says once that it cannot open the key.
    let clock = local::SystemClock::new();
    let begun = kernel::Clock::now(&clock);
    while kernel::Clock::now(&clock).since(begun).as_millis() < 1_000 {
        admin.token(&server.address);
        let judged = introspects(&token, &token);
        assert_eq!(send(&server.address, &judged).expect(200)["active"], true);
    }
    server.expect_running();

    let started = installation.command(&["serve"]).output().unwrap();
    assert_eq!(started.status.code(), Some(1));
    let said = String::from_utf8_lossy(&started.stderr);
    assert!(said.contains("signing key") && !said.contains("panicked"), "{said}");

    let log = server.end();
    assert!(log.contains("signing keys of another replica cannot be opened"), "{log}");
    assert!(!log.contains("panicked"), "{log}");
}
