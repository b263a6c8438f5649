//! Proofs of a key on two replicas: each passes once, whatever becomes of Redis and of the replicas.

use std::sync::Arc;
use std::thread;

use contracts::KeyPair;
use serde_json::json;

use crate::caller::{Client, text};
use crate::cluster::{Cluster, Plan};
use crate::front::Front;
use crate::stopwatch::unix_seconds;
use crate::support::http::{Answer, Request};

const TOKEN: &str = "/api/v1/token";

/// Whoever proves that it holds a key.
struct Prover {
    front: Arc<Front>,
    url: String,
    client: Client,
    pair: KeyPair,
}

impl Prover {
    fn of(cluster: &Cluster) -> Self {
        let url = format!("http://127.0.0.1:{}{TOKEN}", cluster.ground.ports[0]);
        let (front, client) = (Arc::clone(&cluster.front), cluster.admin.clone());
        Self { front, url, client, pair: KeyPair::es256() }
    }

    fn proof(&self, id: &str, nonce: Option<&str>) -> String {
        let header =
            json!({ "typ": "dpop+jwt", "alg": self.pair.algorithm(), "jwk": self.pair.jwk() });
        let mut claims =
            json!({ "jti": id, "htm": "POST", "htu": self.url, "iat": unix_seconds() });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        self.pair.signed(&header, &claims)
    }

    #[track_caller]
    fn ask(&self, at: usize, proof: &str) -> Answer {
        let request = Request::new("POST", TOKEN)
            .basic(&self.client.id, &self.client.secret)
            .header("DPoP", proof)
            .form(&[("grant_type", "client_credentials")]);
        self.front.send(at, &request).unwrap()
    }

    /// A nonce of this moment.
    #[track_caller]
    fn nonce(&self, at: usize, id: &str) -> String {
        let answer = self.ask(at, &self.proof(id, None));
        assert_eq!(told(&answer), "use_dpop_nonce");
        answer.header("dpop-nonce").unwrap().to_owned()
    }

    /// A proof that was used at this replica.
    #[track_caller]
    fn used(&self, at: usize, id: &str) -> String {
        let proof = self.proof(id, Some(&self.nonce(at, id)));
        assert_eq!(told(&self.ask(at, &proof)), "DPoP", "{id}");
        proof
    }

    /// What both replicas say to a proof.
    #[track_caller]
    fn both(&self, proof: &str) -> [String; 2] {
        [0, 1].map(|at| told(&self.ask(at, proof)))
    }

    /// How many of 64 uses of one proof at the same time, at both replicas, pass.
    fn passing_at_once(&self, id: &str) -> usize {
        let proof = &self.proof(id, Some(&self.nonce(0, id)));
        thread::scope(|scope| {
            let ask = |number: usize| scope.spawn(move || told(&self.ask(number % 2, proof)));
            let asking: Vec<_> = (0..64).map(ask).collect();
            let told: Vec<_> = asking.into_iter().map(|asked| asked.join().unwrap()).collect();
            let refused = told.iter().filter(|told| *told == "invalid_dpop_proof").count();
            let passed = told.iter().filter(|told| *told == "DPoP").count();
            assert_eq!(passed + refused, 64, "{told:?}");
            passed
        })
    }
}

/// The error, or the type of the token.
#[track_caller]
fn told(answer: &Answer) -> String {
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    match answer.status {
        200 => text(&body["token_type"]),
        400 => text(&body["error"]),
        other => panic!("{other}: {}", answer.body),
    }
}

const USED: [&str; 2] = ["invalid_dpop_proof"; 2];
const FORGOTTEN: [&str; 2] = ["use_dpop_nonce"; 2];

#[test]
fn dp_06_a_proof_passes_once_whatever_becomes_of_redis_and_of_the_replicas() {
    let mut cluster = Cluster::start(&Plan::default());
    let prover = Prover::of(&cluster);

    let shared = prover.used(0, "shared");
    assert_eq!(prover.both(&shared), USED);
    assert_eq!(prover.passing_at_once("shared-at-once"), 1);

    cluster.ground.redis.as_ref().unwrap().flush().unwrap();
    assert_eq!(prover.both(&shared), FORGOTTEN);
    let flushed = prover.used(1, "flushed");
    assert_eq!(prover.both(&flushed), USED);

    cluster.ground.redis.as_mut().unwrap().kill().unwrap();
    assert_eq!(prover.both(&flushed), FORGOTTEN);
    let recorded = prover.used(0, "recorded");
    assert_eq!(prover.both(&recorded), USED);
    assert_eq!(prover.passing_at_once("recorded-at-once"), 1);

    cluster.ground.redis.as_mut().unwrap().restart().unwrap();
    assert_eq!(prover.both(&recorded), USED);
    assert_eq!(prover.both(&flushed), FORGOTTEN);
    let restarted = prover.used(1, "restarted");
    assert_eq!(prover.both(&restarted), USED);

    for replica in [0, 1] {
        cluster.kill(replica);
        cluster.restart(replica);
    }
    assert_eq!(prover.both(&recorded), USED);
    assert_eq!(prover.both(&restarted), USED);
    prover.used(0, "after");
}

#[test]
fn dp_06_without_redis_the_database_lets_a_proof_pass_once() {
    let mut cluster = Cluster::start(&Plan { redis: false, ..Plan::default() });
    let prover = Prover::of(&cluster);
    let recorded = prover.used(0, "recorded");
    assert_eq!(prover.both(&recorded), USED);
    assert_eq!(prover.passing_at_once("at-once"), 1);
    cluster.kill(0);
    cluster.restart(0);
    assert_eq!(prover.both(&recorded), USED);
}
