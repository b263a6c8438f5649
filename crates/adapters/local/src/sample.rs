//! Sealers and keys for this crate's tests.

use std::{sync::Arc, time::Duration};

use kernel::{Entropy, EntropyUnavailable, Timestamp};
use tokens::{Algorithm, KeyFactory, SigningKey};

use crate::{LocalKeyFactory, Sealer, SystemEntropy};

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
    let (public, private) = LocalKeyFactory::new(sealer(1)).generate(Algorithm::Es256).unwrap();
    SigningKey::publish(public, private, at(seconds)).into_after()
}

/// A new key that signs since that second.
pub(crate) fn active(seconds: i64) -> SigningKey {
    published(seconds).activate(Duration::ZERO, at(seconds)).unwrap().into_after()
}
