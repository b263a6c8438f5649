//! PostgreSQL and a replica that stand still, and go on as if nothing had been.

use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::caller::{self, Caller, Client, Issued};
use crate::check;
use crate::cluster::{Cluster, Plan};
use crate::front::{Front, Lost, answers_within, heals_within};
use crate::kill_postgres::heals;
use crate::rounds;
use crate::stopwatch::{now, timed, until};
use crate::support::http::{self, Request};

/// For how long a copy counts that nobody has renewed.
const COPY: Duration = Duration::from_secs(1);

/// How many ask each replica at a time.
const ASKERS: u32 = 4;

/// What asks for nothing of the database.
const ALWAYS: [&str; 3] =
    ["/health", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"];

#[test]
fn while_postgresql_is_frozen_all_that_needs_it_is_503_in_time_and_it_heals_alone() {
    let cluster = Cluster::start(&Plan::default());
    let guest = Guest::of(&cluster);
    cluster.front.database_goes();
    cluster.ground.postgres.freeze().unwrap();
    let frozen_at = now();
    let freeze = Duration::from_secs(rounds::freeze_seconds());
    thread::scope(|scope| {
        for at in 0..2 {
            let (guest, front) = (&guest, &*cluster.front);
            for asker in 0..ASKERS {
                let name = format!("late-{at}-{asker}");
                scope.spawn(move || guest.asks_in_vain((front, at), &name, frozen_at, freeze));
            }
            scope.spawn(move || asks_for_what_is_always_there(front, at, frozen_at, freeze));
        }
    });
    cluster.ground.postgres.thaw().unwrap();
    let healed = heals(&cluster);
    for at in 0..2 {
        // What was found a moment ago still counts.
        until(now(), heals_within(), || is_ready(&cluster.front, at));
        assert_eq!(cluster.admin_at(at).is_active(at, &guest.token.text), Ok(true));
    }
    let longest = cluster.front.longest();
    assert!(longest <= answers_within(), "an answer took {longest:?}");
    check::no_session_is_stuck(&cluster);
    println!(
        "PostgreSQL frozen for {freeze:?}: {} times 503, longest answer {longest:?}, healed within \
         {healed:?}",
        cluster.front.refused()
    );
}

fn is_ready(front: &Front, at: usize) -> bool {
    let asked = Request::new("GET", "/health/ready");
    http::send(front.address(at), &asked).unwrap().status == 200
}

/// An agent with a credential and a token, as they were before.
struct Guest {
    admin: Client,
    admin_token: String,
    client: Client,
    token: Issued,
}

impl Guest {
    fn of(cluster: &Cluster) -> Self {
        let caller = cluster.admin_at(0);
        let agent = caller.register(0, "guest@a.example", "resume:write").unwrap();
        let client = caller.give_credential(0, &agent).unwrap().client;
        let token = caller::issue(&cluster.front, 0, &client).unwrap().unwrap();
        for at in 0..2 {
            assert_eq!(caller.is_active(at, &token.text), Ok(true));
        }
        Self { admin: cluster.admin.clone(), admin_token: caller.token, client, token }
    }

    /// Each is refused with a 503, and nothing else.
    fn asks_in_vain(
        &self,
        (front, at): (&Front, usize),
        name: &str,
        since: Instant,
        freeze: Duration,
    ) {
        let caller = Caller { front, token: self.admin_token.clone() };
        let mut asked = 0;
        while since.elapsed() < freeze {
            asked += 1;
            let email = format!("{name}-{asked}@a.example");
            // With a copy at hand, a token can be judged for a second; its event waits in vain.
            let copied = since.elapsed() < COPY;
            let active = caller.is_active(at, &self.token.text);
            assert!(active == Err(Lost::Away) || (copied && active == Ok(true)), "{active:?}");
            assert_eq!(caller::issue(front, at, &self.client).map(drop), Err(Lost::Away));
            assert_eq!(Caller::open(front, at, &self.admin).map(drop), Err(Lost::Away));
            assert_eq!(caller.register(at, &email, "resume:write"), Err(Lost::Away));
            let path = format!("/api/v1/agents/{}", self.client.id);
            assert_eq!(caller.get(at, &path), Err(Lost::Away));
            let wrong = Client { id: self.client.id.clone(), secret: "wrong".to_owned() };
            assert_eq!(caller::issue(front, at, &wrong).map(drop), Err(Lost::Away));
        }
    }
}

fn asks_for_what_is_always_there(front: &Front, at: usize, since: Instant, freeze: Duration) {
    let send = |path| {
        let (answer, took) =
            timed(|| http::send(front.address(at), &Request::new("GET", path)).unwrap());
        assert!(took <= answers_within(), "{path} took {took:?}");
        answer
    };
    while since.elapsed() < freeze {
        for path in ALWAYS {
            assert_eq!(send(path).status, 200, "{path}");
        }
        assert_eq!(send("/health/ready").expect(503)["status"], "unreachable");
        let detailed = send("/health/detailed").expect(503);
        assert_eq!(detailed["services"]["database"]["status"], "unreachable", "{detailed}");
    }
}

#[test]
fn cs_03_a_replica_that_stood_still_knows_at_once_what_happened_meanwhile() {
    let cluster = Cluster::start(&Plan::default());
    for round in 0..3 {
        let caller = cluster.admin_at(0);
        let email = format!("guest-{round}@a.example");
        let agent = caller.register(0, &email, "resume:write").unwrap();
        let secret = caller.give_credential(0, &agent).unwrap();
        let token = caller::issue(&cluster.front, 1, &secret.client).unwrap().unwrap();
        // Copies of all of it.
        assert_eq!(caller.is_active(1, &token.text), Ok(true));
        assert_eq!(caller::is_let_in(&cluster.front, 1, &token), Ok(true));
        cluster.signal(1, Signal::STOP);
        let stopped_at = now();
        caller.patch(0, &agent, &json!({ "status": "suspended" })).unwrap();
        let past_its_copies = || {
            assert_eq!(caller.is_active(0, &token.text), Ok(false));
            stopped_at.elapsed() > COPY
        };
        until(stopped_at, heals_within(), past_its_copies);
        // Sent before it goes on, so that nothing can come before it.
        let (active, let_in, issued) = thread::scope(|scope| {
            let active = scope.spawn(|| caller.is_active(1, &token.text));
            let let_in = scope.spawn(|| caller::is_let_in(&cluster.front, 1, &token));
            let issued = scope.spawn(|| caller::issue(&cluster.front, 1, &secret.client));
            cluster.signal(1, Signal::CONT);
            (active.join().unwrap(), let_in.join().unwrap(), issued.join().unwrap())
        });
        assert_eq!((active, let_in), (Ok(false), Ok(false)));
        assert!(issued.unwrap().is_none());
    }
    let healthy: Value = cluster.admin_at(1).get(1, "/health/detailed").unwrap();
    assert_eq!(healthy["status"], "healthy");
}
