//! A key of a client's own, and what it signs: whatever a test likes, in order or not.

use aws_lc_rs::{
    digest::{SHA256, digest},
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
    },
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// A key pair of one algorithm.
#[expect(missing_debug_implementations, reason = "it is for tests, and private")]
pub enum KeyPair {
    /// P-256.
    Es256(EcdsaKeyPair),
    /// Ed25519.
    EdDsa(Ed25519KeyPair),
    /// The same, under its own name.
    Ed25519(Ed25519KeyPair),
    /// RSA of 2,048 bits, PKCS #1 v1.5.
    Rs256(RsaKeyPair),
    /// RSA of 2,048 bits, PSS.
    Ps256(RsaKeyPair),
}

impl KeyPair {
    /// A new one for an algorithm of this name.
    #[must_use]
    pub fn of(algorithm: &str) -> Self {
        let rsa = || RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        match algorithm {
            "ES256" => Self::es256(),
            "EdDSA" => Self::ed25519(),
            "Ed25519" => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            "RS256" => Self::Rs256(rsa()),
            "PS256" => Self::Ps256(rsa()),
            other => panic!("no key signs {other}"),
        }
    }

    /// A new one of P-256.
    #[must_use]
    pub fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// A new one of Ed25519.
    #[must_use]
    pub fn ed25519() -> Self {
        Self::EdDsa(Ed25519KeyPair::generate().unwrap())
    }

    /// The name of what it signs.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
            Self::Ed25519(_) => "Ed25519",
            Self::Rs256(_) => "RS256",
            Self::Ps256(_) => "PS256",
        }
    }

    /// The public half.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match self {
            Self::Es256(pair) => {
                // A byte of 4, then the two coordinates.
                let (x, y) = pair.public_key().as_ref().split_at(33);
                let (_, x) = x.split_at(1);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Self::EdDsa(pair) | Self::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
            }
            Self::Rs256(pair) | Self::Ps256(pair) => {
                // PKCS #1 (RFC 8017 appendix A.1.1): of 2,048 bits, the modulus begins there.
                let public = pair.public_key().as_ref();
                let modulus = public.get(9..265).unwrap();
                let algorithm = self.algorithm();
                json!({ "kty": "RSA", "n": encode(modulus), "e": "AQAB", "alg": algorithm })
            }
        }
    }

    /// The signature of a message.
    #[must_use]
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(pair) => {
                pair.sign_digest(&digest(&SHA256, message)).unwrap().as_ref().into()
            }
            Self::EdDsa(pair) | Self::Ed25519(pair) => pair.sign(message).as_ref().into(),
            Self::Rs256(pair) => rsa_signature(pair, &RSA_PKCS1_SHA256, message),
            Self::Ps256(pair) => rsa_signature(pair, &RSA_PSS_SHA256, message),
        }
    }

    /// A signed object of just this header and these claims, be they in order or not.
    #[must_use]
    pub fn signed(&self, header: &Value, claims: &Value) -> String {
        let encode = |part: &[u8]| BASE64URL_NOPAD.encode(part);
        let header = encode(header.to_string().as_bytes());
        let input = format!("{header}.{}", encode(claims.to_string().as_bytes()));
        let signature = encode(&self.signature(input.as_bytes()));
        format!("{input}.{signature}")
    }
}

fn rsa_signature(pair: &RsaKeyPair, padding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(padding, &digest(&SHA256, message), &mut signature).unwrap();
    signature
}
