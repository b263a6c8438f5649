//! Replicas that keep the signing keys together, without knowing of each other.

use std::time::Duration;

use futures_util::future::join_all;
use kernel::EntropyUnavailable;
use tokens::{
    Algorithm, Jwk, KeptKeys, KeyFactory, Lifetime, RotationPolicy, SealedPrivateKey, SigningKey,
};
use usecases::signing_key::{KeyKeeper, SigningKeyError};

use crate::{Harness, World, sample};

/// A day.
const PERIOD: Duration = Duration::from_secs(86_400);

/// Makes keys that sign nothing.
struct Factory<'a>(&'a sample::Machine);

impl KeyFactory for Factory<'_> {
    async fn generate(
        &self,
        algorithm: Algorithm,
    ) -> Result<(Jwk, SealedPrivateKey), EntropyUnavailable> {
        let record = sample::key_of(self.0, algorithm).into_after().record().clone();
        Ok((record.public, record.private))
    }

    fn opens(&self, _: &SigningKey) -> bool {
        true
    }
}

fn states(kept: &KeptKeys) -> Vec<(&'static str, &'static str)> {
    let state = |key: &SigningKey| (key.algorithm().name(), key.state().name());
    let mut states: Vec<_> = kept.whole.iter().map(state).collect();
    states.sort_unstable();
    states
}

/// JR-06: each plans by itself, and all write at once.
pub async fn jr_06_of_many_replicas_that_keep_up_at_once_one_makes_the_keys<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let factory = Factory(&world.machine);
    let algorithms = vec![Algorithm::Es256, Algorithm::EdDsa];
    let policy = RotationPolicy::new(algorithms, Lifetime::default(), PERIOD);
    let keeper = KeyKeeper {
        store: world.harness.store(),
        platform: scope.organization(),
        clock: &*world.machine.clock,
        factory: &factory,
        policy: &policy,
    };
    let all_keep_up = || async {
        let done = join_all((0..6).map(|_| keeper.keep_up())).await;
        let kept: Vec<_> = done.into_iter().map(Result::unwrap).collect();
        let first = kept.first().unwrap();
        assert!(kept.iter().all(|one| one == first), "they do not see the same");
        states(first)
    };
    let first = [("ES256", "active"), ("ES256", "published"), ("EdDSA", "published")];
    assert_eq!(all_keep_up().await, first);
    world.machine.wait(policy.cached_for);
    let second =
        [("ES256", "active"), ("ES256", "published"), ("EdDSA", "active"), ("EdDSA", "published")];
    assert_eq!(all_keep_up().await, second);
    world.machine.wait(PERIOD);
    let third = [
        ("ES256", "active"),
        ("ES256", "published"),
        ("ES256", "retiring"),
        ("EdDSA", "active"),
        ("EdDSA", "published"),
        ("EdDSA", "retiring"),
    ];
    assert_eq!(all_keep_up().await, third);

    world.machine.wait(policy.cached_for);
    let rotated = join_all((0..6).map(|_| keeper.rotate())).await;
    assert_eq!(rotated.iter().filter(|done| done.is_ok()).count(), 1);
    for refused in rotated.into_iter().filter_map(Result::err) {
        assert!(matches!(refused, SigningKeyError::NotNow(_)), "{refused}");
    }
}
