//! Sealers and keys for this crate's tests.

use std::{sync::Arc, time::Duration};

use kernel::{Entropy, EntropyUnavailable, Timestamp};
use secrecy::ExposeSecret;
use tokens::{Algorithm, SealedPrivateKey, SigningKey};

use crate::{Sealer, SystemEntropy, key_factory::purpose, key_pair::Pair};

/// A source that has run dry.
pub(crate) struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyUnavailable> {
        Err(EntropyUnavailable)
    }
}

/// A sealer whose key is this byte, thirty-two times.
pub(crate) fn sealer(key: u8) -> Arc<Sealer> {
    Arc::new(Sealer::new(&[key; 32], Arc::new(SystemEntropy::new())).unwrap())
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
}

/// A new key, published at that second and sealed by `sealer(1)`.
pub(crate) fn published(seconds: i64) -> SigningKey {
    published_of(Algorithm::Es256, seconds)
}

/// A new key of that algorithm.
pub(crate) fn published_of(algorithm: Algorithm, seconds: i64) -> SigningKey {
    let pair = Pair::generate(algorithm).unwrap();
    let public = pair.public().unwrap();
    let private = pair.to_pkcs8().unwrap();
    let private = sealer(1).seal(purpose(&public.thumbprint()), private.expose_secret()).unwrap();
    SigningKey::publish(public, SealedPrivateKey::new(private), at(seconds)).into_after()
}

/// A new key that signs since that second.
pub(crate) fn active(seconds: i64) -> SigningKey {
    active_of(Algorithm::Es256, seconds)
}

/// A new key of that algorithm that signs since that second.
pub(crate) fn active_of(algorithm: Algorithm, seconds: i64) -> SigningKey {
    let key = published_of(algorithm, seconds);
    key.activate(Duration::ZERO, at(seconds)).unwrap().into_after()
}
