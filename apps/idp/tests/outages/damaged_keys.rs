//! JR-04, JR-07, SM-01: rows of signing keys that cannot be read, written by SQL past every trigger.

use std::time::Duration;

use kernel::Clock;
use local::SystemClock;
use serde_json::Value;

use crate::{
    client::introspects,
    installation::{Installation, Server},
    wire::{Request, send},
};

/// What is done to the row of a key. Each leaves it as it is but for one column.
const DAMAGE: [&str; 5] = [
    "public_key = '\\xdeadbeef'",
    "id = 'garbage ' || id",
    "state_at = 9223372036854775807",
    "created_at = -9223372036854775808",
    "public_key = (SELECT other.public_key FROM signing_key other WHERE other.id <> signing_key.id
        AND other.algorithm = signing_key.algorithm AND length(other.public_key) > 4 LIMIT 1)",
];

/// A test that waits for something asks more often than anybody else.
const MANY: [(&str, &str); 1] = [("IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE", "4294967295")];

const FED: &str = "INSERT INTO change_feed (organization_id, resource_kind, resource_id)
    SELECT id, 'signing_key', 'any' FROM organization LIMIT 1";

const STATES: &str =
    "SELECT string_agg(state, ' ' ORDER BY state) FROM signing_key WHERE algorithm = 'ES256'";

/// Writes it past every trigger, and tells the servers of it.
#[track_caller]
fn spoil(installation: &Installation, statement: &str) {
    installation.sql(&format!("SET session_replication_role = replica; {statement}; {FED}"));
}

fn id_of(installation: &Installation, state: &str) -> String {
    installation
        .sql(&format!("SELECT id FROM signing_key WHERE state = '{state}' AND algorithm = 'ES256'"))
}

