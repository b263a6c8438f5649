//! One way to authenticate, whatever is registered, and in which order.

use audit::Audited;
use jose::Jwk;
use kernel::{CredentialId, Standing};
use proptest::prelude::*;

use super::*;
use crate::{
    credential::{CredentialStatus, NewCredential},
    hash::{PepperVersion, SecretHash},
    material::{CertificateThumbprint, KeyMaterial},
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
}

fn id(number: u8) -> CredentialId {
    CredentialId::from_uuid(uuid::Uuid::from_u128(number.into()))
}

fn secret(number: u8) -> Credential {
    let new = NewCredential {
        id: id(number),
        agent: "018bcfe5-687b-7001-8203-040506070809".parse().unwrap(),
        organization: "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap(),
        name: None,
        expires_at: None,
        hash: SecretHash::from_parts(PepperVersion::FIRST, [1; 32]),
    };
    Credential::generate(new, LiveCount(0), at(1)).unwrap().into_after()
}

fn new(number: u8, material: KeyMaterial) -> NewClientKey {
    NewClientKey {
        id: id(number),
        agent: "018bcfe5-687b-7001-8203-040506070809".parse().unwrap(),
        organization: "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap(),
        kid: None,
        material,
        name: None,
        expires_at: None,
    }
}

fn jwk(number: u8) -> KeyMaterial {
    KeyMaterial::Jwk(Jwk::P256 { x: [number; 32], y: [1; 32] })
}

fn certificate(number: u8) -> KeyMaterial {
    KeyMaterial::Certificate(CertificateThumbprint::from_bytes([number; 32]))
}

fn key(number: u8, material: KeyMaterial) -> ClientKey {
    ClientKey::add(new(number, material), at(1)).into_after()
}

#[test]
fn ca_03_the_first_key_ends_every_secret_that_works() {
    let ways = Ways::new(vec![secret(1), secret(2)], vec![]);
    assert_eq!(ways.method(), Some(AuthenticationMethod::ClientSecret));
    let addition = ways.add(new(3, jwk(3)), at(2)).unwrap();
    let ended: Vec<_> = addition.ended.iter().map(|change| change.after().id()).collect();
    assert_eq!(ended, [id(1), id(2)]);
    assert!(addition.ended.iter().all(|change| change.after().standing() == Standing::Ended));
    let event = addition.added.event();
    assert_eq!(event.action().name(), "key.added");
    assert_eq!(event.resource().unwrap().id, id(3).to_string());
    assert_eq!(event.metadata()["method"], "private_key_jwt");
    assert_eq!(event.metadata()["algorithm"], "ES256");
}

#[test]
fn ca_03_no_secret_is_made_while_a_key_is_there() {
    let ways = Ways::new(vec![], vec![key(1, jwk(1))]);
    let from = AuthenticationMethod::PrivateKeyJwt;
    let refused = OtherMethod { from, to: AuthenticationMethod::ClientSecret };
    assert_eq!(ways.admit_secret(), Err(refused));
    assert_eq!(Ways::new(vec![secret(1)], vec![]).admit_secret(), Ok(()));
    assert_eq!(Ways::new(vec![], vec![]).admit_secret(), Ok(()));
}

#[test]
fn keys_of_two_methods_never_stand_side_by_side() {
    let ways = Ways::new(vec![], vec![key(1, jwk(1))]);
    let refused = ways.clone().add(new(2, certificate(2)), at(2)).err();
    let other = OtherMethod {
        from: AuthenticationMethod::PrivateKeyJwt,
        to: AuthenticationMethod::SelfSignedTls,
    };
    assert_eq!(refused, Some(AddKeyError::OtherMethod(other)));
    assert!(ways.add(new(2, jwk(2)), at(2)).is_ok());
}

#[test]
fn jv_11_an_agent_has_at_most_ten_keys() {
    let ten = (0..10).map(|number| key(number, jwk(number))).collect();
    let refused = Ways::new(vec![], ten).add(new(11, jwk(11)), at(2)).err();
    assert_eq!(refused, Some(AddKeyError::Limit { used: 10 }));
}

#[test]
fn neither_an_id_nor_a_key_is_there_twice() {
    let there = vec![key(1, jwk(1))];
    let called_alike = NewClientKey { kid: Some(there[0].kid().clone()), ..new(2, jwk(2)) };
    let refused = Ways::new(vec![], there.clone()).add(called_alike, at(2)).err();
    assert_eq!(refused, Some(AddKeyError::KidTaken));
    let renamed = NewClientKey { kid: Some("other".parse().unwrap()), ..new(2, jwk(1)) };
    let refused = Ways::new(vec![], there).add(renamed, at(2)).err();
    assert_eq!(refused, Some(AddKeyError::Doubled));
}

#[test]
fn a_key_is_never_born_expired_nor_good_at_its_end() {
    let ending = |end| NewClientKey { expires_at: Some(at(end)), ..new(1, jwk(1)) };
    let add = |end, now| Ways::new(vec![], vec![]).add(ending(end), at(now));
    assert_eq!(add(5, 5).err(), Some(AddKeyError::ExpiryInThePast));
    let key = add(6, 5).unwrap().added.into_after();
    assert_eq!(key.authenticates(at(5)), Standing::GOOD);
    assert_eq!(key.authenticates(at(6)), Standing::Ended);
    assert_eq!(key.standing(), Standing::GOOD);
    assert_eq!(key.status(None, at(5)), CredentialStatus::Expiring);
    assert_eq!(key.status(None, at(6)), CredentialStatus::Expired);
    assert_eq!(key.status(Some(at(5)), at(5)), CredentialStatus::Revoked);
}

#[test]
fn a_key_is_removed_once_and_for_good() {
    let removed = key(1, jwk(1)).remove(at(2)).unwrap();
    assert_eq!(removed.event().action().name(), "key.removed");
    let removed = removed.into_after();
    assert_eq!(removed.standing(), Standing::Ended);
    assert_eq!(removed.status(None, at(2)), CredentialStatus::Revoked);
    assert_eq!(removed.remove(at(3)), None);
}

proptest! {
    /// Whatever is tried in whatever order, there are never two ways in.
    #[test]
    fn ca_03_there_is_never_a_second_way_in(
        tried in prop::collection::vec((0_u8..4, any::<u8>()), 0..40),
    ) {
        let (mut secrets, mut keys): (Vec<Credential>, Vec<ClientKey>) = (vec![], vec![]);
        for (kind, number) in tried {
            let ways = Ways::new(secrets.clone(), keys.clone());
            match kind {
                0 if ways.admit_secret().is_ok() => secrets.push(secret(number)),
                1 | 2 => {
                    let material = if kind == 1 { jwk(number) } else { certificate(number) };
                    let Ok(addition) = ways.add(new(number, material), at(2)) else { continue };
                    let gone: Vec<_> =
                        addition.ended.iter().map(|change| change.after().id()).collect();
                    secrets.retain(|one| !gone.contains(&one.id()));
                    keys.push(addition.added.into_after());
                }
                3 => drop(keys.pop()),
                _ => {}
            }
            prop_assert!(secrets.is_empty() || keys.is_empty());
            prop_assert!(keys.len() <= 10);
            let mut methods: Vec<_> =
                keys.iter().map(|key| key.material().method().name()).collect();
            methods.dedup();
            prop_assert!(methods.len() <= 1);
        }
    }
}
