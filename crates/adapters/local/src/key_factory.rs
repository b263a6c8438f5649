//! Makes signing keys; their private half is sealed before anybody sees it.

use std::sync::Arc;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use kernel::EntropyUnavailable;
use tokens::{Algorithm, Jwk, KeyFactory, KeyId, SealedPrivateKey};

use crate::seal::{Purpose, Sealer};

/// Makes key pairs in this process.
#[derive(Debug, Clone)]
pub struct LocalKeyFactory {
    sealer: Arc<Sealer>,
}

impl LocalKeyFactory {
    /// A factory that seals with this.
    #[must_use]
    pub const fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer }
    }
}

impl KeyFactory for LocalKeyFactory {
    /// The key itself is made by the library's own generator, which no test can fix; keys need to
    /// be unpredictable, not repeatable.
    fn generate(
        &self,
        algorithm: Algorithm,
    ) -> Result<(Jwk, SealedPrivateKey), EntropyUnavailable> {
        if algorithm != Algorithm::Es256 {
            return Err(EntropyUnavailable);
        }
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| EntropyUnavailable)?;
        let public = public_half(&pair).ok_or(EntropyUnavailable)?;
        let private = pair.to_pkcs8v1().map_err(|_| EntropyUnavailable)?;
        let id = public.thumbprint();
        let sealed = self.sealer.seal(purpose(&id), private.as_ref())?;
        Ok((public, SealedPrivateKey::new(sealed)))
    }
}

/// What a private key is sealed for: to sign, under this id.
pub(crate) fn purpose(id: &KeyId) -> Purpose<'_> {
    Purpose { kind: "signing-key", id: id.as_str() }
}

/// The public half of a pair. The library gives a point in its uncompressed form (SEC 1, section
/// 2.3.3): a byte of 4, then the two coordinates.
pub(crate) fn public_half(pair: &EcdsaKeyPair) -> Option<Jwk> {
    let (&[4], coordinates) = pair.public_key().as_ref().split_first_chunk()? else {
        return None;
    };
    let (x, y) = coordinates.split_first_chunk()?;
    Some(Jwk::P256 { x: *x, y: y.try_into().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{NoEntropy, sealer};

    #[test]
    fn every_key_is_another() {
        let factory = LocalKeyFactory::new(sealer(1));
        let (one, _) = factory.generate(Algorithm::Es256).unwrap();
        let (two, _) = factory.generate(Algorithm::Es256).unwrap();
        assert_ne!(one.thumbprint(), two.thumbprint());
    }

    #[test]
    fn without_randomness_no_key_leaves_unsealed() {
        let dry = Sealer::new(&[1; 32], Arc::new(NoEntropy)).unwrap();
        let made = LocalKeyFactory::new(Arc::new(dry)).generate(Algorithm::Es256);
        assert_eq!(made, Err(EntropyUnavailable));
    }
}
