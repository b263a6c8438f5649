//! MU-01, in spirit: servers run on while the schema is migrated beneath them.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use crate::{
    client::{Client, introspects, register},
    installation::Installation,
    wire::{Connection, Request},
};

/// What a later release may do to a database that this one works on.
const ADDITIONS: [&str; 4] = [
    "ALTER TABLE agent ADD COLUMN nickname text DEFAULT NULL",
    "ALTER TABLE credential ADD COLUMN strength bigint NOT NULL DEFAULT 1",
    "ALTER TABLE audit_event ADD COLUMN place text DEFAULT NULL",
    "CREATE TABLE invitation (id uuid PRIMARY KEY, organization_id uuid NOT NULL)",
];

#[test]
fn mu_01_no_request_fails_while_a_migration_adds_to_the_schema() {
    let installation = Installation::start();
    let server = installation.server();
    let admin = installation.admin();
    let (done, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let (admin, address, done, answered) = (&admin, &server.address, &done, &answered);
        let workers: Vec<_> = (0..3)
            .map(|number| scope.spawn(move || work(admin, address, number, (done, answered))))
            .collect();
        let more = |count: u64| {
            let until = answered.load(Ordering::Relaxed) + count;
            while answered.load(Ordering::Relaxed) < until {
                assert!(!workers.iter().any(thread::ScopedJoinHandle::is_finished));
                thread::yield_now();
            }
        };
        more(60);
        installation.idp(&["migrate"]);
        for addition in ADDITIONS {
            installation.sql(addition);
            more(60);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(!server.end().contains("panicked"));
}

/// Asks for everything, again and again, and is refused nothing.
fn work(admin: &Client, address: &str, number: u32, (done, answered): (&AtomicBool, &AtomicU64)) {
    let mut connection = Connection::new(address);
    let mut round = 0;
    while !done.load(Ordering::Relaxed) {
        let token = admin.token(address);
        let email = format!("agent-{number}-{round}@example.com");
        let client = register(address, &token, &email);
        let path = format!("/api/v1/agents/{}", client.id);
        for request in [
            client.asks(),
            introspects(&token, &token),
            Request::get(&path).bearer(&token),
            Request::get("/api/v1/agents").bearer(&token),
            Request::get("/api/v1/audit").bearer(&token),
        ] {
            connection.send(&request).expect(200);
            answered.fetch_add(1, Ordering::Relaxed);
        }
        round += 1;
    }
}

#[test]
fn mu_01_a_column_of_another_type_is_no_lasting_outage() {
    let installation = Installation::start_with(&[("IDP_DATABASE_CONNECTIONS", "4")]);
    let server = installation.server();
    let admin = installation.admin();
    let token = admin.token(&server.address);
    let client = register(&server.address, &token, "agent@example.com");
    let path = format!("/api/v1/agents/{}", client.id);
    let request = Request::get(&path).bearer(&token);
    // As often as it takes for every connection to have prepared the statement.
    let read_all = || {
        let requests = vec![("it", request.clone()); 16];
        crate::client::send_all(&server.address, &requests)
    };
    read_all().into_iter().for_each(|answer| drop(answer.expect(200)));
    installation.sql("ALTER TABLE agent ALTER COLUMN version TYPE varchar(100)");
    // Those in use may each find, once, that what they have prepared is none of the present any more.
    for answer in read_all() {
        assert!([200, 503].contains(&answer.status), "{}", answer.body);
    }
    for _ in 0..2 {
        read_all().into_iter().for_each(|answer| drop(answer.expect(200)));
    }
}
