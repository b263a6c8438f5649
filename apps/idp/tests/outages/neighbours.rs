//! RL-03: an organization that asks for ten times its quota, and another that asks for its own.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::Duration,
};

use kernel::Clock;
use local::SystemClock;

use crate::{
    client::{Client, introspects},
    founding,
    installation::Installation,
    wire::{Answer, Connection, Request},
};

/// Requests a minute of each client.
const QUOTA: u32 = 600;

#[test]
#[expect(clippy::print_stdout, reason = "how long it takes is the machine's affair, and told only")]
fn rl_03_a_neighbour_at_ten_times_its_quota_makes_no_request_fail() {
    let quota = QUOTA.to_string();
    let installation = Installation::start_with(&[("IDP_PLANS_PRO_REQUESTS_PER_MINUTE", &quota)]);
    let names = ["aggressor".to_owned(), "victim".to_owned()];
    let founded = founding::found(&installation.postgres.url(), &names);
    let client = |number: usize| {
        let founded: &founding::Founded = &founded[number];
        Client { id: founded.admin.clone(), secret: founded.secret.clone() }
    };
    let (aggressor, victim) = (client(0), client(1));
    let server = installation.server();
    let address = server.address.as_str();

    let clock = SystemClock::new();
    let begun = clock.now();
    let alone = slowest(&work(address, &victim));
    let done = AtomicBool::new(false);
    let (sent, refused) = (AtomicU32::new(0), AtomicU32::new(0));
    let beside = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut connection = Connection::new(address);
                while !done.load(Ordering::Relaxed) || sent.load(Ordering::Relaxed) < 10 * QUOTA {
                    let answer = connection.send(&aggressor.asks());
                    sent.fetch_add(1, Ordering::Relaxed);
                    match answer.status {
                        200 => {}
                        429 => drop(refused.fetch_add(1, Ordering::Relaxed)),
                        other => panic!("{other}: {}", answer.body),
                    }
                }
            });
        }
        let beside = slowest(&work(address, &victim));
        done.store(true, Ordering::Relaxed);
        beside
    });
    let (sent, refused) = (sent.into_inner(), refused.into_inner());
    // Its quota of each minute that has begun, and what a window that slides lets through besides.
    let minutes = clock.now().since(begun).as_secs() / 60 + 1;
    let (admitted, most) = (u64::from(sent - refused), (minutes + 1) * u64::from(QUOTA));
    assert!(admitted <= most, "{admitted} of {sent} were admitted in {minutes} minutes");
    println!("the slowest of a hundred: alone {alone:?}, beside {sent} requests {beside:?}");
}

/// A third of the quota: each kind of request, of which none may fail.
fn work(address: &str, client: &Client) -> Vec<Answer> {
    let mut connection = Connection::new(address);
    let token = client.token(address);
    let requests = [
        client.asks(),
        introspects(&token, &token),
        Request::get("/api/v1/agents").bearer(&token),
        Request::get("/api/v1/organization").bearer(&token),
    ];
    let all = requests.iter().cycle().take(200).map(|request| {
        let answer = connection.send(request);
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer
    });
    all.collect()
}

/// What one of a hundred takes longer than.
fn slowest(answers: &[Answer]) -> Duration {
    let mut times: Vec<_> = answers.iter().map(|answer| answer.took).collect();
    times.sort_unstable();
    times[times.len() * 99 / 100]
}
