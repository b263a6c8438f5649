//! Any course of events, held to what verifiers see, and to clocks that do not agree.

use std::collections::BTreeMap;

use super::*;

/// What may happen to an installation.
#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    Configure(Vec<Algorithm>),
    Rotate,
    Compromise(prop::sample::Index),
    Break(prop::sample::Index),
    Damage(prop::sample::Index),
}

/// Where the clocks of those who do not agree begin.
const START: u64 = 40_000_000;

/// A clock that is about right, or far from it.
fn clock() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (START - 30)..(START + 30),
        2 => (START - 3_000)..(START + 3_000),
        1 => 0..(2 * START),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let algorithms = proptest::sample::subsequence(Algorithm::ALL.to_vec(), 1..=4).prop_shuffle();
    prop_oneof![
        6 => (0..3_000_u64).prop_map(Happening::Wait),
        2 => (5_000..30_000_u64).prop_map(Happening::Wait),
        1 => algorithms.prop_map(Happening::Configure),
        2 => Just(Happening::Rotate),
        1 => any::<prop::sample::Index>().prop_map(Happening::Compromise),
        1 => any::<prop::sample::Index>().prop_map(Happening::Break),
        1 => any::<prop::sample::Index>().prop_map(Happening::Damage),
    ]
}

impl Installation {
    /// Lets it happen, and tells whether a key may sign then that nobody can know of.
    fn happens(&mut self, happening: Happening, algorithms: &mut Vec<Algorithm>, now: u64) -> bool {
        match happening {
            Happening::Wait(_) => {}
            Happening::Configure(chosen) => *algorithms = chosen,
            Happening::Rotate => {
                let rotated = self.plan(|keys| keys.rotate(&policy(algorithms), at(now)));
                if let Ok(steps) = rotated {
                    self.carry_out(steps, now);
                }
            }
            Happening::Compromise(which) => {
                let id = which.get(&self.keys).id();
                if self.compromise_among(algorithms, &id, now).is_ok() {
                    let lost = self.keys.iter().find(|key| key.id() == id).unwrap();
                    assert!(!lost.state().is_published());
                    return true;
                }
            }
            Happening::Break(which) | Happening::Damage(which) if !self.is_spare(&which) => {}
            Happening::Break(which) => {
                let id = which.get(&self.keys).id();
                let signed = self.signs(algorithms).as_ref() == Some(&id);
                self.broken.push(id);
                return signed;
            }
            Happening::Damage(which) => {
                let id = which.get(&self.keys).id();
                let signed = self.signs(algorithms).as_ref() == Some(&id);
                self.damage(&id);
                return signed;
            }
        }
        false
    }

    /// Whether another key is left that can be used.
    fn is_spare(&self, which: &prop::sample::Index) -> bool {
        let id = which.get(&self.keys).id();
        let others = self.keys.iter().filter(|key| key.state().is_published() && key.id() != id);
        others.into_iter().any(|key| !self.broken.contains(&key.id()))
    }
}

/// What verifiers and holders of tokens saw of each key.
#[derive(Default)]
struct Seen {
    last_signed: BTreeMap<KeyId, u64>,
    signed: BTreeMap<KeyId, ()>,
}

impl Seen {
    /// Holds a state against what was seen before. `in_need` is whether a key may sign that nobody
    /// can know of.
    fn look(&mut self, keys: &Installation, algorithms: &[Algorithm], now: u64, in_need: bool) {
        let signs = keys.signs(algorithms).expect("some key signs");
        let key = keys.keys.iter().find(|key| key.id() == signs).unwrap();
        if self.signed.insert(signs.clone(), ()).is_none() {
            let known = at(now) >= key.record().created_at.plus(Duration::from_secs(CACHED));
            assert!(known || in_need, "a key signs that verifiers may not know");
        }
        self.last_signed.insert(signs, now);
        for key in &keys.keys {
            let over = key.state().name() == "retired" && !keys.broken.contains(&key.id());
            if let Some(last) = self.last_signed.get(&key.id()).filter(|_| over) {
                assert!(now >= last + LIVE, "a key is over whose tokens are not");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_verifiers_know_every_key_and_tokens_outlive_none(
        happenings in prop::collection::vec(happening(), 1..60)
    ) {
        let (mut algorithms, mut now) = (vec![Algorithm::Es256], 0);
        let (mut keys, mut seen) = (Installation::started(&algorithms, now), Seen::default());
        seen.look(&keys, &algorithms, now, true);
        for happening in happenings {
            if let Happening::Wait(seconds) = happening {
                now += seconds;
            }
            let in_need = keys.happens(happening, &mut algorithms, now);
            keys.keep_up(&algorithms, now);
            prop_assert_eq!(keys.keep_up(&algorithms, now), 0, "once is enough");
            seen.look(&keys, &algorithms, now, in_need);
            for algorithm in &algorithms {
                prop_assert!(keys.of("published", *algorithm).is_some(), "one is next");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Each acts by a clock of its own, which may be anywhere.
    #[test]
    fn jr_04_whatever_the_clocks_say_there_is_a_key_that_signs(
        happenings in prop::collection::vec((happening(), clock()), 1..60)
    ) {
        let mut algorithms = vec![Algorithm::Es256];
        let mut keys = Installation::started(&algorithms, START);
        for (happening, now) in happenings {
            // An emergency leaves one that signs without anybody's looking after it.
            let emergency = matches!(happening, Happening::Compromise(_));
            keys.happens(happening, &mut algorithms, now);
            prop_assert!(!emergency || keys.signs(&algorithms).is_some(), "none signs");
            keys.keep_up(&algorithms, now);
            prop_assert!(keys.signs(&algorithms).is_some(), "none signs");
            prop_assert_eq!(keys.keep_up(&algorithms, now), 0, "once is enough");
            for algorithm in &algorithms {
                prop_assert!(keys.of("published", *algorithm).is_some(), "one is next");
            }
        }
    }
}