fn kids(server: &Server) -> Vec<Value> {
    let keys = send(&server.address, &Request::new("GET", "/.well-known/jwks.json")).expect(200);
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

fn is_active(server: &Server, token: &str, bearer: &str) -> bool {
    send(&server.address, &introspects(token, bearer)).expect(200)["active"] == true
}

/// Waits until the server has read the keys anew and this one is gone.
#[track_caller]
fn wait_until_gone(server: &Server, kid: &str) {
    let gone = || kids(server).iter().all(|known| known != kid);
    assert!(std::iter::repeat_with(gone).take(20_000).any(|gone| gone), "`{kid}` stays");
}

#[test]
fn jr_07_a_running_server_goes_on_with_a_key_whose_row_can_no_longer_be_read() {
    let installation = Installation::start_with(&MANY);
    let server = installation.server();
    let token = installation.admin().token(&server.address);
    let (kid, next) = (id_of(&installation, "active"), id_of(&installation, "published"));
    installation.sql("CREATE TABLE saved AS SELECT * FROM signing_key");
    for damage in DAMAGE {
        // The next key is ended with it, by which the server is seen to have read both.
        let ended = format!("UPDATE signing_key SET state = 'compromised' WHERE id = '{next}'");
        let damaged = format!("UPDATE signing_key SET {damage} WHERE id = '{kid}'");
        spoil(&installation, &format!("{damaged}; {ended}"));
        wait_until_gone(&server, &next);
        let fresh = installation.admin().token(&server.address);
        assert!(is_active(&server, &token, &fresh) && is_active(&server, &fresh, &token));
        spoil(&installation, "DELETE FROM signing_key; INSERT INTO signing_key TABLE saved");
        let whole = || kids(&server).iter().any(|known| known == next.as_str());
        assert!(std::iter::repeat_with(whole).take(20_000).any(|whole| whole), "{damage}");
    }
    // What the store says is over is, though nothing else of its row can be read.
    let over = "UPDATE signing_key SET state = 'compromised', public_key = '\\xdeadbeef'";
    spoil(&installation, &format!("{over} WHERE id = '{kid}'"));
    wait_until_gone(&server, &kid);
    assert_eq!(send(&server.address, &introspects(&token, &token)).status, 401);
}

#[test]
fn jr_07_a_server_starts_though_the_row_of_the_key_that_signs_cannot_be_read() {
    let installation = Installation::start_with(&[("IDP_SIGNING_ALGORITHMS", "ES256,EdDSA")]);
    installation.server().end();
    for (turn, damage) in DAMAGE.iter().enumerate() {
        let next = id_of(&installation, "published");
        spoil(
            &installation,
            &format!(
                "UPDATE signing_key SET {damage} WHERE state = 'active' AND algorithm = 'ES256'"
            ),
        );
        let server = installation.server();
        let token = installation.admin().token(&server.address);
        assert!(is_active(&server, &token, &token), "{damage}");
        assert_eq!(id_of(&installation, "active"), next);
        let compromised = "compromised ".repeat(turn + 1);
        assert_eq!(installation.sql(STATES), format!("active {compromised}published"));
        let path = "/api/v1/audit?action=signing_key.compromised";
        let told = send(&server.address, &Request::new("GET", path).bearer(&token)).expect(200);
        assert_eq!(told["total"], turn + 1);
        assert_eq!(told["data"][0]["metadata"]["reason"], "damaged");
        server.end();
    }
}

#[test]
fn jr_04_a_row_that_cannot_be_read_keeps_no_key_from_being_compromised_and_ends_itself() {
    let installation = Installation::start();
    installation.server().end();
    for damage in DAMAGE {
        let active = id_of(&installation, "active");
        spoil(&installation, &format!("UPDATE signing_key SET {damage} WHERE state = 'published'"));
        let said = installation.idp(&["keys", "compromise", &active]);
        assert!(said.contains("signs by ES256 from now on"), "{damage}: {said}");
        assert!(said.contains(&active));

        spoil(&installation, &format!("UPDATE signing_key SET {damage} WHERE state = 'published'"));
        let bad = id_of(&installation, "published");
        assert!(installation.idp(&["keys", "list"]).contains(&bad));
        let said = installation.idp(&["keys", "compromise", &bad]);
        assert!(said.contains(&bad) && said.contains("signs by ES256 from now on"), "{said}");
        let left = "SELECT count(*) FROM signing_key WHERE state IN ('active', 'published')";
        assert_eq!(installation.sql(left), "2");
    }
}

/// A row that cannot even be ended: its last event is none.
#[test]
fn jr_04_a_key_is_compromised_alone_where_its_successor_is_kept_from_signing() {
    let installation = Installation::start();
    installation.server().end();
    let active = id_of(&installation, "active");
    let bad = "public_key = '\\xdeadbeef', last_event = gen_random_uuid()";
    spoil(&installation, &format!("UPDATE signing_key SET {bad} WHERE state = 'published'"));
    let said = installation.idp(&["keys", "compromise", &active]);
    assert!(said.contains("is believed no more") && said.contains("NO KEY SIGNS NOW"), "{said}");
    assert_eq!(installation.sql(STATES), "compromised published");
}

#[test]
fn sm_01_a_key_is_not_compromised_with_a_sealing_key_that_opens_none() {
    let installation = Installation::start();
    let server = installation.server();
    let active = id_of(&installation, "active");
    let before = installation.record();
    let mut command = installation.command(&["keys", "compromise", &active]);
    let another = data_encoding::BASE64.encode(b"fjwpq81mzx-ketvbn39ylr6-another!");
    let output = command.env("IDP_SEALING_KEY", another).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("none of the signing keys opens with this sealing key"), "{said}");
    assert_eq!(installation.record(), before);
    let _ = installation.admin().token(&server.address);
}

#[test]
fn jr_04_where_no_key_signs_a_server_says_to_come_again_and_one_does_at_once() {
    let installation = Installation::start_with(&MANY);
    let server = installation.server();
    let (active, next) = (id_of(&installation, "active"), id_of(&installation, "published"));
    // As a compromise leaves it, of which only the first step could be done.
    spoil(
        &installation,
        &format!("UPDATE signing_key SET state = 'compromised' WHERE id = '{active}'"),
    );
    let clock = SystemClock::new();
    let began = clock.now();
    wait_until_gone(&server, &active);
    loop {
        let answer = send(&server.address, &installation.admin().asks());
        if answer.status == 200 {
            break;
        }
        assert_eq!(answer.status, 503);
        assert!(answer.retry_after().is_some());
        assert!(clock.now().since(began) < Duration::from_secs(10), "nobody signs");
    }
    assert_eq!(id_of(&installation, "active"), next);
}
