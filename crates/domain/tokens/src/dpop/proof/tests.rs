//! Proofs of every form, and what is read of them.

use ring::hmac;
use serde_json::json;

use super::*;
use crate::sample::at;

const NOW: i64 = 1_700_000_000;
const URL: &str = "https://idp.example.com/api/v1/token";
const ASKED: Shown<'static> = Shown { method: "POST", url: URL, alias: None, token: None };

/// A "signature" is a keyed hash: only the rules are tested.
struct Fake;

fn sign(key: &Jwk, message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.to_raw()), message).as_ref().to_vec()
}

impl SignatureVerifier for Fake {
    fn accepts(&self, key: &Jwk) -> bool {
        *key != Jwk::P256 { x: [0; 32], y: [0; 32] }
    }

    fn verifies(&self, key: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        sign(key, message) == signature
    }
}

fn key() -> Jwk {
    Jwk::P256 { x: [1; 32], y: [2; 32] }
}

/// A key as most clients send it: with what identifies it, and nothing else.
fn bare(key: &Jwk) -> Value {
    let mut members = key.to_members();
    members.remove("alg");
    members.remove("use");
    Value::Object(members)
}

fn header() -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": bare(&key()) })
}

fn claims() -> Value {
    json!({ "jti": "one", "htm": "POST", "htu": URL, "iat": NOW })
}

fn signed(header: &Value, claims: &Value, key: &Jwk) -> String {
    let encode = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let input = format!("{}.{}", encode(header), encode(claims));
    let signature = BASE64URL_NOPAD.encode(&sign(key, input.as_bytes()));
    format!("{input}.{signature}")
}

fn verify(header: &Value, claims: &Value) -> Result<Proof, InvalidProof> {
    Proof::verify(&signed(header, claims, &key()), &ASKED, &Fake, at(NOW * 1_000))
}

/// The header or the claims with one member otherwise; with `null`, without it.
fn with(mut whole: Value, name: &str, value: Value) -> Value {
    let members = whole.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    whole
}

fn with_claim(name: &str, value: Value) -> Result<Proof, InvalidProof> {
    verify(&header(), &with(claims(), name, value))
}

fn with_header(name: &str, value: Value) -> Result<Proof, InvalidProof> {
    verify(&with(header(), name, value), &claims())
}

#[test]
fn a_proof_tells_its_key_and_its_nonce() {
    let proof = with_claim("nonce", json!("n")).unwrap();
    assert_eq!(proof.key(), &key().thumbprint());
    assert_eq!(proof.nonce(), Some("n"));
    assert_eq!(verify(&header(), &claims()).unwrap().nonce(), None);
}

#[test]
fn a_proof_may_say_more_than_is_asked_for() {
    let now = claims()["iat"].clone();
    let more = with(with(claims(), "nbf", now.clone()), "exp", json!(now.as_i64().unwrap() + 300));
    assert!(verify(&header(), &with(more, "more", json!({}))).is_ok());
    assert!(verify(&with(header(), "more", json!({})), &claims()).is_ok());
}

#[test]
fn dp_01_nothing_may_be_missing_or_of_another_type() {
    use InvalidProof::{Algorithm, Claim, Form, Key, Kind};
    assert_eq!(with_header("typ", Value::Null), Err(Kind));
    assert_eq!(with_header("alg", Value::Null), Err(Form));
    assert_eq!(with_header("jwk", Value::Null), Err(Key));
    for name in ["jti", "htm", "htu", "iat"] {
        assert_eq!(with_claim(name, Value::Null), Err(Claim(name)));
        for other in [json!([]), json!({}), json!(true), json!(1.5)] {
            assert_eq!(with_claim(name, other), Err(Claim(name)));
        }
    }
    for name in ["ath", "nonce"] {
        assert_eq!(with_claim(name, json!(1)), Err(Claim(name)));
    }
    for kind in ["JWT", "at+jwt", "text/dpop+jwt", "image/dpop+jwt", "dpop+jwt "] {
        assert_eq!(with_header("typ", json!(kind)), Err(Kind), "{kind}");
    }
    assert_eq!(with_header("alg", json!("RS256")), Err(Algorithm));
}

