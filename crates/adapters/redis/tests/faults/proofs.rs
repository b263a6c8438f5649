//! Proofs that were used, and a Redis that forgets them.

use std::{sync::Arc, time::Duration};

use contracts::run;
use jose::SingleUse;
use kernel::{Clock, OrganizationId, StoreError};
use local::SystemEntropy;
use redis_cache::RedisProofUses;
use tokens::{
    ProofUses,
    dpop::{Epoch, ProofUse},
};

use crate::kit::House;

async fn replica(house: &House) -> RedisProofUses {
    house.cache().await.proof_uses(Arc::new(SystemEntropy::new()))
}

async fn epoch(house: &House, uses: &RedisProofUses) -> Epoch {
    uses.epoch(house.clock.now()).await.unwrap()
}

async fn used(
    house: &House,
    uses: &RedisProofUses,
    epoch: Epoch,
    id: &str,
) -> Result<ProofUse, StoreError> {
    let organization: OrganizationId = "018bcfe5-687b-7001-8203-040506070801".parse().unwrap();
    let now = house.clock.now();
    let proof = SingleUse::new("proof", "key", id, now.plus(Duration::from_secs(61)));
    uses.use_once(organization, epoch, &proof, now).await
}

#[test]
fn dp_06_replicas_share_one_epoch_and_what_was_used() {
    run(async {
        let house = House::new();
        let (one, two) = (replica(&house).await, replica(&house).await);
        let shared = epoch(&house, &one).await;
        assert_eq!(epoch(&house, &two).await, shared);
        let first = used(&house, &one, shared, "a").await.unwrap();
        assert_eq!(first, ProofUse::First { next: shared });
        assert_eq!(used(&house, &two, shared, "a").await.unwrap(), ProofUse::Again);
    });
}

#[test]
fn dp_06_a_redis_that_was_emptied_takes_no_proof_of_before() {
    run(async {
        let house = House::new();
        let uses = replica(&house).await;
        let before = epoch(&house, &uses).await;
        used(&house, &uses, before, "a").await.unwrap();
        house.server.flush().unwrap();
        let after = used(&house, &uses, before, "a").await.unwrap();
        let next = epoch(&house, &uses).await;
        assert_ne!(next, before);
        assert_eq!(after, ProofUse::OtherEpoch { next });
    });
}

/// As one that starts again from a file that lacks the last second.
#[test]
fn dp_06_a_redis_that_starts_again_takes_no_proof_of_before_though_it_kept_its_epoch() {
    run(async {
        let mut house = House::new();
        let uses = replica(&house).await;
        let before = epoch(&house, &uses).await;
        used(&house, &uses, before, "a").await.unwrap();
        let kept: String = house.command(&["GET", "idp:proofs"]).await;
        house.server.kill().unwrap();
        house.server.restart().unwrap();
        let _: () = house.command(&["SET", "idp:proofs", &kept]).await;
        house.clock.turn(Duration::from_secs(1));
        // The first call may find a connection that broke.
        let mut answer = used(&house, &uses, before, "a").await;
        if answer.is_err() {
            house.clock.turn(Duration::from_secs(1));
            answer = used(&house, &uses, before, "a").await;
        }
        assert!(matches!(answer.unwrap(), ProofUse::OtherEpoch { next } if next != before));
    });
}

#[test]
fn ck_02_a_proof_is_remembered_ten_minutes_past_its_time_and_the_epoch_for_ever() {
    run(async {
        let house = House::new();
        let uses = replica(&house).await;
        let epoch = epoch(&house, &uses).await;
        used(&house, &uses, epoch, "a").await.unwrap();
        let keys: Vec<String> = house.command(&["KEYS", "idp:proof:*"]).await;
        assert_eq!(keys.len(), 1);
        let left: i64 = house.command(&["PTTL", &keys.concat()]).await;
        assert!((660_000..=661_000).contains(&left), "{left}");
        assert_eq!(house.command::<i64>(&["PTTL", "idp:proofs"]).await, -1);
    });
}

#[test]
fn what_does_not_answer_or_may_not_is_no_first_use() {
    run(async {
        let house = House::new();
        let uses = replica(&house).await;
        let epoch = epoch(&house, &uses).await;
        let _: () = house.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
        assert!(used(&house, &uses, epoch, "a").await.is_err());
        let _: () = house.command(&["CONFIG", "SET", "maxmemory", "0"]).await;
        let _: () = house.command(&["ACL", "SETUSER", "default", "-info"]).await;
        assert!(used(&house, &uses, epoch, "a").await.is_err());
        let _: () = house.command(&["ACL", "SETUSER", "default", "+info"]).await;
        let first = used(&house, &uses, epoch, "a").await.unwrap();
        assert_eq!(first, ProofUse::First { next: epoch });
    });
}
