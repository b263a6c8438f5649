//! Signing keys as verifiers and holders of tokens see them: every algorithm, rotations without end,
//! and a key that somebody else has.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use audit::Action;
use futures_util::future::join_all;
use jsonwebtoken::{
    DecodingKey, Validation, decode, decode_header,
    jwk::{Jwk, JwkSet},
};
use kernel::{Clock, Timestamp};
use serde_json::{Value, json};
use tokens::{Algorithm, KeptKeys, KeyId, rotation::NotNow};
use usecases::signing_key::SigningKeyError;

use crate::kit::{
    Server,
    server::{ISSUER, Settings},
};

const JWKS: &str = "/.well-known/jwks.json";
const INTROSPECT: &str = "/api/v1/token/introspect";

/// As the answer's `max-age` has it.
const CACHED: Duration = Duration::from_secs(300);
/// From its publication until it signs.
const KNOWN_AFTER: Duration = Duration::from_secs(360);
/// From its last signature until it is over.
const TOKENS_LIVE: Duration = Duration::from_secs(900 + 10 + 360);

impl Server {
    /// Does with the signing keys what a server does each minute.
    async fn look_after_keys(&self) -> KeptKeys {
        let kept = self.key_keeper().keep_up().await.unwrap();
        self.signer().replace(&kept.whole).unwrap();
        kept
    }

    async fn rotate(&self) -> Result<(), SigningKeyError> {
        let kept = self.key_keeper().rotate().await?;
        self.signer().replace(&kept.whole).unwrap();
        Ok(())
    }

    async fn compromise(&self, key: &KeyId) -> Result<(), SigningKeyError> {
        let kept = self.key_keeper().compromise(key.as_str()).await?;
        self.signer().replace(&kept.whole).unwrap();
        Ok(())
    }

    async fn kids(&self) -> Vec<String> {
        let answer = self.get(JWKS).send().await.expect(200);
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        answer.json["keys"].as_array().unwrap().iter().map(kid).collect()
    }

    async fn is_active(&self, token: &str) -> bool {
        let call = self.post(INTROSPECT).basic(&self.admin.id, &self.admin.secret);
        let answer = call.form(&[("token", token)]).send().await.expect(200);
        answer.json["active"].as_bool().unwrap()
    }

    fn time(&self) -> Timestamp {
        self.clock.now()
    }
}

fn kid(token: &str) -> String {
    decode_header(token).unwrap().kid.unwrap()
}

/// A verifier that keeps the keys for as long as it may, and asks for no key between.
struct Verifier {
    keys: BTreeMap<String, DecodingKey>,
    fetched: Timestamp,
}

impl Verifier {
    async fn new(server: &Server) -> Self {
        let answer = server.get(JWKS).send().await.expect(200);
        let kept = format!("public, max-age={}", CACHED.as_secs());
        assert_eq!(answer.header("cache-control"), Some(kept.as_str()));
        let set: JwkSet = serde_json::from_value(answer.json).unwrap();
        let key =
            |jwk: &Jwk| (jwk.common.key_id.clone().unwrap(), DecodingKey::from_jwk(jwk).unwrap());
        Self { keys: set.keys.iter().map(key).collect(), fetched: server.time() }
    }

    async fn refresh(&mut self, server: &Server) {
        if server.time() >= self.fetched.plus(CACHED) {
            *self = Self::new(server).await;
        }
    }

    /// The claims of a token, by a library that is not ours.
    fn verify(&self, token: &str) -> Option<Value> {
        let header = decode_header(token).ok()?;
        let key = self.keys.get(&header.kid?)?;
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        // By the clock of the test and not by that of the machine.
        validation.validate_exp = false;
        decode::<Value>(token, key, &validation).ok().map(|token| token.claims)
    }
}

#[tokio::test]
async fn tokens_of_every_algorithm_are_verified_by_us_and_by_others() {
    for algorithms in
        [&[Algorithm::Es256], &[Algorithm::EdDsa], &[Algorithm::Rs256], &[Algorithm::Ps256]]
    {
        let server = Server::with(Settings { algorithms, ..Settings::default() }).await;
        let token = server.token("agents:read").await;
        let name = algorithms[0].name();
        assert_eq!(
            format!("{:?}", decode_header(&token).unwrap().alg).to_uppercase(),
            name.to_uppercase()
        );
        let claims = Verifier::new(&server).await.verify(&token).unwrap();
        assert_eq!(claims["sub"], server.admin.id);
        assert!(server.is_active(&token).await);
        server.get("/api/v1/agents").token(&token).send().await.expect(200);
        let metadata = server.get("/.well-known/openid-configuration").send().await.expect(200);
        assert_eq!(metadata.json["id_token_signing_alg_values_supported"], json!([name]));
    }
}

