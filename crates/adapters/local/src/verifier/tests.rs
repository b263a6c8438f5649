//! Keys of every kind, and signatures that must not hold by them.

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer,
    hmac,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaKeyPair, RsaSignatureEncoding,
    },
};
use jose::Algorithm;

use super::*;
use crate::key_pair::Pair;

const MESSAGE: &[u8] = b"header.payload";

/// A key with a good signature of it.
struct Signed {
    key: Jwk,
    signature: Vec<u8>,
}

fn p256() -> Signed {
    signed(Algorithm::Es256)
}

fn ed25519() -> Signed {
    signed(Algorithm::EdDsa)
}

fn signed(algorithm: Algorithm) -> Signed {
    let pair = Pair::generate(algorithm).unwrap();
    Signed { key: pair.public().unwrap(), signature: pair.signature(MESSAGE).unwrap() }
}

fn rsa(size: KeySize, padding: Padding) -> Signed {
    let pair = RsaKeyPair::generate(size).unwrap();
    let encoding: &'static RsaSignatureEncoding = match padding {
        Padding::Pkcs1 => &RSA_PKCS1_SHA256,
        Padding::Pss => &RSA_PSS_SHA256,
    };
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, &digest(&SHA256, MESSAGE), &mut signature).unwrap();
    // The sequence of the modulus and the exponent in DER: what lies between their headers.
    let der = pair.public_key().as_ref();
    let start = der.len() - 5 - size.len();
    let modulus = der[start..start + size.len()].to_vec();
    Signed { key: Jwk::Rsa { modulus, padding }, signature }
}

fn holds(key: &Jwk, signature: &[u8]) -> bool {
    LocalVerifier.verifies(key, MESSAGE, signature)
}

#[test]
fn a_signature_holds_by_its_own_key_message_and_algorithm_only() {
    let signed = [
        p256(),
        ed25519(),
        rsa(KeySize::Rsa2048, Padding::Pkcs1),
        rsa(KeySize::Rsa2048, Padding::Pss),
    ];
    for (ours, one) in signed.iter().enumerate() {
        assert!(LocalVerifier.accepts(&one.key));
        assert!(!LocalVerifier.verifies(&one.key, b"another", &one.signature));
        for (theirs, other) in signed.iter().enumerate() {
            assert_eq!(holds(&other.key, &one.signature), ours == theirs, "{ours} by {theirs}");
        }
    }
}

#[test]
fn a_longer_rsa_key_is_taken_up_to_4096_bits() {
    let signed = rsa(KeySize::Rsa3072, Padding::Pss);
    assert!(holds(&signed.key, &signed.signature));
    for bytes in [255, 513, 1_024] {
        let key = Jwk::Rsa { modulus: vec![0xff; bytes], padding: Padding::Pss };
        assert!(!LocalVerifier.accepts(&key), "{bytes} bytes");
        assert!(!holds(&key, &vec![1; bytes]));
    }
}

#[test]
fn one_rsa_key_does_not_serve_both_paddings() {
    let Signed { key: Jwk::Rsa { modulus, .. }, signature } = rsa(KeySize::Rsa2048, Padding::Pkcs1)
    else {
        panic!("an RSA key is needed")
    };
    let pss = Jwk::Rsa { modulus: modulus.clone(), padding: Padding::Pss };
    assert!(holds(&Jwk::Rsa { modulus, padding: Padding::Pkcs1 }, &signature));
    assert!(!holds(&pss, &signature));
}

#[test]
fn jv_10_a_p256_signature_of_another_form_is_refused() {
    let Signed { key, signature: good } = p256();
    assert!(holds(&key, &good));
    for bad in [
        vec![],
        vec![0; 64],
        vec![0xff; 64],
        [&good[..32], &[0; 32]].concat(),
        [&[0; 32], &good[32..]].concat(),
        good[..63].to_vec(),
        [&good[..], &[0]].concat(),
        [&[0], &good[..]].concat(),
        [&good[32..], &good[..32]].concat(),
        der(&good),
    ] {
        assert!(!holds(&key, &bad), "{} bytes", bad.len());
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

#[test]
fn jv_10_an_ed25519_signature_of_another_form_or_of_no_point_is_refused() {
    let Signed { key, signature: good } = ed25519();
    for bad in [vec![], vec![0; 64], good[..63].to_vec(), [&good[..], &[0]].concat()] {
        assert!(!holds(&key, &bad), "{} bytes", bad.len());
    }
    // 2 is the first coordinate of no point of the curve.
    let mut no_point = [0; 32];
    no_point[0] = 2;
    for x in [no_point, [0xff; 32]] {
        for signature in [&good, &vec![0; 64]] {
            assert!(!holds(&Jwk::Ed25519 { x }, signature));
        }
    }
}

#[test]
fn jv_10_an_rsa_signature_of_another_length_or_number_is_refused() {
    for padding in [Padding::Pkcs1, Padding::Pss] {
        let Signed { key, signature: good } = rsa(KeySize::Rsa2048, padding);
        let one = [&[0; 255][..], &[1]].concat();
        for bad in [vec![], vec![0; 256], one, good[1..].to_vec(), [&[0], &good[..]].concat()] {
            assert!(!holds(&key, &bad), "{} bytes", bad.len());
        }
    }
}

#[test]
fn jv_11_a_point_off_the_curve_is_not_accepted() {
    let Signed { key: Jwk::P256 { x, y }, signature } = p256() else { panic!("a point is needed") };
    let mut moved = y;
    moved[31] ^= 1;
    for (x, y) in [(x, moved), (y, x), ([0; 32], [0; 32]), ([1; 32], [2; 32]), ([0xff; 32], y)] {
        let key = Jwk::P256 { x, y };
        assert!(!LocalVerifier.accepts(&key));
        assert!(!holds(&key, &signature));
    }
    assert!(LocalVerifier.accepts(&Jwk::P256 { x, y }));
}

#[test]
fn jv_02_what_anybody_can_compute_from_a_public_key_is_no_signature() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let key = Jwk::P256 { x: point[1..33].try_into().unwrap(), y: point[33..].try_into().unwrap() };
    let document = pair.public_key().as_der().unwrap();
    let text = key.to_json().to_string();
    for secret in [point, &point[1..33], document.as_ref(), text.as_bytes()] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), MESSAGE);
        for signature in [tag.as_ref().to_vec(), tag.as_ref().repeat(2)] {
            assert!(!holds(&key, &signature));
        }
    }
}
