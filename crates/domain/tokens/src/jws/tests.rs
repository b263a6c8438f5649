//! Tokens that are forged, bent or broken, each in one way.

use kernel::ExposeSecret;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{
    Jwk, TokenRequest,
    sample::{OneKey, at, client, issued, issuer, signed},
};

fn token() -> String {
    let token = issued(&client(), TokenRequest::default(), at(1_700_000_000_000));
    signed(&token).expose_secret().to_owned()
}

fn check(token: &str) -> Result<VerifiedToken, InvalidToken> {
    verify(token, &issuer(), &OneKey)
}

/// Signs whatever header and payload are given, as if the key had been stolen: what is refused
/// then is refused for its form.
fn forge(header: &[u8], payload: &[u8]) -> String {
    let encode = |bytes| BASE64URL_NOPAD.encode(bytes);
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = OneKey::mac(input.as_bytes());
    assemble(input, &signature)
}

fn parts() -> (Value, Value) {
    let token = token();
    let mut parts = token.split('.');
    let mut next = || {
        let part = BASE64URL_NOPAD.decode(parts.next().unwrap().as_bytes()).unwrap();
        serde_json::from_slice(&part).unwrap()
    };
    (next(), next())
}

fn with(change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let (mut header, mut payload) = parts();
    change(&mut header, &mut payload);
    forge(header.to_string().as_bytes(), payload.to_string().as_bytes())
}

#[test]
fn a_token_reads_back_as_it_was_issued() {
    let unsigned = issued(&client(), TokenRequest::default(), at(1_700_000_000_000));
    let verified = check(signed(&unsigned).expose_secret()).unwrap();
    assert_eq!(verified.claims(), unsigned.claims());
}

#[test]
fn te_07_a_token_says_exactly_what_the_contract_lists() {
    let (header, payload) = parts();
    assert_eq!(header, json!({"alg": "ES256", "typ": "at+jwt", "kid": OneKey::id().as_str()}));
    assert_eq!(
        payload,
        json!({
            "iss": "https://idp.example.com",
            "sub": "018bcfe5-687b-7001-8203-040506070809",
            "aud": "https://idp.example.com",
            "client_id": "018bcfe5-687b-7001-8203-040506070809",
            "organization_id": "018bcfe5-687b-7001-8203-04050607080a",
            "agent_type": "custom",
            "credential_id": "018bcfe5-687b-7001-8203-04050607080b",
            "scope": "agents:read resume:read",
            "iat": 1_700_000_000,
            "nbf": 1_700_000_000,
            "exp": 1_700_000_900,
            "jti": "018bcfe5-6800-7000-8707-070707070707",
        })
    );
}

#[test]
fn jv_01_02_any_other_algorithm_is_refused() {
    for alg in [json!("none"), json!("None"), json!(""), json!("HS256"), json!("RS256"), json!(1)] {
        let token = with(|header, _| header["alg"] = alg.clone());
        assert_eq!(check(&token).err(), Some(InvalidToken::Malformed), "{alg}");
    }
    let without = with(|header, _| {
        header.as_object_mut().unwrap().remove("alg");
    });
    assert_eq!(check(&without).err(), Some(InvalidToken::Malformed));
}

#[test]
fn jv_03_05_a_header_that_asks_for_more_is_refused() {
    for name in ["crit", "b64", "jku", "jwk", "x5u", "x5c", "zip", "cty"] {
        let token = with(|header, _| header[name] = json!(["exp"]));
        assert_eq!(check(&token).err(), Some(InvalidToken::Malformed), "{name}");
    }
}

#[test]
fn jv_04_another_key_id_is_refused() {
    let other = Jwk::P256 { x: [3; 32], y: [4; 32] }.thumbprint();
    for kid in [other.as_str(), "../../etc/passwd", "' or 1=1", ""] {
        let token = with(|header, _| header["kid"] = json!(kid));
        assert_eq!(check(&token).err(), Some(InvalidToken::UnknownKey), "{kid}");
    }
}

#[test]
fn a_token_of_another_type_or_issuer_is_refused() {
    let other_type = with(|header, _| header["typ"] = json!("JWT"));
    assert_eq!(check(&other_type).err(), Some(InvalidToken::Malformed));
    let other_issuer = with(|_, payload| payload["iss"] = json!("https://idp.example.com/"));
    assert_eq!(check(&other_issuer).err(), Some(InvalidToken::Issuer));
}

