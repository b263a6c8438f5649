//! Keys of every state, signatures of every wrong form, and an independent reader of our tokens.

use std::{collections::BTreeSet, time::Duration};

use futures_util::FutureExt;
use jsonwebtoken::{DecodingKey, Validation, decode};
use kernel::{ExposeSecret, Standing};
use serde_json::Value;
use tokens::{
    Client, Issuer, Lifetime, SealedPrivateKey, SigningKeyRecord, TokenPolicy, TokenRequest,
    issue::issue, jws::verify,
};

use super::*;
use crate::{
    SystemEntropy,
    sample::{active, active_of, at, published, published_of, sealer},
};

const MESSAGE: &[u8] = b"header.payload";

fn ring(keys: &[SigningKey]) -> KeyRing {
    let ring = KeyRing::new(sealer(1));
    ring.replace(keys).unwrap();
    ring
}

fn sign(ring: &KeyRing, key: &KeyId) -> Result<Vec<u8>, SigningFailed> {
    ring.sign(key, MESSAGE).now_or_never().unwrap()
}

fn issuer() -> Issuer {
    "https://idp.example.com".parse().unwrap()
}

fn token(ring: &KeyRing) -> String {
    signed(ring).now_or_never().unwrap()
}

async fn signed(ring: &KeyRing) -> String {
    let policy = TokenPolicy { issuer: issuer(), lifetime: Lifetime::default() };
    let client = Client {
        agent: "018bcfe5-687b-7001-8203-040506070809".parse().unwrap(),
        organization: "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap(),
        agent_type: "custom",
        credential: "018bcfe5-687b-7001-8203-04050607080b".parse().unwrap(),
        grantable: "agents:read".parse().unwrap(),
        standing: Standing::GOOD,
        dpop_bound: false,
    };
    // In the year 2100, so that a reader that goes by the real clock finds it unexpired.
    let entropy = SystemEntropy::new();
    let (request, registered) = (TokenRequest::default(), BTreeSet::new());
    let token = issue(request, &client, &registered, &policy, at(4_102_444_800), &entropy);
    let (key, algorithm) = ring.active().unwrap();
    let signed = token.unwrap().sign((&key, algorithm), ring).await.unwrap();
    signed.expose_secret().to_owned()
}

/// What another library makes of a token, given our published keys as they go over the wire.
fn read_by_another(
    token: &str,
    ring: &KeyRing,
    algorithm: jsonwebtoken::Algorithm,
) -> Option<Value> {
    let header = jsonwebtoken::decode_header(token).ok()?;
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let published = ring.published();
    let jwk = published.iter().find(|key| Some(key.thumbprint().as_str()) == header.kid.as_deref());
    let jwk = serde_json::from_value(jwk?.to_json()).unwrap();
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[issuer().as_str()]);
    validation.set_audience(&[issuer().as_str()]);
    decode::<Value>(token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation)
        .ok()
        .map(|token| token.claims)
}

#[test]
fn a_token_verifies_by_its_own_key_only() {
    let (ours, theirs) = (ring(&[active(0)]), ring(&[active(0)]));
    let token = token(&ours);
    assert!(verify(&token, &issuer(), &ours).is_ok());
    assert!(verify(&token, &issuer(), &theirs).is_err());
    assert!(read_by_another(&token, &theirs, jsonwebtoken::Algorithm::ES256).is_none());
    let (foreign, _) = theirs.active().unwrap();
    let signature = sign(&ours, &ours.active().unwrap().0).unwrap();
    assert!(!theirs.verifies(&foreign, MESSAGE, &signature));
}

#[test]
fn jv_10_a_signature_of_another_form_is_refused() {
    let key = active(0);
    let id = key.id();
    let ring = ring(std::slice::from_ref(&key));
    let good = sign(&ring, &id).unwrap();
    assert_eq!(good.len(), 64);
    assert!(ring.verifies(&id, MESSAGE, &good));
    assert!(!ring.verifies(&id, b"another", &good));
    for bad in [
        vec![],
        vec![0; 64],
        vec![0xff; 64],
        good[..63].to_vec(),
        [&good[..], &[0]].concat(),
        [&[0], &good[..]].concat(),
        [&good[32..], &good[..32]].concat(),
        der(&good),
    ] {
        assert!(!ring.verifies(&id, MESSAGE, &bad), "{} bytes", bad.len());
    }
}

