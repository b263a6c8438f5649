//! Rotation: each rule by itself, and a model that knows only one algorithm.

mod happenings;

use audit::Audited;
use kernel::Revision;
use proptest::prelude::*;

use super::*;
use crate::{Jwk, SealedPrivateKey, SigningKeyRecord};
use jose::{KeyId, Padding};

const CACHED: u64 = 360;
const LIVE: u64 = 900 + 10 + CACHED;
const PERIOD: u64 = 10_000;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_micros(i64::try_from(seconds).unwrap() * 1_000_000).unwrap()
}

fn policy(algorithms: &[Algorithm]) -> RotationPolicy {
    let (lifetime, period) = (Lifetime::default(), Duration::from_secs(PERIOD));
    RotationPolicy::new(algorithms.to_vec(), lifetime, period)
}

const ES256: &[Algorithm] = &[Algorithm::Es256];

/// An installation: its keys, those that cannot be opened, and how many were ever made.
#[derive(Default, Clone)]
struct Installation {
    keys: Vec<SigningKey>,
    broken: Vec<KeyId>,
    damaged: Vec<DamagedKey>,
    made: u64,
}

impl Installation {
    fn started(algorithms: &[Algorithm], now: u64) -> Self {
        let mut installation = Self::default();
        installation.keep_up(algorithms, now);
        installation
    }

    fn plan<T>(&self, plan: impl FnOnce(Keys<'_, &dyn Fn(&SigningKey) -> bool>) -> T) -> T {
        let usable: &dyn Fn(&SigningKey) -> bool = &|key| !self.broken.contains(&key.id());
        plan(Keys::new(&self.keys, usable).beside(&self.damaged))
    }

    fn keep_up(&mut self, algorithms: &[Algorithm], now: u64) -> usize {
        let steps = self.plan(|keys| keys.due(&policy(algorithms), at(now)));
        self.carry_out(steps, now)
    }

    fn rotate(&mut self, now: u64) -> Result<usize, NotNow> {
        let steps = self.plan(|keys| keys.rotate(&policy(ES256), at(now)))?;
        Ok(self.carry_out(steps, now))
    }

    fn compromise(&mut self, id: &KeyId, now: u64) -> Result<usize, NotCompromised> {
        self.compromise_among(ES256, id, now)
    }

    fn compromise_among(
        &mut self,
        algorithms: &[Algorithm],
        id: &KeyId,
        now: u64,
    ) -> Result<usize, NotCompromised> {
        let steps = self.plan(|keys| keys.compromise(id.as_str(), &policy(algorithms), at(now)))?;
        Ok(self.carry_out(steps, now))
    }

    /// Does the steps one by one, as a store does: it refuses two that sign or are next.
    fn carry_out(&mut self, steps: Vec<Step>, now: u64) -> usize {
        let count = steps.len();
        for step in steps {
            match step {
                Step::Move(change) => {
                    let id = change.after().id();
                    let place = self.keys.iter().position(|key| key.id() == id).unwrap();
                    assert_eq!(change.expected(), Some(self.keys[place].record().revision));
                    self.keys[place] = change.into_after();
                }
                Step::End(ended) => {
                    let place = self.damaged.iter().position(|one| one.id == ended.id()).unwrap();
                    assert_eq!(self.damaged[place].state, Some(ended.from()));
                    self.damaged[place] = ended.into_after();
                }
                Step::Make { algorithm, signs } => {
                    let mut key = self.make(algorithm, now);
                    if signs {
                        key = key.activate_at_once(at(now)).unwrap().into_after();
                    }
                    self.keys.push(key);
                }
            }
            self.is_unambiguous();
        }
        count
    }

    fn make(&mut self, algorithm: Algorithm, now: u64) -> SigningKey {
        self.made += 1;
        let mut x = [7; 32];
        x[..8].copy_from_slice(&self.made.to_be_bytes());
        let modulus = x.iter().copied().cycle().skip(8).take(256).chain([1]).collect::<Vec<_>>();
        let modulus = [&[0x80], &x[..8], &modulus[9..]].concat();
        let public = match algorithm {
            Algorithm::Es256 => Jwk::P256 { x, y: x },
            Algorithm::EdDsa => Jwk::Ed25519 { x },
            Algorithm::Rs256 => Jwk::Rsa { modulus, padding: Padding::Pkcs1 },
            Algorithm::Ps256 => Jwk::Rsa { modulus, padding: Padding::Pss },
        };
        SigningKey::publish(public, SealedPrivateKey::new(vec![1]), at(now)).into_after()
    }

    fn is_unambiguous(&self) {
        for algorithm in Algorithm::ALL {
            for name in ["active", "published"] {
                let of =
                    |key: &&SigningKey| key.algorithm() == algorithm && key.state().name() == name;
                let damaged =
                    |one: &&DamagedKey| one.algorithm == Some(algorithm) && one.state == Some(name);
                let damaged = self.damaged.iter().filter(damaged).count();
                let count = self.keys.iter().filter(of).count() + damaged;
                assert!(count <= 1, "two {name} for {algorithm:?}");
            }
        }
    }

    /// Makes the row of this key one that cannot be read.
    fn damage(&mut self, id: &KeyId) {
        let place = self.keys.iter().position(|key| key.id() == *id).unwrap();
        let key = self.keys.remove(place);
        let (algorithm, state) = (Some(key.algorithm()), Some(key.state().name()));
        let id = key.id().as_str().to_owned();
        self.damaged.push(DamagedKey { id, column: "public_key", algorithm, state });
    }

    fn states(&self) -> Vec<&'static str> {
        self.keys.iter().map(|key| key.state().name()).collect()
    }

