//! Tests of public keys.

use super::*;

fn read(key: Value) -> Result<Jwk, InvalidJwk> {
    let Value::Object(members) = key else { panic!("an object is needed") };
    Jwk::parse(&members)
}

fn b64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

fn p256() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": b64(&[1; 32]), "y": b64(&[2; 32]) })
}

fn ed25519(point: [u8; 32]) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(&point) })
}

fn rsa(bytes: usize) -> Value {
    json!({ "kty": "RSA", "n": b64(&vec![0xff; bytes]), "e": "AQAB", "alg": "RS256" })
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn every_kind_of_key_is_read_and_written_alike() {
    let pss = with(rsa(256), "alg", "PS256".into());
    for (key, algorithm) in [
        (p256(), Algorithm::Es256),
        (ed25519([9; 32]), Algorithm::EdDsa),
        (rsa(256), Algorithm::Rs256),
        (rsa(512), Algorithm::Rs256),
        (pss, Algorithm::Ps256),
    ] {
        let key = read(key).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        assert_eq!(read(key.to_json()), Ok(key.clone()));
        assert_eq!(Jwk::from_raw(algorithm, &key.to_raw()), Some(key));
    }
}

#[test]
fn a_key_on_ed25519_may_be_named_by_both_names_of_its_algorithm() {
    for name in ["EdDSA", "Ed25519"] {
        assert_eq!(read(with(ed25519([9; 32]), "alg", name.into())), read(ed25519([9; 32])));
    }
    assert_eq!(read(with(p256(), "alg", "Ed25519".into())), Err(InvalidJwk::Algorithm));
}

#[test]
fn a_thumbprint_covers_the_required_members_in_their_order() {
    let (x, y) = (b64(&[1; 32]), b64(&[2; 32]));
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let digest = digest::digest(&digest::SHA256, canonical.as_bytes());
    assert_eq!(read(p256()).unwrap().thumbprint().as_str(), b64(digest.as_ref()));
}

#[test]
fn the_thumbprint_of_the_rfc_is_this_servers_too() {
    // RFC 7638 section 3.1 and RFC 8037 appendix A.3.
    let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\
        oc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Q\
        vzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f\
        M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    let key = json!({ "kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256" });
    let id = read(key).unwrap().thumbprint();
    assert_eq!(id.as_str(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let id = read(json!({ "kty": "OKP", "crv": "Ed25519", "x": x })).unwrap().thumbprint();
    assert_eq!(id.as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn jr_05_a_published_key_has_no_private_member() {
    let json = read(p256()).unwrap().to_json();
    let mut names: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
    names.sort();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}

#[test]
fn jv_11_what_is_weak_private_or_meant_for_something_else_is_refused() {
    use InvalidJwk as No;
    for (key, why) in [
        (rsa(128), No::Size),
        (rsa(255), No::Size),
        (rsa(513), No::Size),
        (rsa(2_048), No::Size),
        (with(rsa(256), "e", "AQ".into()), No::Exponent),
        (with(rsa(256), "e", "Aw".into()), No::Exponent),
        (with(rsa(256), "alg", Value::Null), No::Algorithm),
        (with(rsa(256), "alg", "ES256".into()), No::Algorithm),
        (with(rsa(256), "n", b64(&[0xfe; 256]).into()), No::Member),
        (with(p256(), "alg", "RS256".into()), No::Algorithm),
        (with(p256(), "alg", "none".into()), No::Algorithm),
        (with(p256(), "d", "AA".into()), No::Private),
        (with(rsa(256), "p", "AA".into()), No::Private),
        (with(ed25519([9; 32]), "d", Value::Null), No::Private),
        (json!({ "kty": "oct", "k": "AA" }), No::Private),
        (with(p256(), "use", "enc".into()), No::Use),
        (with(p256(), "key_ops", json!(["sign"])), No::Use),
        (with(p256(), "crv", "P-384".into()), No::Kind),
        (with(ed25519([9; 32]), "crv", "X25519".into()), No::Kind),
        (with(p256(), "x", b64(&[1; 31]).into()), No::Member),
        (with(p256(), "x", format!("{}=", b64(&[1; 32])).into()), No::Member),
        (with(p256(), "x", 7.into()), No::Member),
        (json!({}), No::Kind),
    ] {
        assert_eq!(read(key.clone()), Err(why), "{key}");
    }
}

#[test]
fn jv_09_a_point_that_is_past_the_prime_is_a_second_encoding_and_refused() {
    for (point, refused) in [
        ([0xff; 32], Some(InvalidJwk::Member)),
        (near_the_prime(0xef), Some(InvalidJwk::Member)),
        (near_the_prime(0xed), Some(InvalidJwk::Weak)),
        (near_the_prime(0xeb), None),
    ] {
        assert_eq!(read(ed25519(point)).err(), refused, "{point:?}");
    }
}

#[test]
fn jv_10_a_point_of_a_small_order_is_refused_in_every_encoding() {
    for point in SMALL_ORDER {
        let mut signed = point;
        signed[31] |= 0x80;
        for point in [point, signed] {
            assert_eq!(read(ed25519(point)), Err(InvalidJwk::Weak));
            assert_eq!(Jwk::from_raw(Algorithm::EdDsa, &point), None);
        }
    }
}