#[test]
fn dp_01_an_id_has_1_to_256_characters() {
    assert_eq!(with_claim("jti", json!("")), Err(InvalidProof::Claim("jti")));
    assert!(with_claim("jti", json!("é".repeat(256))).is_ok());
    assert_eq!(with_claim("jti", json!("é".repeat(257))), Err(InvalidProof::Claim("jti")));
}

#[test]
fn dp_02_two_proofs_in_one_value_are_none() {
    let one = signed(&header(), &claims(), &key());
    for several in [format!("{one},{one}"), format!("{one}, {one}"), format!("{one} {one}")] {
        let read = Proof::verify(&several, &ASKED, &Fake, at(NOW * 1_000));
        assert_eq!(read, Err(InvalidProof::Form));
    }
}

#[test]
fn dp_03_no_other_algorithm_and_no_key_of_another_type_or_with_a_private_half() {
    use InvalidProof::{Algorithm, Form, Key};
    for (algorithm, error) in
        [("none", Form), ("HS256", Form), ("RS256", Algorithm), ("EdDSA", Key), ("PS256", Key)]
    {
        assert_eq!(with_header("alg", json!(algorithm)), Err(error), "{algorithm}");
    }
    for (name, value) in [
        ("d", json!("AQ")),
        ("k", json!("AQ")),
        ("kty", json!("oct")),
        ("crv", json!("P-384")),
        ("alg", json!("EdDSA")),
        ("use", json!("enc")),
        ("x", json!("AQ")),
    ] {
        assert_eq!(with_header("jwk", with(bare(&key()), name, value)), Err(Key), "{name}");
    }
    let off_its_curve = bare(&Jwk::P256 { x: [0; 32], y: [0; 32] });
    assert_eq!(with_header("jwk", off_its_curve), Err(Key));
    assert_eq!(with_header("jwk", json!("text")), Err(Form));
}

#[test]
fn dp_03_a_key_without_an_algorithm_has_that_of_the_header() {
    let modulus = [vec![0xc1; 255], vec![1]].concat();
    let rsa = Jwk::Rsa { modulus, padding: jose::Padding::Pss };
    let ed25519 = Jwk::Ed25519 { x: [9; 32] };
    for key in [rsa, ed25519] {
        let header = json!({ "typ": "dpop+jwt", "alg": key.algorithm().name(), "jwk": bare(&key) });
        let proof = signed(&header, &claims(), &key);
        let read = Proof::verify(&proof, &ASKED, &Fake, at(NOW * 1_000)).unwrap();
        assert_eq!(read.key(), &key.thumbprint());
        let header = with(header, "alg", json!("ES256"));
        let proof = signed(&header, &claims(), &key);
        let read = Proof::verify(&proof, &ASKED, &Fake, at(NOW * 1_000));
        assert_eq!(read, Err(InvalidProof::Key));
    }
}

#[test]
fn dp_03_a_key_that_says_what_it_signs_with_signs_with_nothing_else() {
    let modulus = [vec![0xc1; 255], vec![1]].concat();
    let key = Jwk::Rsa { modulus, padding: jose::Padding::Pkcs1 };
    let jwk = Value::Object(key.to_members());
    let header = json!({ "typ": "dpop+jwt", "alg": "PS256", "jwk": jwk });
    let proof = signed(&header, &claims(), &key);
    let read = Proof::verify(&proof, &ASKED, &Fake, at(NOW * 1_000));
    assert_eq!(read, Err(InvalidProof::Key));
}

#[test]
fn dp_03_a_key_that_did_not_sign_proves_nothing() {
    let other = Jwk::P256 { x: [3; 32], y: [4; 32] };
    let proof = signed(&header(), &claims(), &other);
    let read = Proof::verify(&proof, &ASKED, &Fake, at(NOW * 1_000));
    assert_eq!(read, Err(InvalidProof::Signature));
}