#[tokio::test]
async fn of_several_algorithms_the_first_signs_once_verifiers_can_know_it() {
    let algorithms = &[Algorithm::EdDsa, Algorithm::Es256];
    let server = Server::with(Settings { algorithms, ..Settings::default() }).await;
    assert_eq!(server.signer_algorithms(), ["EdDSA", "ES256"]);
    // Of each a key is next, too.
    server.clock.advance(KNOWN_AFTER);
    server.look_after_keys().await;
    assert_eq!(server.kids().await.len(), 4);
    let token = server.token("agents:read").await;
    assert_eq!(decode_header(&token).unwrap().alg, jsonwebtoken::Algorithm::EdDSA);
}

impl Server {
    fn signer_algorithms(&self) -> Vec<&'static str> {
        use tokens::Signer as _;
        self.signer().signing_algorithms().into_iter().map(Algorithm::name).collect()
    }
}

/// Each verifier fetched at another time, and each token is shown to all of them: when it is new, and
/// when it is about to end.
#[tokio::test]
async fn jr_01_no_verifier_that_caches_the_keys_fails_in_a_hundred_rotations_under_load() {
    let server = Server::start().await;
    let step = Duration::from_secs(60);
    let mut verifiers = Vec::new();
    for _ in 0..4 {
        verifiers.push(Verifier::new(&server).await);
        server.clock.advance(step);
    }
    let (mut rotations, mut failures, mut shown) = (0, 0, 0);
    let mut alive: Vec<(Timestamp, String)> = Vec::new();
    while rotations < 100 {
        // Tokens are asked for while the keys are rotated and put into the ring.
        let (rotated, tokens) = tokio::join!(
            async { server.rotate().await.is_ok() },
            join_all((0..2).map(|_| server.token("agents:read")))
        );
        rotations += usize::from(rotated);
        let ends = server.time().plus(Duration::from_secs(840));
        let (over, fresh): (Vec<_>, Vec<_>) =
            std::mem::take(&mut alive).into_iter().partition(|(ends, _)| *ends <= server.time());
        alive = fresh;
        for token in tokens.iter().chain(over.iter().map(|(_, token)| token)) {
            for verifier in &verifiers {
                failures += usize::from(verifier.verify(token).is_none());
                shown += 1;
            }
        }
        if let Some((_, token)) = over.first() {
            assert!(server.is_active(token).await, "a token that is alive is not active");
        }
        alive.extend(tokens.into_iter().map(|token| (ends, token)));
        server.clock.advance(step);
        server.look_after_keys().await;
        for verifier in &mut verifiers {
            verifier.refresh(&server).await;
        }
    }
    assert_eq!(failures, 0, "of {shown}");
    assert!(shown > 8_000, "{shown}");
}

