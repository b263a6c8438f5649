//! An assertion is good once, on however many replicas it is used at the same time.

use std::thread;

use contracts::KeyPair;
use serde_json::json;

use crate::caller::Caller;
use crate::cluster::{Cluster, Plan};
use crate::front::Front;
use crate::rounds;
use crate::stopwatch::unix_seconds;
use crate::support::http::{Answer, Request};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const TOKEN: &str = "/api/v1/token";

/// How many use one assertion at the same time.
const AT_ONCE: usize = 64;

#[test]
fn ca_08_of_many_uses_on_two_replicas_exactly_one_gets_in() {
    let cluster = Cluster::start(&Plan { redis: false, ..Plan::default() });
    let (pair, agent) = signing_agent(&cluster.admin_at(0), "ca-08@a.example");
    for round in 0..rounds::of_assertions() {
        let assertion = assertion(&cluster.front, &agent, (&pair, &format!("ca-08-{round}")));
        let let_in = thread::scope(|scope| {
            let asked = |use_: usize| {
                let (front, assertion) = (&cluster.front, assertion.as_str());
                scope.spawn(move || ask(front, use_ % 2, TOKEN, assertion).status)
            };
            let asked: Vec<_> = (0..AT_ONCE).map(asked).collect();
            let statuses = asked.into_iter().map(|asked| asked.join().unwrap());
            statuses.filter(|status| matches!(status, 200)).count()
        });
        assert_eq!(let_in, 1, "round {round}");
    }
}

#[test]
fn ca_09_an_assertion_that_one_replica_took_is_refused_by_the_other_at_any_endpoint() {
    let cluster = Cluster::start(&Plan { redis: false, ..Plan::default() });
    let (pair, agent) = signing_agent(&cluster.admin_at(0), "ca-09@a.example");
    for (first, second) in [(0, 1), (1, 0)] {
        for path in [TOKEN, "/api/v1/token/introspect", "/api/v1/token/revoke"] {
            let id = format!("{first}{path}");
            let assertion = assertion(&cluster.front, &agent, (&pair, &id));
            assert_eq!(ask(&cluster.front, first, TOKEN, &assertion).status, 200);
            assert_eq!(ask(&cluster.front, second, path, &assertion).status, 401, "{path}");
        }
    }
}

/// An agent that registered a key, which both replicas know of once it is acknowledged.
fn signing_agent(admin: &Caller<'_>, email: &str) -> (KeyPair, String) {
    let pair = KeyPair::es256();
    let agent = admin.register(0, email, "resume:write").unwrap();
    admin.add_key(0, &agent, &json!({ "jwk": pair.jwk() })).unwrap();
    (pair, agent)
}

/// An assertion for the issuer, which is the first replica by name.
fn assertion(front: &Front, agent: &str, (pair, id): (&KeyPair, &str)) -> String {
    let now = unix_seconds();
    let issuer = format!("http://{}", front.address(0));
    let claims = json!({ "iss": agent, "sub": agent, "aud": issuer, "jti": id, "exp": now + 60 });
    pair.signed(&json!({ "alg": pair.algorithm() }), &claims)
}

fn ask(front: &Front, at: usize, path: &str, assertion: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("token", "x"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    let answer = front.send(at, &Request::new("POST", path).form(&form)).unwrap();
    assert!(matches!(answer.status, 200 | 401), "{} {}", answer.status, answer.body);
    answer
}
