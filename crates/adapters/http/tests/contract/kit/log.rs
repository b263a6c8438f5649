//! The sequencer of the server under test: events get their places when a test says so.

use std::sync::Arc;

use audit::{
    Checkpoint, CheckpointSigner, SequencerId, checkpoint::SigningFailed, delivery::Outside,
};
use kernel::{Clock, OrganizationId};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sqlite_store::SqliteStore;
use usecases::log::{Outlets, Sequencer, SequencerParts, Unobserved};

use super::server::ISSUER;

/// Signs checkpoints, with the same key each time.
pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    pub(crate) fn new() -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[5; 32]).unwrap())
    }
}

impl CheckpointSigner for Signer {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        Ok(self.0.sign(bytes).as_ref().try_into().unwrap())
    }
}

/// No checkpoint ever left.
struct Nowhere;

impl Outside for Nowhere {
    fn known(&self) -> Vec<OrganizationId> {
        Vec::new()
    }

    fn newest(&self, _: OrganizationId) -> Option<Checkpoint> {
        None
    }

    fn left(&self, _: &Checkpoint) {}
}

/// A sequencer of this store.
pub(crate) fn sequencer(store: SqliteStore, clock: Arc<dyn Clock>) -> Sequencer<SqliteStore> {
    Sequencer::new(SequencerParts {
        store,
        id: SequencerId(1),
        signer: Arc::new(Signer::new()),
        issuer: ISSUER.to_owned(),
        clock,
        outside: Arc::new(Nowhere),
        outlets: Outlets::default(),
        observer: Arc::new(Unobserved),
    })
}
