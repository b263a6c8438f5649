//! DS-09, RL-02 and RL-04: a flood of callers that do not exist, and of failures in the name of one
//! that does.

use std::thread;

use kernel::{AgentId, Clock, CredentialId, ExposeSecret};
use local::{SystemClock, SystemEntropy};

use crate::{
    client::{Client, introspects, register},
    installation::Installation,
    wire::{Connection, Request},
};

/// Distinct callers of each kind.
const EACH: usize = 5_000;
const THREADS: usize = 4;

/// What the process may grow by: two kilobytes a stranger. Less could not be told from what the
/// allocator keeps for threads that run by chance.
const ROOM: u64 = 40 * 1024 * 1024;

/// Failures of one address that are told one by one in a minute, and how many counts there can be
/// besides: of the address, and of the victim.
const TOLD: u64 = 30;
const COUNTS: u64 = 2;

const FAILURES: &str = "SELECT count(*) FROM audit_event WHERE action = 'auth.failed'";
/// How many failures those events stand for.
const FAILED: &str = "
    SELECT sum(coalesce((metadata::jsonb ->> 'count')::bigint, 1))
    FROM audit_event WHERE action = 'auth.failed'";
const RECORDS: &str = "
    SELECT (SELECT count(*) FROM agent), (SELECT count(*) FROM credential),
        (SELECT count(*) FROM organization), (SELECT count(*) FROM revoked_token)";

/// Somebody who does not exist, with a secret of the right form.
fn nobody() -> Client {
    let (clock, entropy) = (SystemClock::new(), SystemEntropy::new());
    let id = AgentId::generate(clock.now(), &entropy).unwrap().to_string();
    Client { id, secret: some_secret() }
}

fn some_secret() -> String {
    let (clock, entropy) = (SystemClock::new(), SystemEntropy::new());
    let credential = CredentialId::generate(clock.now(), &entropy).unwrap();
    let secret = credentials::ClientSecret::generate(credential, &entropy).unwrap();
    secret.into_text().expose_secret().to_owned()
}

/// The same token with another id and another key in it, by somebody who cannot sign.
fn forged(token: &str) -> String {
    let (_, rest) = token.split_once('.').unwrap();
    let head = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{}"}}"#, nobody().id);
    format!("{}.{rest}", data_encoding::BASE64URL_NOPAD.encode(head.as_bytes()))
}

#[test]
fn ds_09_rl_02_rl_04_a_flood_of_strangers_fills_neither_memory_nor_log_and_locks_nobody_out() {
    let installation = Installation::start();
    let server = installation.server();
    let address = server.address.as_str();
    let token = installation.admin().token(address);
    let victim = register(address, &token, "victim@example.com");
    let clock = SystemClock::new();
    let begun = clock.now();
    // What is made once, such as buffers of connections, is made before.
    strike(address, &victim, &token, EACH / 10);
    let (memory, records) = (server.memory(), installation.sql(RECORDS));

    strike(address, &victim, &token, EACH);

    let grown = server.memory().saturating_sub(memory);
    assert!(grown < ROOM, "it has grown by {grown} bytes");
    assert_eq!(installation.sql(RECORDS), records);
    // One of each minute that has begun.
    let minutes = clock.now().since(begun).as_secs() / 60 + 1;
    let (noted, most) = (installation.number(FAILURES), (minutes + 1) * (TOLD + COUNTS));
    assert!((TOLD..=most).contains(&noted), "{noted} failures are noted");

    // From the very address that failed so often, in the very name that it failed in.
    for _ in 0..3 {
        let own = victim.token(address);
        let judged = introspects(&own, &token);
        assert_eq!(Connection::new(address).send(&judged).expect(200)["active"], true);
    }

    // A stop in order loses no count.
    server.end();
    let failed = u64::try_from(3 * (EACH + EACH / 10)).unwrap();
    assert_eq!(installation.number(FAILED), failed);
}

/// So many of each: strangers with well-formed secrets, wrong secrets of the victim, bearers of
/// forged tokens, and forged tokens to be judged.
fn strike(address: &str, victim: &Client, token: &str, each: usize) {
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(move || {
                let mut connection = Connection::new(address);
                for _ in 0..each / THREADS {
                    let wrong = Client { secret: some_secret(), ..victim.clone() };
                    for request in [nobody().asks(), wrong.asks(), bearer(&forged(token))] {
                        let status = connection.send(&request).status;
                        assert!([401, 429].contains(&status), "{status}");
                    }
                    let judged = introspects(&forged(token), token);
                    assert_eq!(connection.send(&judged).expect(200)["active"], false);
                }
            });
        }
    });
}

fn bearer(token: &str) -> Request {
    Request::get("/api/v1/agents").bearer(token)
}
