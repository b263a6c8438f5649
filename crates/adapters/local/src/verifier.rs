//! Checks signatures by public keys: those of others as they come, our own once parsed.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use jose::{Jwk, Padding, SignatureVerifier};

/// 65,537, the exponent of every RSA key that is taken.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// The bytes of a modulus that is taken: 2,048 to 4,096 bits. The library would take twice that,
/// and with it four times the work for whoever sends such a key.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;

/// Checks signatures in this process (RFC 7515 section 5.2). It keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalVerifier;

impl SignatureVerifier for LocalVerifier {
    /// A point off P-256 is refused here. Of Ed25519 every 32 bytes are taken: those that are no
    /// point verify nothing, and the weak ones are refused where a [`Jwk`] is read.
    fn accepts(&self, key: &Jwk) -> bool {
        parse(key).is_some()
    }

    fn verifies(&self, key: &Jwk, message: &[u8], signature: &[u8]) -> bool {
        parse(key).is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

/// A key that is ready to verify, by its own algorithm and in that algorithm's one form: the fixed
/// form of 64 bytes for ES256 (RFC 7518 section 3.4), never DER.
pub(crate) fn parse(key: &Jwk) -> Option<ParsedPublicKey> {
    match key {
        Jwk::P256 { x, y } => {
            // Uncompressed (SEC 1, section 2.3.3): a byte of 4, then the two coordinates.
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()
        }
        Jwk::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x).ok(),
        Jwk::Rsa { modulus, padding } => {
            if !MODULUS.contains(&modulus.len()) {
                return None;
            }
            let components = RsaPublicKeyComponents { n: modulus.as_slice(), e: &EXPONENT };
            let parameters = match padding {
                Padding::Pkcs1 => &RSA_PKCS1_2048_8192_SHA256,
                Padding::Pss => &RSA_PSS_2048_8192_SHA256,
            };
            components.to_parsed_public_key(parameters).ok()
        }
    }
}

#[cfg(test)]
mod tests;