#[tokio::test]
async fn jr_02_a_key_signs_only_once_it_was_published_for_longer_than_caches_live() {
    let server = Server::start().await;
    let (mut appeared, mut signed) = (BTreeMap::new(), BTreeMap::new());
    for key in server.kids().await {
        appeared.insert(key, server.time());
    }
    let first = kid(&server.token("agents:read").await);
    let mut refused = 0;
    while signed.len() < 6 {
        match server.rotate().await {
            Ok(()) => {}
            Err(SigningKeyError::NotNow(NotNow::TooEarly { at, .. })) => {
                assert!(at > server.time());
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
        let key = kid(&server.token("agents:read").await);
        for key in server.kids().await {
            appeared.entry(key).or_insert(server.time());
        }
        let now = server.time();
        signed.entry(key).or_insert(now);
        server.clock.advance(Duration::from_secs(45));
    }
    assert!(refused > 10);
    for (key, since) in signed.iter().filter(|(key, _)| **key != first) {
        let known = since.since(appeared[key]);
        assert!(known >= CACHED + Duration::from_secs(59), "{key} after {known:?}");
    }
}

#[tokio::test]
async fn jr_03_a_key_stays_published_until_its_last_token_is_over() {
    let server = Server::start().await;
    server.clock.advance(KNOWN_AFTER);
    let last = server.token("agents:read").await;
    server.rotate().await.unwrap();
    assert_ne!(kid(&server.token("agents:read").await), kid(&last));
    server.clock.advance(Duration::from_secs(898));
    server.look_after_keys().await;
    assert!(server.is_active(&last).await);
    server.clock.advance(TOKENS_LIVE - Duration::from_secs(899));
    server.look_after_keys().await;
    assert!(server.kids().await.contains(&kid(&last)));
    server.clock.advance(Duration::from_secs(2));
    server.look_after_keys().await;
    assert!(!server.kids().await.contains(&kid(&last)));
}

#[tokio::test]
async fn keys_rotate_by_themselves_once_they_are_old_enough() {
    let server = Server::start().await;
    let first = kid(&server.token("agents:read").await);
    server.clock.advance(server.rotation.period - Duration::from_secs(60));
    server.look_after_keys().await;
    assert_eq!(kid(&server.token("agents:read").await), first);
    server.clock.advance(Duration::from_secs(61));
    server.look_after_keys().await;
    let second = kid(&server.token("agents:read").await);
    assert_ne!(second, first);
    assert_eq!(server.kids().await.len(), 3);
}

#[tokio::test]
async fn jr_04_a_compromised_key_is_gone_and_its_tokens_are_dead() {
    let server = Server::start().await;
    let token = server.token("agents:read").await;
    assert!(server.is_active(&token).await);
    let key = KeyId::parse(&kid(&token)).unwrap();
    server.compromise(&key).await.unwrap();
    assert!(!server.is_active(&token).await);
    server.get("/api/v1/agents").token(&token).send().await.expect(401);
    assert!(!server.kids().await.contains(&kid(&token)));
    let next = server.token("agents:read").await;
    assert_ne!(kid(&next), kid(&token));
    assert!(server.is_active(&next).await);
    let mut told = server.events().await;
    told.retain(|event| event.action == Action::SigningKeyCompromised);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].resource.as_ref().unwrap().id, key.as_str());
    let again = server.compromise(&key).await.unwrap_err().to_string();
    assert_eq!(again, "a signing key that is `compromised` cannot become `compromised`");
}

#[tokio::test]
async fn jr_05_the_keys_of_every_algorithm_are_public_halves_alone() {
    let server =
        Server::with(Settings { algorithms: &Algorithm::ALL, ..Settings::default() }).await;
    let answer = server.get(JWKS).send().await.expect(200);
    assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    assert!(answer.header("etag").is_some());
    let keys = answer.json["keys"].as_array().unwrap();
    let algorithms = keys.iter().map(|key| key["alg"].as_str().unwrap());
    // One signs and is followed; the others wait for their time.
    assert_eq!(algorithms.filter(|name| *name == "ES256").count(), 2);
    assert_eq!(keys.len(), 5);
    for key in keys {
        for private in ["d", "p", "q", "k", "dp", "dq", "qi", "oth"] {
            assert_eq!(key[private], Value::Null);
        }
    }
}

#[tokio::test]
async fn jr_06_of_many_that_rotate_at_once_one_does_and_one_key_is_made() {
    let server = Server::start().await;
    server.clock.advance(KNOWN_AFTER);
    let rotated = join_all((0..8).map(|_| server.rotate())).await;
    assert_eq!(rotated.iter().filter(|done| done.is_ok()).count(), 1);
    for refused in rotated.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, SigningKeyError::NotNow(NotNow::TooEarly { .. })), "{refused}");
    }
    server.clock.advance(server.rotation.period);
    let kept = join_all((0..8).map(|_| server.look_after_keys())).await;
    for kept in kept {
        let names: BTreeSet<_> = kept.whole.iter().map(|key| key.state().name()).collect();
        assert_eq!(kept.whole.len(), 4);
        assert_eq!(names, BTreeSet::from(["active", "published", "retired", "retiring"]));
    }
}

#[tokio::test]
async fn jr_07_a_rotation_that_is_cut_short_leaves_no_trace() {
    use audit::{Transactor, record};
    use tenancy::{Actor, Origin, Scope};
    let server = Server::start().await;
    server.clock.advance(KNOWN_AFTER);
    let before = server.key_keeper().list().await.unwrap();
    let of = |name| before.whole.iter().find(|key| key.state().name() == name).unwrap().clone();
    let (active, next) = (of("active"), of("published"));
    let scope = Scope::new(server.organization, Actor::System, Origin::internal());
    let tx = server.store().begin(scope).await.unwrap();
    let now = server.time();
    let (tx, _) = record(tx, active.retire(TOKENS_LIVE, now).unwrap()).await.unwrap();
    let (tx, _) = record(tx, next.activate(KNOWN_AFTER, now).unwrap()).await.unwrap();
    drop(tx);
    let after = server.look_after_keys().await;
    assert_eq!(after, before);
}
