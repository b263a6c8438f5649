//! Assertions that are forged, bent or old, each in one way.

use data_encoding::BASE64URL_NOPAD;
use jose::Jwk;
use ring::hmac;
use serde_json::json;

use super::*;
use crate::{
    client_key::NewClientKey,
    material::{CertificateThumbprint, ClientKeyId},
};

const ISSUER: &str = "https://idp.example.com";
const AGENT: &str = "018bcfe5-687b-7001-8203-040506070809";
const NOW: i64 = 1_700_000_000;

/// "Signs" with a keyed hash under the public key, so that only the rules are tested.
struct Hashes;

fn mac(key: &Jwk, message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key.to_raw()), message).as_ref().to_vec()
}

impl SignatureVerifier for Hashes {
    fn accepts(&self, _: &Jwk) -> bool {
        true
    }

    fn verifies(&self, key: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        mac(key, message) == signature
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
}

fn jwk(byte: u8) -> Jwk {
    Jwk::P256 { x: [byte; 32], y: [2; 32] }
}

fn registered(material: KeyMaterial, kid: Option<&str>, expires_at: Option<i64>) -> ClientKey {
    let new = NewClientKey {
        id: "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap(),
        organization: "018bcfe5-687b-7001-8203-04050607080b".parse().unwrap(),
        agent: AGENT.parse().unwrap(),
        kid: kid.map(|kid| kid.parse::<ClientKeyId>().unwrap()),
        material,
        name: None,
        expires_at: expires_at.map(at),
    };
    ClientKey::add(new, at(0)).after().clone()
}

fn key(byte: u8) -> ClientKey {
    registered(KeyMaterial::Jwk(jwk(byte)), None, None)
}

fn header() -> Value {
    json!({ "alg": "ES256", "typ": "client-authentication+jwt" })
}

fn claims() -> Value {
    json!({ "iss": AGENT, "sub": AGENT, "aud": ISSUER, "jti": "1", "iat": NOW, "exp": NOW + 60 })
}

fn signed(header: &Value, claims: &Value) -> String {
    let encode = |part: &[u8]| BASE64URL_NOPAD.encode(part);
    let header = encode(header.to_string().as_bytes());
    let input = format!("{header}.{}", encode(claims.to_string().as_bytes()));
    format!("{input}.{}", encode(&mac(&jwk(1), input.as_bytes())))
}

fn check(text: &str, keys: &[ClientKey]) -> Result<VerifiedAssertion, InvalidAssertion> {
    PresentedAssertion::read(text)?.check((ISSUER, at(NOW)), keys, &Hashes)
}

fn with(name: &str, value: Value) -> Result<VerifiedAssertion, InvalidAssertion> {
    let mut claims = claims();
    claims[name] = value;
    check(&signed(&header(), &claims), &[key(1)])
}

fn without(name: &str) -> InvalidAssertion {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    check(&signed(&header(), &claims), &[key(1)]).unwrap_err()
}

fn with_header(header: &Value) -> Result<VerifiedAssertion, InvalidAssertion> {
    check(&signed(header, &claims()), &[key(1)])
}

#[test]
fn an_assertion_names_its_client_and_the_key_that_signed_it() {
    let text = signed(&header(), &claims());
    assert_eq!(PresentedAssertion::read(&text).unwrap().client().to_string(), AGENT);
    assert_eq!(check(&text, &[key(2), key(1)]).unwrap().key, key(1));
}

#[test]
fn ca_05_a_claim_that_is_missing_or_of_another_type_is_refused() {
    use InvalidAssertion as No;
    assert_eq!(without("iss"), No::Client);
    assert_eq!(without("sub"), No::Client);
    assert_eq!(without("aud"), No::Audience);
    assert_eq!(without("exp"), No::Time);
    assert_eq!(without("jti"), No::Id);
    let other = "018bcfe5-687b-7001-8203-0405060708ff";
    for (name, value, why) in [
        ("iss", json!(other), No::Client),
        ("sub", json!(other), No::Client),
        ("sub", json!(1), No::Client),
        ("jti", json!(""), No::Id),
        ("jti", json!("a".repeat(257)), No::Id),
        ("jti", json!(1), No::Id),
        ("exp", json!((NOW + 60).to_string()), No::Time),
        ("exp", json!(1_700_000_060.5), No::Time),
        ("exp", json!(-1), No::Time),
        ("exp", Value::Null, No::Time),
        ("iat", json!("now"), No::Time),
        ("nbf", json!(NOW + 11), No::Time),
        ("iat", json!(NOW + 11), No::Time),
    ] {
        assert_eq!(with(name, value.clone()).err(), Some(why), "{name}: {value}");
    }
    // Without `iat` an assertion is whole all the same.
    let mut plain = claims();
    plain.as_object_mut().unwrap().remove("iat");
    assert!(check(&signed(&header(), &plain), &[key(1)]).is_ok());
}

#[test]
fn ca_06_only_the_issuers_own_text_is_its_audience() {
    assert!(with("aud", json!(ISSUER)).is_ok());
    for other in [
        json!(format!("{ISSUER}/api/v1/token")),
        json!([ISSUER]),
        json!([ISSUER, "https://evil.example"]),
        json!("https://evil.example"),
        json!(format!("{ISSUER}/")),
        json!("HTTPS://idp.example.com"),
        json!(""),
        Value::Null,
    ] {
        assert_eq!(with("aud", other.clone()).err(), Some(InvalidAssertion::Audience), "{other}");
    }
}

#[test]
fn ca_07_an_assertion_is_good_for_five_minutes_at_most() {
    use InvalidAssertion as No;
    assert_eq!(with("exp", json!(NOW - 300)).err(), Some(No::Time));
    assert_eq!(with("exp", json!(NOW)).err(), Some(No::Time));
    assert!(with("exp", json!(NOW + 1)).is_ok());
    assert!(with("exp", json!(NOW + 300)).is_ok());
    assert_eq!(with("exp", json!(NOW + 301)).err(), Some(No::Lifetime));
    assert_eq!(with("exp", json!(NOW + 31_536_000)).err(), Some(No::Lifetime));
    // In milliseconds.
    assert_eq!(with("exp", json!((NOW + 60) * 1_000)).err(), Some(No::Time));
    assert_eq!(with("exp", json!(i64::MAX)).err(), Some(No::Time));
    assert_eq!(with("exp", json!(u64::MAX)).err(), Some(No::Time));
    // Made long ago, for longer than five minutes.
    assert_eq!(with("iat", json!(NOW - 300)).err(), Some(No::Lifetime));
}

#[test]
fn an_assertion_of_another_type_is_refused() {
    for kind in ["client-authentication+jwt", "JWT", "jwt", "application/client-authentication+jwt"]
    {
        assert!(with_header(&json!({ "alg": "ES256", "typ": kind })).is_ok(), "{kind}");
    }
    assert!(with_header(&json!({ "alg": "ES256" })).is_ok());
    for kind in ["at+jwt", "dpop+jwt", "token-introspection+jwt", "secevent+jwt", ""] {
        let refused = with_header(&json!({ "alg": "ES256", "typ": kind }));
        assert_eq!(refused.err(), Some(InvalidAssertion::Kind), "{kind}");
    }
}

#[test]
fn jv_02_jv_04_a_key_is_the_clients_own_and_has_one_algorithm() {
    use InvalidAssertion as No;
    let kid = jwk(1).thumbprint();
    assert!(with_header(&json!({ "alg": "ES256", "kid": kid.as_str() })).is_ok());
    for bad in ["", "another", "../../etc/passwd", "https://evil.example/jwks"] {
        let refused = with_header(&json!({ "alg": "ES256", "kid": bad }));
        assert_eq!(refused.err(), Some(No::UnknownKey), "{bad}");
    }
    for algorithm in ["EdDSA", "RS256", "PS256"] {
        let refused = with_header(&json!({ "alg": algorithm, "kid": kid.as_str() }));
        assert_eq!(refused.err(), Some(No::UnknownKey), "{algorithm}");
    }
    for algorithm in ["none", "HS256", "None", ""] {
        let refused = with_header(&json!({ "alg": algorithm }));
        assert_eq!(refused.err(), Some(No::Malformed), "{algorithm}");
    }
    let text = signed(&header(), &claims());
    assert_eq!(check(&text, &[]).err(), Some(No::UnknownKey));
    assert_eq!(check(&text, &[key(2)]).err(), Some(No::Signature));
    let certificate = CertificateThumbprint::of(b"certificate");
    let certificate = registered(KeyMaterial::Certificate(certificate), None, None);
    assert_eq!(check(&text, &[certificate]).err(), Some(No::UnknownKey));
}

#[test]
fn jv_03_a_key_in_the_header_is_no_key_of_the_client() {
    let mut header = header();
    header["jwk"] = jwk(1).to_json();
    header["jku"] = json!("https://evil.example/jwks");
    let refused = check(&signed(&header, &claims()), &[key(2)]);
    assert_eq!(refused.err(), Some(InvalidAssertion::Signature));
}

#[test]
fn a_key_that_is_removed_or_expired_checks_nothing() {
    let text = signed(&header(), &claims());
    let material = || KeyMaterial::Jwk(jwk(1));
    let removed = key(1).remove(at(NOW - 1)).unwrap().after().clone();
    let expired = registered(material(), None, Some(NOW));
    for gone in [removed, expired] {
        assert_eq!(check(&text, &[gone]).err(), Some(InvalidAssertion::UnknownKey));
    }
    assert!(check(&text, &[registered(material(), None, Some(NOW + 1))]).is_ok());
}

#[test]
fn a_client_may_call_its_key_as_it_likes() {
    let mine = registered(KeyMaterial::Jwk(jwk(1)), Some("my-key"), None);
    let named = signed(&json!({ "alg": "ES256", "kid": "my-key" }), &claims());
    assert!(check(&named, std::slice::from_ref(&mine)).is_ok());
    let named = signed(&json!({ "alg": "ES256", "kid": "my-key2" }), &claims());
    assert_eq!(check(&named, &[mine]).err(), Some(InvalidAssertion::UnknownKey));
}

#[test]
fn ca_10_the_id_of_one_client_is_not_anothers() {
    let once = |id: &str, agent: &str| {
        let claims = json!({
            "iss": agent, "sub": agent, "aud": ISSUER, "jti": id, "exp": NOW + 60,
        });
        let verified = check(&signed(&header(), &claims), &[key(1)]).unwrap();
        (*verified.single_use.digest(), verified.single_use.expires_at())
    };
    let other = "018bcfe5-687b-7001-8203-0405060708ff";
    assert_eq!(once("1", AGENT), once("1", AGENT));
    assert_ne!(once("1", AGENT).0, once("2", AGENT).0);
    assert_ne!(once("1", AGENT).0, once("1", other).0);
    assert!(once("1", AGENT).1 >= at(NOW + 60));
}

#[test]
fn jv_12_an_assertion_that_is_cut_or_changed_is_refused() {
    let text = signed(&header(), &claims());
    for length in 0..text.len() {
        assert!(check(text.get(..length).unwrap(), &[key(1)]).is_err(), "{length}");
    }
    for place in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        assert!(check(&String::from_utf8(bytes).unwrap(), &[key(1)]).is_err(), "{place}");
    }
}
