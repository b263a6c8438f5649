//! What the tests share: a log whose leaves are numbers, and the key that signs it.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use audit::{
    Checkpoint, Hash, LogOrigin, SignedCheckpoint,
    checkpoint::{CheckpointSigner, SigningFailed, sign},
    merkle::{Frontier, leaf_hash},
};
use kernel::{OrganizationId, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::Value;

/// What a busy machine may take for something that is done.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) const ISSUER: &str = "https://idp.example.com";

pub(crate) struct Key(Ed25519KeyPair);

impl Key {
    pub(crate) fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
}

impl CheckpointSigner for Key {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        self.0.sign(bytes).as_ref().try_into().map_err(|_| SigningFailed)
    }
}

pub(crate) fn organization(number: u16) -> OrganizationId {
    format!("0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b{number:04x}").parse().unwrap()
}

pub(crate) fn origin(number: u16) -> LogOrigin {
    LogOrigin::new(ISSUER, organization(number)).unwrap()
}

pub(crate) fn at() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

/// A leaf of a log; those of one seed make one log.
pub(crate) fn leaf(seed: &str, position: u64) -> Hash {
    leaf_hash(format!("{seed} {position}").as_bytes())
}

/// The checkpoint of the log that this seed makes, at this size.
pub(crate) fn checkpoint(number: u16, size: u64, seed: &str) -> SignedCheckpoint {
    let mut frontier = Frontier::empty();
    (0..size).for_each(|position| frontier.push(leaf(seed, position), |_| {}));
    let checkpoint = Checkpoint { origin: origin(number), size, root: frontier.root() };
    sign(checkpoint, &Key::new(1)).unwrap()
}

/// The objects in a file of lines, each of which is whole.
pub(crate) fn objects(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A stream that keeps what is written to it.
#[derive(Clone, Default)]
pub(crate) struct Kept(pub(crate) Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