    fn of(&self, name: &str, algorithm: Algorithm) -> Option<KeyId> {
        let of = |key: &&SigningKey| key.algorithm() == algorithm && key.state().name() == name;
        self.keys.iter().find(of).map(SigningKey::id)
    }

    /// The key that a ring would sign with.
    fn signs(&self, algorithms: &[Algorithm]) -> Option<KeyId> {
        let usable = |algorithm: &Algorithm| {
            self.of("active", *algorithm).filter(|id| !self.broken.contains(id))
        };
        algorithms.iter().chain(&Algorithm::ALL).find_map(usable)
    }
}

#[test]
fn the_first_key_signs_at_once_and_the_next_is_known_long_before() {
    let mut keys = Installation::started(ES256, 0);
    assert_eq!(keys.states(), ["active", "published"]);
    assert_eq!(keys.keep_up(ES256, 0), 0);
    assert_eq!(keys.keep_up(ES256, PERIOD - 1), 0);
    assert!(keys.keep_up(ES256, PERIOD) > 0);
    assert_eq!(keys.states(), ["retiring", "active", "published"]);
    assert_eq!(keys.keep_up(ES256, PERIOD + LIVE - 1), 0);
    assert_eq!(keys.keep_up(ES256, PERIOD + LIVE), 1);
    assert_eq!(keys.states(), ["retired", "active", "published"]);
}

#[test]
fn jr_02_nobody_rotates_to_a_key_that_verifiers_may_not_know() {
    let mut keys = Installation::started(ES256, 0);
    let too_early = NotNow::TooEarly { algorithm: Algorithm::Es256, at: at(CACHED) };
    assert_eq!(keys.rotate(CACHED - 1), Err(too_early));
    assert!(too_early.to_string().contains("1970-01-01T00:06:00"), "{too_early}");
    assert!(keys.rotate(CACHED).is_ok());
    assert_eq!(keys.states(), ["retiring", "active", "published"]);
    let too_early = NotNow::TooEarly { algorithm: Algorithm::Es256, at: at(2 * CACHED) };
    assert_eq!(keys.rotate(CACHED), Err(too_early));
    assert_eq!(Installation::default().rotate(0), Err(NotNow::NoneSigns));
}

#[test]
fn jr_02_a_key_of_another_algorithm_waits_like_any_other() {
    let both = &[Algorithm::EdDsa, Algorithm::Es256];
    let mut keys = Installation::started(ES256, 0);
    let first = keys.signs(ES256);
    keys.keep_up(both, 1_000);
    keys.keep_up(both, 1_000 + CACHED - 1);
    assert_eq!(keys.signs(both), first);
    keys.keep_up(both, 1_000 + CACHED);
    assert_eq!(keys.signs(both), keys.of("active", Algorithm::EdDsa));
    assert!(keys.of("published", Algorithm::EdDsa).is_some());
    assert!(keys.of("active", Algorithm::Es256).is_some(), "both are configured");
}