#[test]
fn jv_08_doubled_members_and_trailing_text_are_refused() {
    let (header, payload) = parts();
    let (header, payload) = (header.to_string(), payload.to_string());
    let doubled_alg = header.replacen('{', r#"{"alg":"none","#, 1);
    let doubled_sub = payload.replacen('{', r#"{"sub":"x","#, 1);
    for (header, payload) in [
        (doubled_alg, payload.clone()),
        (header.clone(), doubled_sub),
        (header.clone(), format!("{payload} x")),
        (header, format!("\u{feff}{payload}")),
    ] {
        let token = forge(header.as_bytes(), payload.as_bytes());
        assert_eq!(check(&token).err(), Some(InvalidToken::Malformed));
    }
}

#[test]
fn a_claim_that_is_missing_or_of_another_type_is_refused() {
    let (_, payload) = parts();
    for name in payload.as_object().unwrap().keys() {
        let missing = with(|_, payload| {
            payload.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(check(&missing).err(), Some(InvalidToken::Malformed), "{name}");
        let mistyped = with(|_, payload| payload[name] = json!({"a": 1}));
        assert_eq!(check(&mistyped).err(), Some(InvalidToken::Malformed), "{name}");
    }
    let split = with(|_, payload| payload["client_id"] = json!("someone-else"));
    assert_eq!(check(&split).err(), Some(InvalidToken::Malformed));
}

#[test]
fn jv_09_a_second_spelling_of_the_same_bytes_is_refused() {
    let token = token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    for bent in [
        format!("{token}="),
        format!("{token}\n"),
        format!("{signed}.+{signature}"),
        token.replace('.', ".."),
    ] {
        assert!(check(&bent).is_err(), "{bent}");
    }
}

#[test]
fn jv_12_dots_and_great_length_are_refused() {
    for bad in [".".repeat(10_000), "a.b.c.d.e".to_owned(), "x".repeat(1 << 20), String::new()] {
        assert_eq!(check(&bad).err(), Some(InvalidToken::Malformed));
    }
}

proptest! {
    #[test]
    fn jv_12_a_token_that_is_cut_is_refused(length in 0_usize..600) {
        let token = token();
        prop_assume!(length < token.len());
        prop_assert!(check(token.get(..length).unwrap()).is_err());
    }

    #[test]
    fn a_token_with_any_one_character_changed_is_refused(at in 0_usize..600, to in "[A-Za-z0-9_.-]") {
        let token = token();
        prop_assume!(at < token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != token);
        prop_assert!(check(&changed).is_err());
    }
}

#[test]
fn a_bound_token_says_what_it_is_bound_to_and_reads_back() {
    let certificate = CertificateThumbprint::of(b"certificate");
    for (confirmation, member) in [
        (Confirmation::Key(OneKey::id()), json!({ "jkt": OneKey::id().as_str() })),
        (Confirmation::Certificate(certificate), json!({ "x5t#S256": certificate.to_string() })),
    ] {
        let request = TokenRequest { confirmation: Some(confirmation), ..TokenRequest::default() };
        let unsigned = issued(&client(), request, at(1_700_000_000_999));
        let signed = signed(&unsigned);
        let verified = check(signed.expose_secret()).unwrap();
        assert_eq!(verified.claims(), unsigned.claims());
        let claims = with(|_, claims| claims["cnf"] = member);
        assert_eq!(check(&claims).unwrap().claims().confirmation, unsigned.claims().confirmation);
    }
}

#[test]
fn a_confirmation_that_is_not_understood_is_refused() {
    let jkt = OneKey::id();
    for cnf in [
        json!({}),
        json!({ "jkt": jkt.as_str(), "x5t#S256": jkt.as_str() }),
        json!({ "jkt": "short" }),
        json!({ "jwk": {} }),
        json!({ "kid": "a" }),
        json!("jkt"),
    ] {
        let forged = with(|_, claims| claims["cnf"] = cnf.clone());
        assert_eq!(check(&forged).err(), Some(InvalidToken::Malformed), "{cnf}");
    }
}
