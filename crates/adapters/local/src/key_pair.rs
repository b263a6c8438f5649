//! Pairs of keys that sign, of each algorithm.

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer,
    error::Unspecified,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair, RsaSignatureEncoding,
    },
};
use secrecy::SecretSlice;
use tokens::{Algorithm, Jwk};

use jose::Padding;

/// The DER of an RSA public key of 2,048 bits (RFC 8017 appendix A.1.1) up to its modulus, which
/// has its highest bit set.
const BEFORE_THE_MODULUS: [u8; 9] = [0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00];

/// And from there on: the exponent 65,537.
const AFTER_THE_MODULUS: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// A pair, ready to sign.
pub(crate) enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair, Padding),
}

impl Pair {
    /// Makes one by the library's own generator, which no test can fix: keys need to be
    /// unpredictable, not repeatable. One of RSA takes a tenth of a second and more.
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        let rsa = |padding| Ok(Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?, padding));
        match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Self::P256)
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate().map(Self::Ed25519),
            Algorithm::Rs256 => rsa(Padding::Pkcs1),
            Algorithm::Ps256 => rsa(Padding::Pss),
        }
    }

    /// Reads the private half that [`to_pkcs8`](Self::to_pkcs8) wrote.
    pub(crate) fn from_pkcs8(algorithm: Algorithm, document: &[u8]) -> Option<Self> {
        let rsa = |padding| Some(Self::Rsa(RsaKeyPair::from_pkcs8(document).ok()?, padding));
        match algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document);
                pair.ok().map(Self::P256)
            }
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(document).ok().map(Self::Ed25519),
            Algorithm::Rs256 => rsa(Padding::Pkcs1),
            Algorithm::Ps256 => rsa(Padding::Pss),
        }
    }

    /// The private half (RFC 5208).
    pub(crate) fn to_pkcs8(&self) -> Result<SecretSlice<u8>, Unspecified> {
        let document = match self {
            Self::P256(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Self::Ed25519(pair) => pair.to_pkcs8()?.as_ref().to_vec(),
            Self::Rsa(pair, _) => pair.as_der()?.as_ref().to_vec(),
        };
        Ok(document.into())
    }

    /// The public half.
    pub(crate) fn public(&self) -> Option<Jwk> {
        match self {
            // A point in its uncompressed form (SEC 1, section 2.3.3): 4, then both coordinates.
            Self::P256(pair) => {
                let (&[4], coordinates) = pair.public_key().as_ref().split_first_chunk()? else {
                    return None;
                };
                let (x, y) = coordinates.split_first_chunk()?;
                Some(Jwk::P256 { x: *x, y: y.try_into().ok()? })
            }
            Self::Ed25519(pair) => {
                Some(Jwk::Ed25519 { x: pair.public_key().as_ref().try_into().ok()? })
            }
            Self::Rsa(pair, padding) => {
                let der = pair.public_key().as_ref();
                let rest = der.strip_prefix(&BEFORE_THE_MODULUS)?;
                let modulus = rest.strip_suffix(&AFTER_THE_MODULUS)?.to_vec();
                Some(Jwk::Rsa { modulus, padding: *padding })
            }
        }
    }

    /// Whether to sign takes so long that it must not hold up a thread that serves requests: some
    /// four hundred microseconds, and twenty for the others.
    pub(crate) const fn is_slow(&self) -> bool {
        match self {
            Self::P256(_) | Self::Ed25519(_) => false,
            Self::Rsa(..) => true,
        }
    }

    /// The signature of a message.
    pub(crate) fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::P256(pair) => {
                pair.sign_digest(&digest(&SHA256, message)).map(|signed| signed.as_ref().to_vec())
            }
            Self::Ed25519(pair) => pair.try_sign(message).map(|signed| signed.as_ref().to_vec()),
            Self::Rsa(pair, padding) => {
                let encoding: &'static RsaSignatureEncoding = match padding {
                    Padding::Pkcs1 => &RSA_PKCS1_SHA256,
                    Padding::Pss => &RSA_PSS_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(encoding, &digest(&SHA256, message), &mut signature)?;
                Ok(signature)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jose::SignatureVerifier as _;
    use secrecy::ExposeSecret;

    use crate::LocalVerifier;

    #[test]
    fn a_pair_of_every_algorithm_is_kept_and_signs_as_before() {
        for algorithm in Algorithm::ALL {
            let made = Pair::generate(algorithm).unwrap();
            let public = made.public().unwrap();
            assert_eq!(public.algorithm(), algorithm);
            let document = made.to_pkcs8().unwrap();
            let kept = Pair::from_pkcs8(algorithm, document.expose_secret()).unwrap();
            assert_eq!(kept.public().as_ref(), Some(&public));
            for pair in [made, kept] {
                assert!(LocalVerifier.verifies(&public, b"a", &pair.signature(b"a").unwrap()));
            }
        }
    }

    #[test]
    fn a_private_half_of_another_kind_is_none() {
        let document = Pair::generate(Algorithm::EdDsa).unwrap().to_pkcs8().unwrap();
        for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Ps256] {
            assert!(Pair::from_pkcs8(algorithm, document.expose_secret()).is_none());
        }
    }
}
