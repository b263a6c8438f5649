//! Makes signing keys; their private half is sealed before anybody sees it.

use std::sync::Arc;

use kernel::EntropyUnavailable;
use secrecy::ExposeSecret;
use tokens::{Algorithm, Jwk, KeyFactory, KeyId, SealedPrivateKey, SigningKey};

use crate::{
    bench::Bench,
    key_pair::Pair,
    key_ring,
    seal::{Purpose, Sealer},
};

/// Makes key pairs in this process.
#[derive(Debug, Clone)]
pub struct LocalKeyFactory {
    sealer: Arc<Sealer>,
    /// One key at a time: nobody waits for a request while one is made.
    bench: Bench,
}

impl LocalKeyFactory {
    /// A factory that seals with this.
    #[must_use]
    pub fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, bench: Bench::of_one() }
    }
}

impl KeyFactory for LocalKeyFactory {
    /// RSA keys are made on a thread of their own: to find two primes takes long.
    async fn generate(
        &self,
        algorithm: Algorithm,
    ) -> Result<(Jwk, SealedPrivateKey), EntropyUnavailable> {
        match algorithm {
            Algorithm::Es256 | Algorithm::EdDsa => make(algorithm, &self.sealer),
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let sealer = Arc::clone(&self.sealer);
                let made = self.bench.work(move || make(algorithm, &sealer)).await;
                made.map_err(|_| EntropyUnavailable)?
            }
        }
    }

    fn opens(&self, key: &SigningKey) -> bool {
        key_ring::opens(&self.sealer, key)
    }
}

fn make(
    algorithm: Algorithm,
    sealer: &Sealer,
) -> Result<(Jwk, SealedPrivateKey), EntropyUnavailable> {
    let pair = Pair::generate(algorithm).map_err(|_| EntropyUnavailable)?;
    let public = pair.public().ok_or(EntropyUnavailable)?;
    let private = pair.to_pkcs8().map_err(|_| EntropyUnavailable)?;
    let sealed = sealer.seal(purpose(&public.thumbprint()), private.expose_secret())?;
    Ok((public, SealedPrivateKey::new(sealed)))
}

/// What a private key is sealed for: to sign, under this id.
pub(crate) fn purpose(id: &KeyId) -> Purpose<'_> {
    Purpose { kind: "signing-key", id: id.as_str() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{NoEntropy, sealer};

    #[tokio::test]
    async fn every_key_is_another_and_of_the_algorithm_that_was_asked_for() {
        let factory = LocalKeyFactory::new(sealer(1));
        for algorithm in Algorithm::ALL {
            let (one, _) = factory.generate(algorithm).await.unwrap();
            let (two, _) = factory.generate(algorithm).await.unwrap();
            assert_ne!(one.thumbprint(), two.thumbprint());
            assert_eq!((one.algorithm(), two.algorithm()), (algorithm, algorithm));
        }
    }

    #[tokio::test]
    async fn without_randomness_no_key_leaves_unsealed() {
        let dry = Sealer::new(&[1; 32], Arc::new(NoEntropy)).unwrap();
        let factory = LocalKeyFactory::new(Arc::new(dry));
        for algorithm in Algorithm::ALL {
            assert_eq!(factory.generate(algorithm).await, Err(EntropyUnavailable));
        }
    }
}
