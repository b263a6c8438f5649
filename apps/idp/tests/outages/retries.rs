//! DO-07: everybody comes back at once after an outage.

use std::thread;

use crate::{
    client::{Client, register, send_all},
    installation::Installation,
    wire::{Connection, Request},
};

const CLIENTS: usize = 200;

/// Connections for requests.
const BOUND: &str = "8";

/// Those, and one each of the writer of events and the feed.
const BOUNDED: &str =
    "SELECT count(*) <= 8 + 2 FROM pg_stat_activity WHERE application_name = 'idp'";

#[test]
fn do_07_two_hundred_clients_that_come_back_at_once_make_no_second_outage() {
    let mut installation = Installation::start_with(&[("IDP_DATABASE_CONNECTIONS", BOUND)]);
    let server = installation.server();
    let address = server.address.as_str();
    let token = installation.admin().token(address);
    let clients: Vec<Client> = (0..20)
        .map(|number| register(address, &token, &format!("agent-{number}@example.com")))
        .collect();
    let requests: Vec<(&'static str, Request)> =
        (0..CLIENTS).map(|number| ("a token", clients[number % clients.len()].asks())).collect();

    installation.postgres.stop().unwrap();
    let waits: Vec<u64> = send_all(address, &requests)
        .into_iter()
        .map(|answer| {
            answer.expect_outage("a token");
            answer.retry_after().unwrap()
        })
        .collect();
    // Not all of them are told to come back in the same second.
    for wait in 1..=3 {
        let told = waits.iter().filter(|told| **told == wait).count();
        assert!(told > CLIENTS / 10, "{told} of {CLIENTS} are told to wait {wait} s");
    }

    installation.postgres.restart().unwrap();
    // They are worse than they are told to be: all of them at once, and as often as they can.
    let first_failures = thread::scope(|scope| {
        let returning: Vec<_> = requests
            .iter()
            .map(|(_, request)| scope.spawn(|| come_back(address, request)))
            .collect();
        while returning.iter().any(|client| !client.is_finished()) {
            // PostgreSQL learns late of a connection that was given up while it was made.
            installation.wait_until(BOUNDED, "t");
        }
        returning.into_iter().map(|client| client.join().unwrap()).sum::<u32>()
    });
    // Until the first connection is there, the store may still be away for some.
    assert!(first_failures <= 2 * 200, "{first_failures}");
}

/// Asks until it is answered, and then a few times more, which must not fail. How often it failed.
#[track_caller]
fn come_back(address: &str, request: &Request) -> u32 {
    let mut connection = Connection::new(address);
    let mut failures = 0;
    loop {
        let answer = connection.send(request);
        if answer.status == 200 {
            break;
        }
        answer.expect_outage("coming back");
        failures += 1;
    }
    for _ in 0..4 {
        connection.send(request).expect(200);
    }
    failures
}