/// The same two numbers as a sequence of integers in DER, which some libraries take as well.
fn der(fixed: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
        let padded = if digits[0] < 0x80 { digits } else { [&[0], &digits[..]].concat() };
        [&[2, u8::try_from(padded.len()).unwrap()], &padded[..]].concat()
    };
    let numbers = [integer(&fixed[..32]), integer(&fixed[32..])].concat();
    [&[0x30, u8::try_from(numbers.len()).unwrap()], &numbers[..]].concat()
}

/// What a store says of a key whose row cannot be read.
fn unread(id: &str, state: Option<&'static str>) -> DamagedKey {
    let (id, algorithm) = (id.to_owned(), Some(Algorithm::Es256));
    DamagedKey { id, column: "public_key", algorithm, state }
}

#[test]
fn jr_07_a_key_whose_row_can_no_longer_be_read_goes_on_signing_until_another_does() {
    let (key, next) = (active(0), published(0));
    let id = key.id();
    for row in [
        unread(id.as_str(), Some("active")),
        unread(id.as_str(), None),
        // Its id is what was damaged.
        unread("another", Some("active")),
    ] {
        let ring = ring(&[key.clone(), next.clone()]);
        let signature = sign(&ring, &id).unwrap();
        let left_out = ring.replace_beside(std::slice::from_ref(&next), std::slice::from_ref(&row));
        assert_eq!(left_out, Ok(Vec::new()));
        assert_eq!(ring.active(), Some((id.clone(), Algorithm::Es256)));
        assert!(sign(&ring, &id).is_ok() && ring.verifies(&id, MESSAGE, &signature));

        // Later than the other one, by a clock that was behind.
        let successor = next.clone().activate_at_once(at(0)).unwrap().into_after();
        ring.replace_beside(&[successor], &[row]).unwrap();
        assert_eq!(ring.active(), Some((next.id(), Algorithm::Es256)));
        assert!(ring.verifies(&id, MESSAGE, &signature), "its tokens are good yet");
    }
}

#[test]
fn jr_04_a_key_whose_row_cannot_be_read_is_over_once_the_row_says_so() {
    let (key, next) = (active(0), published(0));
    let id = key.id();
    for (rows, left) in [
        (vec![unread(id.as_str(), Some("compromised"))], vec![next.clone()]),
        (vec![unread(id.as_str(), Some("retired")), unread("x", Some("active"))], vec![]),
        (vec![unread("another", Some("compromised"))], vec![next.clone()]),
        (vec![unread(id.as_str(), Some("compromised"))], vec![damaged(&active(1)), next.clone()]),
    ] {
        let ring = ring(&[key.clone(), next.clone()]);
        let signature = sign(&ring, &id).unwrap();
        let _ = ring.replace_beside(&left, &rows);
        assert!(ring.active().is_none() && !ring.verifies(&id, MESSAGE, &signature), "{rows:?}");
        assert!(matches!(sign(&ring, &id), Err(SigningFailed::NoneSigns)));
    }
}

#[test]
fn an_empty_ring_signs_and_verifies_nothing() {
    let ring = ring(&[]);
    let id = active(0).id();
    assert!(ring.active().is_none() && ring.algorithm(&id).is_none());
    assert!(sign(&ring, &id).is_err() && ring.published().is_empty());
}

#[test]
fn jr_02_a_key_that_is_only_published_does_not_sign() {
    let key = published(0);
    let ring = ring(std::slice::from_ref(&key));
    assert!(ring.active().is_none());
    assert!(sign(&ring, &key.id()).is_err());
    assert_eq!(ring.published(), [key.record().public.clone()]);
}

#[test]
fn jr_03_a_retiring_key_verifies_and_a_retired_one_does_not() {
    let key = active(0);
    let id = key.id();
    let ring = ring(std::slice::from_ref(&key));
    let signature = sign(&ring, &id).unwrap();
    let retiring = key.retire(Duration::from_secs(1), at(10)).unwrap().into_after();
    ring.replace(std::slice::from_ref(&retiring)).unwrap();
    assert!(ring.active().is_none() && ring.verifies(&id, MESSAGE, &signature));
    let retired = retiring.finish(at(11)).unwrap().into_after();
    ring.replace(&[retired]).unwrap();
    assert!(!ring.verifies(&id, MESSAGE, &signature) && ring.published().is_empty());
}

#[test]
fn of_several_active_keys_the_newest_signs() {
    let (old, new) = (active(5), active(9));
    for keys in [[old.clone(), new.clone()], [new.clone(), old]] {
        assert_eq!(ring(&keys).active(), Some((new.id(), Algorithm::Es256)));
    }
}