#[test]
fn dp_04_a_proof_is_of_one_method_and_one_url() {
    for method in ["GET", "post", "POST ", ""] {
        assert_eq!(with_claim("htm", json!(method)), Err(InvalidProof::Method));
    }
    let other = "https://idp.example.com/api/v1/token/revoke";
    assert_eq!(with_claim("htu", json!(other)), Err(InvalidProof::Url));
    assert!(with_claim("htu", json!("https://IDP.example.com:443/api/v1/token?a#b")).is_ok());
}

#[test]
fn dp_04_a_proof_may_be_of_the_other_url_of_the_same_request_and_of_no_third() {
    let alias = "https://mtls.example.com/api/v1/token";
    let of_url = |htu: &str| {
        let proof = signed(&header(), &with(claims(), "htu", json!(htu)), &key());
        let shown = Shown { alias: Some(alias), ..ASKED };
        Proof::verify(&proof, &shown, &Fake, at(NOW * 1_000)).map(|_| ())
    };
    assert_eq!(of_url(alias), Ok(()));
    assert_eq!(of_url(URL), Ok(()));
    for other in ["https://mtls.example.com/api/v1/token/revoke", "https://a.example/api/v1/token"]
    {
        assert_eq!(of_url(other), Err(InvalidProof::Url));
    }
    assert_eq!(with_claim("htu", json!(alias)), Err(InvalidProof::Url));
}

#[test]
fn dp_05_a_proof_is_of_now() {
    for good in [-60, -10, 0, 10] {
        assert!(with_claim("iat", json!(NOW + good)).is_ok(), "{good}");
    }
    for bad in [-3_600, -61, 11, 61, 3_600, -NOW, i64::MAX - NOW] {
        assert_eq!(with_claim("iat", json!(NOW + bad)), Err(InvalidProof::Time), "{bad}");
    }
    assert_eq!(with_claim("iat", json!(i64::MIN)), Err(InvalidProof::Time));
    for other in [json!(NOW.to_string()), json!(1.7e9), json!(1_700_000_000.5), json!(u64::MAX)] {
        assert_eq!(with_claim("iat", other), Err(InvalidProof::Claim("iat")));
    }
}

#[test]
fn dp_05_a_proof_is_over_in_the_second_in_which_it_is_refused_for_its_age() {
    let proof = verify(&header(), &claims()).unwrap();
    assert_eq!(proof.single_use().over(), at((NOW + 61) * 1_000));
    let text = signed(&header(), &claims(), &key());
    assert!(Proof::verify(&text, &ASKED, &Fake, at(NOW * 1_000 + 60_999)).is_ok());
    let late = Proof::verify(&text, &ASKED, &Fake, at(NOW * 1_000 + 61_000));
    assert_eq!(late, Err(InvalidProof::Time));
}

#[test]
fn dp_06_a_proof_is_known_by_its_key_and_its_id() {
    let one = verify(&header(), &claims()).unwrap().single_use();
    let same = with_claim("iat", json!(NOW - 1)).unwrap().single_use();
    assert_eq!(one.digest(), same.digest());
    assert_ne!(one.digest(), with_claim("jti", json!("two")).unwrap().single_use().digest());
}

#[test]
fn dp_07_a_token_is_shown_with_its_own_hash_and_none_without_it() {
    // The token and the hash of RFC 9449 section 7.1.
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let hash = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";
    let shown = |token| Shown { token, ..ASKED };
    let verify = |hash: Value, token| {
        let proof = signed(&header(), &with(claims(), "ath", hash), &key());
        Proof::verify(&proof, &shown(token), &Fake, at(NOW * 1_000)).map(|_| ())
    };
    assert_eq!(verify(json!(hash), Some(token)), Ok(()));
    assert_eq!(verify(Value::Null, None), Ok(()));
    for (hash, token) in [
        (json!(hash), Some("another")),
        (json!(hash), None),
        (Value::Null, Some(token)),
        (json!(""), Some(token)),
        (json!(format!("{hash}=")), Some(token)),
    ] {
        assert_eq!(verify(hash, token), Err(InvalidProof::Token));
    }
}
