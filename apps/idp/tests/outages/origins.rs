//! RL-06: what a caller says of its own address counts for nothing.

use crate::{
    installation::Installation,
    wire::{Connection, Request},
};

const LIMIT: usize = 20;

#[test]
fn rl_06_a_forged_address_has_no_bucket_of_its_own_and_stands_in_no_event() {
    let limit = LIMIT.to_string();
    let installation =
        Installation::start_with(&[("IDP_UNAUTHENTICATED_REQUESTS_PER_MINUTE", &limit)]);
    let server = installation.server();
    let mut connection = Connection::new(&server.address);
    let statuses: Vec<u16> = (0..2 * LIMIT)
        .map(|number| {
            let address = format!("203.0.113.{number}");
            let request = Request::token("nobody", "nothing")
                .header("X-Forwarded-For", &address)
                .header("Forwarded", &format!("for={address}"))
                .header("X-Real-IP", &address)
                .header("True-Client-IP", &address);
            connection.send(&request).status
        })
        .collect();
    let told = |status| statuses.iter().filter(|told| **told == status).count();
    assert_eq!((told(401), told(429)), (LIMIT, LIMIT), "{statuses:?}");
    let addresses = "SELECT DISTINCT address FROM audit_event WHERE action = 'auth.failed'";
    assert_eq!(installation.sql(addresses), "127.0.0.1");
    let events = "SELECT count(*) FROM audit_event WHERE action = 'auth.failed'";
    assert_eq!(installation.number(events), u64::try_from(LIMIT).unwrap());
}