#[test]
fn the_published_keys_are_in_the_order_of_their_ids() {
    let keys: Vec<_> = (0..5).map(published).collect();
    let ids: Vec<_> = ring(&keys).published().iter().map(Jwk::thumbprint).collect();
    assert!(ids.is_sorted() && ids.len() == 5);
}

#[test]
fn sm_01_keys_sealed_by_another_key_are_refused_and_the_ring_stays_as_it_was() {
    let key = active(0);
    let other = KeyRing::new(sealer(2));
    let error = other.replace(std::slice::from_ref(&key)).unwrap_err();
    assert_eq!(error.first.reason, Unusable::Sealed(SealError::OtherKey));
    assert!(error.to_string().contains("the sealing key does not fit"), "{error}");

    let ring = ring(std::slice::from_ref(&key));
    let signature = sign(&ring, &key.id()).unwrap();
    assert!(ring.replace(&[damaged(&active(1)), published(2)]).is_err());
    assert_eq!(ring.active(), Some((key.id(), Algorithm::Es256)));
    assert!(ring.verifies(&key.id(), MESSAGE, &signature));
}

#[test]
fn sm_01_a_damaged_key_is_left_out_and_keeps_no_other_from_signing() {
    let (whole, broken) = (active(0), damaged(&published(1)));
    let ring = KeyRing::new(sealer(1));
    let left_out = ring.replace(&[broken.clone(), whole.clone()]).unwrap();
    assert_eq!(left_out.iter().map(|one| &one.key).collect::<Vec<_>>(), [&broken.id()]);
    assert_eq!(ring.active(), Some((whole.id(), Algorithm::Es256)));
    assert_eq!(ring.published(), [whole.record().public.clone()]);
    assert!(sign(&ring, &whole.id()).is_ok() && sign(&ring, &broken.id()).is_err());
}

#[test]
fn jr_04_a_compromised_key_goes_even_where_no_other_can_be_opened() {
    let key = active(0);
    let id = key.id();
    let ring = ring(std::slice::from_ref(&key));
    let signature = sign(&ring, &id).unwrap();
    let compromised = key.compromise(at(1)).unwrap().into_after();
    assert!(ring.replace(&[compromised, damaged(&active(1))]).is_err());
    assert!(ring.active().is_none() && ring.published().is_empty());
    assert!(!ring.verifies(&id, MESSAGE, &signature) && sign(&ring, &id).is_err());
}

#[test]
fn a_private_key_in_anothers_place_is_refused() {
    let (one, two) = (active(0), active(0));
    let swapped = with_private(&one, |_| two.record().private.clone());
    let error = KeyRing::new(sealer(1)).replace(&[swapped]).unwrap_err();
    assert_eq!(error.first.reason, Unusable::Sealed(SealError::Altered));
}

#[test]
fn what_was_sealed_must_be_the_pair_of_the_published_key() {
    let (one, two) = (active(0), active(0));
    let private = sealer(1).open(purpose(&two.id()), two.record().private.as_bytes()).unwrap();
    for content in [private.expose_secret(), b"no key at all"] {
        let sealed = sealer(1).seal(purpose(&one.id()), content).unwrap();
        let unpaired = with_private(&one, |_| SealedPrivateKey::new(sealed));
        let error = KeyRing::new(sealer(1)).replace(&[unpaired]).unwrap_err();
        assert_eq!(error.first.reason, Unusable::Unpaired);
    }
}

#[tokio::test]
async fn another_library_reads_tokens_of_every_algorithm() {
    for (ours, theirs) in [
        (Algorithm::Es256, jsonwebtoken::Algorithm::ES256),
        (Algorithm::EdDsa, jsonwebtoken::Algorithm::EdDSA),
        (Algorithm::Rs256, jsonwebtoken::Algorithm::RS256),
        (Algorithm::Ps256, jsonwebtoken::Algorithm::PS256),
    ] {
        let ring = ring(&[active_of(ours, 0)]);
        assert_eq!(ring.active().map(|(_, algorithm)| algorithm), Some(ours));
        assert_eq!(ring.signing_algorithms(), [ours]);
        let token = signed(&ring).await;
        assert!(verify(&token, &issuer(), &ring).is_ok());
        let claims = read_by_another(&token, &ring, theirs).unwrap();
        assert_eq!(claims["sub"], "018bcfe5-687b-7001-8203-040506070809");
    }
}