#[test]
fn jr_03_an_algorithm_that_is_no_longer_configured_ends_once_another_signs() {
    let eddsa = &[Algorithm::EdDsa];
    let mut keys = Installation::started(ES256, 0);
    keys.keep_up(eddsa, 1_000);
    assert_eq!(keys.states(), ["active", "published", "published"]);
    keys.keep_up(eddsa, 1_000 + CACHED);
    assert_eq!(keys.states(), ["retiring", "retired", "active", "published"]);
    keys.keep_up(eddsa, 1_000 + CACHED + LIVE - 1);
    assert_eq!(keys.states()[0], "retiring");
    keys.keep_up(eddsa, 1_000 + CACHED + LIVE);
    assert_eq!(keys.states(), ["retired", "retired", "active", "published"]);
}

#[test]
fn jr_04_after_a_compromise_the_next_key_signs_at_once_known_or_not() {
    for wait in [0, CACHED - 1, CACHED] {
        let mut keys = Installation::started(ES256, 0);
        let id = keys.signs(ES256).unwrap();
        let next = keys.of("published", Algorithm::Es256);
        keys.compromise(&id, wait).unwrap();
        assert_eq!(keys.states(), ["compromised", "active", "published"]);
        assert_eq!(keys.signs(ES256), next);
        assert!(keys.compromise(&id, wait).is_err());
    }
}

#[test]
fn jr_04_where_there_is_no_next_key_one_is_made_and_signs_at_once() {
    let mut keys = Installation::started(ES256, 0);
    keys.keys.pop();
    let id = keys.signs(ES256).unwrap();
    keys.compromise(&id, 5).unwrap();
    assert_eq!(keys.states(), ["compromised", "active", "published"]);
}

#[test]
fn jr_04_after_two_compromises_a_key_signs_though_the_first_clock_was_ahead() {
    const DAY: u64 = 86_400;
    for ahead in [1, 9, 200 * DAY] {
        let mut keys = Installation::started(ES256, 0);
        let first = keys.signs(ES256).unwrap();
        keys.compromise(&first, 100 + ahead).unwrap();
        let second = keys.signs(ES256).unwrap();
        keys.compromise(&second, 100).unwrap();
        assert_eq!(keys.states(), ["compromised", "compromised", "active", "published"]);
    }
}

#[test]
fn by_a_clock_that_may_be_wrong_nothing_is_done_but_that_some_key_signs() {
    let mut keys = Installation::started(ES256, 0);
    let in_need =
        |keys: &Installation, now| keys.plan(|keys| keys.due_in_need(&policy(ES256), at(now)));
    assert_eq!(in_need(&keys, 10 * PERIOD), []);
    keys.damage(&keys.signs(ES256).unwrap());
    let steps = in_need(&keys, 10 * PERIOD);
    keys.carry_out(steps, 10 * PERIOD);
    assert_eq!(keys.states(), ["active", "published"]);
}

#[test]
fn jr_04_any_key_that_verifies_can_be_compromised_and_no_other() {
    let mut keys = Installation::started(ES256, 0);
    keys.rotate(CACHED).unwrap();
    let [retiring, active, next] = [0, 1, 2].map(|place| keys.keys[place].id());
    keys.compromise(&retiring, CACHED).unwrap();
    assert_eq!(keys.states(), ["compromised", "active", "published"]);
    keys.compromise(&next, CACHED).unwrap();
    assert_eq!(keys.states(), ["compromised", "active", "compromised", "published"]);
    assert_eq!(keys.signs(ES256), Some(active));
    let unknown = Jwk::P256 { x: [1; 32], y: [1; 32] }.thumbprint();
    assert_eq!(keys.compromise(&unknown, CACHED), Err(NotCompromised::Unknown));
}

#[test]
fn jr_02_the_successor_of_a_compromised_key_that_does_not_sign_waits_until_it_is_known() {
    let (both, rsa) = (&[Algorithm::Es256, Algorithm::Rs256], &[Algorithm::Rs256]);
    let mut keys = Installation::started(ES256, 0);
    keys.rotate(CACHED).unwrap();
    keys.keep_up(both, CACHED);
    keys.keep_up(both, 2 * CACHED);
    let signs = keys.signs(both);
    let lost = keys.of("active", Algorithm::Rs256).unwrap();
    let next = keys.of("published", Algorithm::Rs256);
    keys.compromise_among(both, &lost, 2 * CACHED).unwrap();
    assert_eq!(keys.of("active", Algorithm::Rs256), None);
    // Soon after, its algorithm is the only one.
    keys.keep_up(rsa, 2 * CACHED);
    keys.keep_up(rsa, 3 * CACHED - 1);
    assert_eq!(keys.signs(rsa), signs, "verifiers may not know the successor yet");
    keys.keep_up(rsa, 3 * CACHED);
    assert_eq!(keys.signs(rsa), next);
}

