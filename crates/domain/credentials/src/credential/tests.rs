//! A credential's rules, each by itself and rotation against a naive model.

use proptest::prelude::*;

use super::*;
use crate::hash::PepperVersion;

const NONE: LiveCount = LiveCount(0);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
}

fn hash() -> SecretHash {
    SecretHash::from_parts(PepperVersion::FIRST, [1; 32])
}

fn id(number: u128) -> CredentialId {
    CredentialId::from_uuid(uuid::Uuid::from_u128(number))
}

fn new(expires_at: Option<Timestamp>) -> NewCredential {
    NewCredential {
        id: id(1),
        agent: "018bcfe5-687b-7001-8203-040506070809".parse().unwrap(),
        organization: "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap(),
        name: None,
        expires_at,
        hash: hash(),
    }
}

fn made(expires_at: Option<Timestamp>) -> Credential {
    Credential::generate(new(expires_at), NONE, at(100)).unwrap().into_after()
}

fn overlap(seconds: u64) -> Overlap {
    Overlap::from_seconds(seconds).unwrap()
}

#[test]
fn cr_08_a_credential_is_never_born_expired_nor_good_at_its_end() {
    let refused = Credential::generate(new(Some(at(100))), NONE, at(100));
    assert_eq!(refused.err(), Some(GenerateError::ExpiryInThePast));
    let credential = made(Some(at(200)));
    assert_eq!(credential.authenticates(at(199)), Standing::GOOD);
    assert_eq!(credential.authenticates(at(200)), Standing::Ended);
    assert_eq!(credential.standing(), Standing::GOOD);
}

#[test]
fn cr_03_there_are_at_most_ten_that_work() {
    let full = LiveCount(LiveCount::MAX);
    let refused = Credential::generate(new(None), full, at(1));
    assert_eq!(refused.err(), Some(GenerateError::Limit(LimitReached { used: 10 })));
    let beside = made(None).rotate((id(2), hash()), overlap(5), full, at(101));
    assert_eq!(beside.err(), Some(RotateError::Limit(LimitReached { used: 10 })));
    assert!(made(None).rotate((id(2), hash()), overlap(0), full, at(101)).is_ok());
}

#[test]
fn cr_07_a_rotated_credential_works_for_its_overlap_and_cannot_be_rotated_again() {
    let rotation = made(None).rotate((id(2), hash()), overlap(60), NONE, at(100)).unwrap();
    let old = rotation.old().clone();
    assert_eq!(old.authenticates(at(159)), Standing::GOOD);
    assert_eq!(old.authenticates(at(160)), Standing::Ended);
    assert_eq!(old.status(None, at(159)), CredentialStatus::Expiring);
    let again = old.rotate((id(3), hash()), overlap(0), NONE, at(101));
    assert_eq!(again.err(), Some(RotateError::Superseded));
}

#[test]
fn ck_01_a_rotation_without_overlap_is_seen_at_once_by_a_clock_that_is_behind() {
    let rotation = made(None).rotate((id(2), hash()), overlap(0), NONE, at(100)).unwrap();
    assert_eq!(rotation.old().authenticates(at(90)), Standing::Ended);
    assert_eq!(rotation.successor().authenticates(at(90)), Standing::GOOD);
}

#[test]
fn cr_08_a_rotation_keeps_a_finite_credential_finite() {
    let rotation =
        made(Some(at(200))).rotate((id(2), hash()), overlap(600), NONE, at(150)).unwrap();
    assert_eq!(rotation.old().record().expires_at, Some(at(200)));
    assert_eq!(rotation.successor().record().expires_at, Some(at(250)));
}

#[test]
fn revoking_again_is_no_change_and_revoked_cannot_be_rotated() {
    let revoked = made(None).revoke(at(101)).unwrap().into_after();
    assert_eq!(revoked.standing(), Standing::Ended);
    let rotated = revoked.clone().rotate((id(2), hash()), overlap(0), NONE, at(102));
    assert_eq!(rotated.err(), Some(RotateError::NotLive(CredentialStatus::Revoked)));
    assert!(revoked.revoke(at(102)).is_none());
}

#[test]
fn the_credentials_of_an_agent_that_ended_count_as_revoked() {
    let credential = made(None);
    assert_eq!(credential.status(Some(at(300)), at(400)), CredentialStatus::Revoked);
    assert_eq!(credential.revoked_at(Some(at(300))), Some(at(300)));
}

proptest! {
    /// The model of a chain: what works is what is not revoked and whose end has not come.
    #[test]
    fn a_chain_of_rotations_agrees_with_a_naive_model(
        steps in proptest::collection::vec((1_i64..50, 0_u64..100, any::<bool>()), 1..12),
    ) {
        let mut chain = vec![made(None)];
        let mut ends: Vec<Option<i64>> = vec![None];
        let mut now = 100;
        for (number, (wait, overlap_seconds, revoke)) in steps.into_iter().enumerate() {
            now += wait;
            let last = chain.pop().unwrap();
            if revoke {
                chain.push(last.revoke(at(now)).unwrap().into_after());
                *ends.last_mut().unwrap() = Some(now);
                break;
            }
            let next = id(u128::try_from(number).unwrap() + 2);
            let rotation =
                last.rotate((next, hash()), overlap(overlap_seconds), NONE, at(now)).unwrap();
            *ends.last_mut().unwrap() = Some(now + i64::try_from(overlap_seconds).unwrap());
            chain.push(rotation.old().clone());
            chain.push(rotation.into_successor());
            ends.push(None);
        }
        for probe in [now, now + 30, now + 200] {
            for (credential, end) in chain.iter().zip(&ends) {
                let works = credential.authenticates(at(probe)) == Standing::GOOD;
                prop_assert_eq!(works, end.is_none_or(|end| probe < end));
            }
        }
    }
}