#[test]
fn the_first_of_the_preferred_algorithms_signs_that_has_a_key() {
    let all = [Algorithm::Es256, Algorithm::EdDsa].map(|one| active_of(one, 0));
    let signs = |preferred: &[Algorithm], keys: &[SigningKey]| {
        let ring = KeyRing::new(sealer(1)).preferring(preferred.to_vec());
        ring.replace(keys).unwrap();
        assert_eq!(ring.signing_algorithms().first(), ring.active().map(|(_, one)| one).as_ref());
        ring.active().map(|(_, algorithm)| algorithm)
    };
    assert_eq!(signs(&[Algorithm::EdDsa, Algorithm::Es256], &all), Some(Algorithm::EdDsa));
    assert_eq!(signs(&[Algorithm::Es256, Algorithm::EdDsa], &all), Some(Algorithm::Es256));
    assert_eq!(signs(&[Algorithm::Ps256, Algorithm::EdDsa], &all), Some(Algorithm::EdDsa));
    // One that is configured no longer signs until a configured one may.
    assert_eq!(signs(&[Algorithm::Ps256], &all[..1]), Some(Algorithm::Es256));
    let next = published_of(Algorithm::EdDsa, 0);
    assert_eq!(signs(&[Algorithm::EdDsa], &[all[0].clone(), next]), Some(Algorithm::Es256));
}

#[test]
fn an_rsa_key_signs_outside_of_no_runtime_and_panics_not() {
    let key = active_of(Algorithm::Rs256, 0);
    let ring = ring(std::slice::from_ref(&key));
    assert!(matches!(sign(&ring, &key.id()), Err(SigningFailed::Unusable(_))));
}

#[test]
fn an_rsa_key_with_too_much_to_sign_is_busy_and_other_keys_are_not() {
    let keys = [active_of(Algorithm::Ps256, 0), active(0)];
    let ring = KeyRing { bench: Bench::of(1, 0), ..ring(&keys) };
    let (id, other) = (keys[0].id(), keys[1].id());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.max_blocking_threads(1).build().unwrap().block_on(async {
        // The one thread that signs with RSA is busy for as long as the test likes.
        let (let_go, held) = std::sync::mpsc::channel::<()>();
        let holding = tokio::task::spawn_blocking(move || held.recv());
        let mut first = std::pin::pin!(ring.sign(&id, MESSAGE));
        assert!(first.as_mut().now_or_never().is_none());
        assert!(matches!(sign(&ring, &id), Err(SigningFailed::Busy)));
        assert!(sign(&ring, &other).is_ok());
        let_go.send(()).unwrap();
        holding.await.unwrap().unwrap();
        let signature = first.await.unwrap();
        assert!(ring.verifies(&id, MESSAGE, &signature));
        assert!(ring.sign(&id, MESSAGE).await.is_ok());
    });
}

#[test]
fn a_key_that_is_still_there_is_not_opened_again() {
    let (one, two) = (active(0), published(0));
    let ring = ring(&[one.clone(), two.clone()]);
    let before = Arc::clone(&ring.keys().by_id[&one.id()].parsed);
    let retiring = one.retire(Duration::from_secs(1), at(1)).unwrap().into_after();
    let next = two.activate(Duration::ZERO, at(1)).unwrap().into_after();
    ring.replace(&[retiring.clone(), next.clone()]).unwrap();
    assert!(Arc::ptr_eq(&before, &ring.keys().by_id[&retiring.id()].parsed));
    assert_eq!(ring.active(), Some((next.id(), Algorithm::Es256)));
    // The same id with another private half is another key.
    ring.replace(&[damaged(&retiring), next]).unwrap();
    assert!(!ring.keys().by_id.contains_key(&retiring.id()));
}

fn damaged(key: &SigningKey) -> SigningKey {
    with_private(key, |_| SealedPrivateKey::new(vec![1; 60]))
}

fn with_private(
    key: &SigningKey,
    private: impl FnOnce(&SigningKeyRecord) -> SealedPrivateKey,
) -> SigningKey {
    let record = key.record().clone();
    let private = private(&record);
    SigningKey::from_record(SigningKeyRecord { private, ..record })
}

#[test]
fn readers_go_on_while_the_keys_are_replaced() {
    let keys: Vec<_> = (0..2).map(active).collect();
    let ring = ring(&keys);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let (id, _) = ring.active().unwrap();
                    let signature = sign(&ring, &id).unwrap();
                    assert!(ring.verifies(&id, MESSAGE, &signature));
                }
            });
        }
        for _ in 0..50 {
            ring.replace(&keys).unwrap();
        }
    });
}

#[test]
fn sl_05_debug_shows_ids_alone() {
    let key = active(0);
    let shown = format!("{:?}", ring(std::slice::from_ref(&key)));
    assert_eq!(shown, format!("[{:?}]", key.id()));
}