#[test]
fn jr_02_a_compromised_key_that_cannot_be_opened_did_not_sign_so_its_successor_waits() {
    let both = &[Algorithm::Es256, Algorithm::EdDsa];
    let mut keys = Installation::started(both, 0);
    keys.keep_up(both, CACHED);
    keys.rotate(CACHED).unwrap();
    let lost = keys.signs(both).unwrap();
    keys.broken = vec![lost.clone()];
    keys.compromise_among(both, &lost, CACHED).unwrap();
    assert_eq!(keys.of("active", Algorithm::Es256), None);
    assert_eq!(keys.signs(both), keys.of("active", Algorithm::EdDsa));
}

#[test]
fn jr_02_an_emergency_makes_one_young_key_sign_and_not_one_of_each_algorithm() {
    let both = &[Algorithm::EdDsa, Algorithm::Es256];
    let mut keys = Installation::started(ES256, 0);
    keys.keep_up(both, 1);
    let lost = keys.signs(both).unwrap();
    keys.compromise_among(both, &lost, 1).unwrap();
    assert_eq!(keys.signs(both), keys.of("active", Algorithm::EdDsa));
    assert_eq!(keys.of("active", Algorithm::Es256), None);
}

#[test]
fn a_key_that_cannot_be_opened_gives_way_to_one_that_can() {
    let mut keys = Installation::started(ES256, 0);
    keys.broken = vec![keys.keys[0].id()];
    // Nobody else signs: it does not wait.
    keys.keep_up(ES256, 1);
    assert_eq!(keys.states(), ["retiring", "active", "published"]);
    keys.broken = vec![keys.keys[2].id()];
    keys.keep_up(ES256, 2);
    assert_eq!(keys.states(), ["retiring", "active", "retired", "published"]);
}

#[test]
fn sm_01_where_no_key_can_be_opened_nothing_is_made() {
    let mut keys = Installation::started(ES256, 0);
    keys.broken = keys.keys.iter().map(SigningKey::id).collect();
    let before = keys.keys.clone();
    for now in [1, CACHED, PERIOD, 10 * PERIOD] {
        assert_eq!(keys.keep_up(ES256, now), 0);
    }
    assert_eq!(keys.rotate(PERIOD), Err(NotNow::NoneSigns));
    assert_eq!(keys.keys, before);
    // Also no emergency leaves nobody to sign, or anything sealed with a key that may be wrong.
    let id = keys.keys[0].id();
    assert_eq!(keys.compromise(&id, PERIOD), Err(NotCompromised::NoneOpens));
    keys.damage(&id);
    assert_eq!(keys.compromise(&id, PERIOD), Err(NotCompromised::NoneOpens));
    assert_eq!(keys.states(), ["published"]);
}

#[test]
fn jr_07_a_row_that_cannot_be_read_gives_way_to_a_key_that_signs() {
    let mut keys = Installation::started(ES256, 0);
    keys.damage(&keys.signs(ES256).unwrap());
    keys.keep_up(ES256, 1);
    assert_eq!(keys.states(), ["active", "published"]);
    assert_eq!(keys.damaged[0].state, Some("compromised"));
    keys.damage(&keys.of("published", Algorithm::Es256).unwrap());
    keys.keep_up(ES256, 2);
    assert_eq!(keys.states(), ["active", "published"]);
    assert_eq!(keys.damaged[1].state, Some("compromised"));
    assert_eq!(keys.keep_up(ES256, 2), 0);
}

#[test]
fn jr_04_a_row_that_cannot_be_read_keeps_no_key_from_being_compromised_and_can_be_itself() {
    for damaged in ["published", "active"] {
        let mut keys = Installation::started(ES256, 0);
        let bad = keys.of(damaged, Algorithm::Es256).unwrap();
        let good = keys.keys.iter().map(SigningKey::id).find(|id| *id != bad).unwrap();
        keys.damage(&bad);
        let mut both = keys.clone();
        keys.compromise(&good, 1).unwrap();
        assert_eq!(keys.states(), ["compromised", "active", "published"]);
        assert_eq!(keys.damaged[0].state, Some("compromised"));
        both.compromise(&bad, 1).unwrap();
        assert_eq!(both.states(), ["active", "published"]);
        assert_eq!(both.damaged[0].state, Some("compromised"));
        assert!(matches!(both.compromise(&bad, 1), Err(NotCompromised::Over(_))));
    }
}

