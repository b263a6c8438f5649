//! Proofs: each passes once, on whatever replica, and none whose memory is gone.

use std::time::Duration;

use futures_util::future::join_all;
use jose::SingleUse;
use kernel::{OrganizationId, Timestamp};
use tokens::dpop::{Epoch, ProofUse};

use crate::ProofUsesHarness;

const ONE: &str = "018bcfe5-687b-7001-8203-040506070801";
const TWO: &str = "018bcfe5-687b-7001-8203-040506070802";

fn now() -> Timestamp {
    Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap()
}

fn proof(id: &str) -> SingleUse {
    SingleUse::new("proof", "key", id, now().plus(Duration::from_secs(60)))
}

/// Memories that stand on the same ground, as those of several replicas do, and their epoch.
struct Shared<H> {
    harness: H,
    epoch: Epoch,
}

impl<H: ProofUsesHarness> Shared<H> {
    async fn fresh() -> Self {
        let harness = H::fresh().await;
        let epoch = harness.uses().epoch(now()).await.unwrap();
        Self { harness, epoch }
    }

    async fn used(&self, organization: &str, epoch: Epoch, id: &str) -> ProofUse {
        let organization: OrganizationId = organization.parse().unwrap();
        self.harness.uses().use_once(organization, epoch, &proof(id), now()).await.unwrap()
    }
}

pub async fn dp_06_what_was_used_is_used<H: ProofUsesHarness>() {
    let shared = Shared::<H>::fresh().await;
    let first = ProofUse::First { next: shared.epoch };
    assert_eq!(shared.used(ONE, shared.epoch, "a").await, first);
    assert_eq!(shared.used(ONE, shared.epoch, "a").await, ProofUse::Again);
    assert_eq!(shared.used(ONE, shared.epoch, "b").await, first);
    assert_eq!(shared.used(ONE, shared.epoch, "a").await, ProofUse::Again);
}

pub async fn dp_06_of_64_uses_at_once_exactly_one_is_the_first<H: ProofUsesHarness>() {
    let shared = Shared::<H>::fresh().await;
    let all = join_all((0..64).map(|_| shared.used(ONE, shared.epoch, "a"))).await;
    let is_first = |used: &&ProofUse| **used == ProofUse::First { next: shared.epoch };
    assert_eq!(all.iter().filter(is_first).count(), 1);
    assert_eq!(all.iter().filter(|used| **used == ProofUse::Again).count(), 63);
}

pub async fn dp_06_a_proof_of_another_epoch_is_not_taken<H: ProofUsesHarness>() {
    let shared = Shared::<H>::fresh().await;
    let next = shared.epoch;
    for other in [Epoch::from_bytes([0x81; 8]), Epoch::OF_RECORD] {
        assert_eq!(shared.used(ONE, other, "a").await, ProofUse::OtherEpoch { next });
    }
    assert_eq!(shared.used(ONE, next, "a").await, ProofUse::First { next });
    assert_eq!(shared.harness.uses().epoch(now()).await.unwrap(), next);
}

pub async fn tn_11_one_proof_in_two_organizations_is_two<H: ProofUsesHarness>() {
    let shared = Shared::<H>::fresh().await;
    for organization in [ONE, TWO] {
        let used = shared.used(organization, shared.epoch, "a").await;
        assert_eq!(used, ProofUse::First { next: shared.epoch });
    }
}