#[test]
fn sm_01_where_no_row_can_be_read_nothing_is_made_until_all_of_them_are_ended() {
    let mut keys = Installation::started(ES256, 0);
    let ids: Vec<_> = keys.keys.iter().map(SigningKey::id).collect();
    ids.iter().for_each(|id| keys.damage(id));
    assert_eq!(keys.keep_up(ES256, PERIOD), 0);
    keys.compromise(&ids[0], PERIOD).unwrap();
    assert!(keys.states().is_empty());
    keys.compromise(&ids[1], PERIOD).unwrap();
    assert_eq!(keys.states(), ["active", "published"]);
}

#[test]
fn a_row_that_is_in_nobodys_way_is_left_as_it_is() {
    let mut keys = Installation::started(ES256, 0);
    keys.rotate(CACHED).unwrap();
    keys.damage(&keys.of("retiring", Algorithm::Es256).unwrap());
    let unknown = DamagedKey { algorithm: None, state: Some("active"), ..keys.damaged[0].clone() };
    keys.damaged.push(unknown);
    let before = keys.damaged.clone();
    assert_eq!(keys.keep_up(ES256, CACHED), 0);
    assert_eq!(keys.damaged, before);
}

#[test]
fn jr_07_a_key_that_is_published_while_none_signs_is_the_one_that_does() {
    let mut keys = Installation::default();
    let only = keys.make(Algorithm::Es256, 0);
    keys.keys.push(only.clone());
    keys.keep_up(ES256, 1);
    assert_eq!(keys.signs(ES256), Some(only.id()));
    assert_eq!(keys.states(), ["active", "published"]);
}

/// What becomes of keys of one algorithm that can all be opened, told as simply as possible: when
/// each began to be published, to sign, to retire.
#[derive(Default)]
struct Model(Vec<(u64, Option<u64>, Option<u64>)>);

impl Model {
    fn keep_up(&mut self, now: u64) {
        let signing =
            self.0.iter().position(|(_, signed, retired)| signed.is_some() && retired.is_none());
        let next = self.0.iter().position(|(_, signed, _)| signed.is_none());
        match (signing, next) {
            (None, None) => self.0.extend([(now, Some(now), None), (now, None, None)]),
            (Some(signing), Some(next)) => {
                let old = now >= self.0[signing].1.unwrap() + PERIOD;
                if old && now >= self.0[next].0 + CACHED {
                    self.0[signing].2 = Some(now);
                    self.0[next].1 = Some(now);
                    self.0.push((now, None, None));
                }
            }
            (Some(_), None) | (None, Some(_)) => panic!("it never comes to that"),
        }
    }

    fn states(&self, now: u64) -> Vec<&'static str> {
        let state = |(_, signed, retired): &(u64, Option<u64>, Option<u64>)| match (signed, retired)
        {
            (None, _) => "published",
            (Some(_), None) => "active",
            (Some(_), Some(at)) if now < at + LIVE => "retiring",
            (Some(_), Some(_)) => "retired",
        };
        self.0.iter().map(state).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn one_algorithm_goes_as_a_simple_model_has_it(waits in prop::collection::vec(0..4_000_u64, 1..60)) {
        let (mut keys, mut model, mut now) = (Installation::default(), Model::default(), 0);
        for wait in waits {
            now += wait;
            keys.keep_up(ES256, now);
            model.keep_up(now);
            prop_assert_eq!(keys.states(), model.states(now));
            prop_assert_eq!(keys.keep_up(ES256, now), 0, "once is enough");
        }
    }
}

#[test]
fn a_plan_says_what_revision_it_was_made_from() {
    let keys = Installation::started(ES256, 0);
    let steps = keys.plan(|keys| keys.due(&policy(ES256), at(PERIOD)));
    let first: SigningKeyRecord = keys.keys[0].record().clone();
    let Some(Step::Move(change)) = steps.first() else { panic!("{steps:?}") };
    assert_eq!(change.expected(), Some(first.revision));
    assert_eq!(change.after().record().revision, Revision::FIRST.next().next());
}
