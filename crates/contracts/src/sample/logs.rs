//! A sequencer as simple as can be, and what else a log is tried with.

use std::time::Duration;

use audit::{
    Checkpoint, CheckpointKeyCreated, CheckpointSigner, LogOrigin, LogReader, LogTrimmed, Logs,
    Retention, SealedCheckpointKey, SequencerId, SignedCheckpoint, Turn, VerifierKey,
    checkpoint::{self, SigningFailed},
    merkle::{Frontier, root_at},
    sequence::{self, Extension},
    trim::Cut,
};
use kernel::{OrganizationId, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::Machine;

/// How long a turn is tried for: one that was dropped may take a moment to be undone.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many events a turn gives places.
const ABOUT: u32 = 1_000;

/// The origin of an organization's log.
#[must_use]
pub fn log_origin(organization: OrganizationId) -> LogOrigin {
    LogOrigin::new("https://idp.example.com", organization).unwrap()
}

/// Signs with a key that is no secret.
#[derive(Debug)]
pub struct KnownKey(Ed25519KeyPair);

impl KnownKey {
    /// The key that grows from this number.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
}

impl CheckpointSigner for KnownKey {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        self.0.sign(bytes).as_ref().try_into().map_err(|_| SigningFailed)
    }
}

/// A sequencer that extends and signs when it is told to, and believes what it reads.
#[derive(Debug)]
pub struct Sequencer {
    id: SequencerId,
    key: KnownKey,
}

impl Default for Sequencer {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Sequencer {
    /// One of this number. All have the same key, as the replicas of an installation do.
    #[must_use]
    pub fn new(number: u128) -> Self {
        Self { id: SequencerId(number), key: KnownKey::new(7) }
    }

    /// What its checkpoints of this log verify with.
    #[must_use]
    pub fn verifier(&self, organization: OrganizationId) -> VerifierKey {
        VerifierKey::new(log_origin(organization).name().clone(), self.key.public_key())
    }

    /// Begins a turn, as soon as one can be had.
    pub async fn turn<L: Logs>(&self, logs: &L, organization: OrganizationId) -> L::Turn {
        let turn = async {
            loop {
                match self.try_turn(logs, organization).await {
                    Some(turn) => break turn,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, turn).await.unwrap()
    }

    /// Begins a turn, unless somebody else has the log.
    pub async fn try_turn<L: Logs>(
        &self,
        logs: &L,
        organization: OrganizationId,
    ) -> Option<L::Turn> {
        logs.turn(organization, self.id).await.unwrap()
    }

    /// Gives every event that waits its place. Gives back how many leaves there are then.
    pub async fn extend<L: Logs>(&self, logs: &L, organization: OrganizationId) -> u64 {
        loop {
            let mut turn = self.turn(logs, organization).await;
            let Some(extension) = next_extension(&mut turn, organization, ABOUT).await else {
                break turn.state().size;
            };
            turn.extend(&extension).await.unwrap();
            turn.commit().await.unwrap();
        }
    }

    /// Signs a checkpoint of this size, which the log must have had.
    pub async fn checkpoint(
        &self,
        log: &mut impl LogReader,
        organization: OrganizationId,
        size: u64,
    ) -> SignedCheckpoint {
        let origin = log_origin(organization);
        let checkpoint = Checkpoint { origin, size, root: root_at(log, size).await.unwrap() };
        checkpoint::sign(checkpoint, &self.key).unwrap()
    }

    /// Signs what has a place.
    pub async fn sign<L: Logs>(&self, logs: &L, organization: OrganizationId) -> SignedCheckpoint {
        let mut turn = self.turn(logs, organization).await;
        let size = turn.state().size;
        let signed = self.checkpoint(&mut turn, organization, size).await;
        turn.publish(&signed).await.unwrap();
        turn.commit().await.unwrap();
        signed
    }

    /// Gives every event that waits its place, and signs.
    pub async fn run<L: Logs>(&self, logs: &L, organization: OrganizationId) -> SignedCheckpoint {
        self.extend(logs, organization).await;
        self.sign(logs, organization).await
    }
}

/// What the events that wait make of the log. `None` where none do.
pub async fn next_extension(
    turn: &mut impl Turn,
    organization: OrganizationId,
    about: u32,
) -> Option<Extension> {
    let events = turn.unsequenced(about).await.unwrap();
    if events.is_empty() {
        return None;
    }
    let (size, latest) = (turn.state().size, turn.state().latest);
    let mut frontier = Frontier::load(turn, size).await.unwrap();
    let origin = log_origin(organization);
    Some(sequence::extend(origin, (&mut frontier, latest), &events).unwrap())
}

/// What is over now. `None` where no more is than before.
pub async fn cut(
    log: &mut impl LogReader,
    organization: OrganizationId,
    retention: Retention,
    now: Timestamp,
) -> Option<LogTrimmed> {
    let mut cut = Cut::after(&log.log_state().await.unwrap(), retention, now);
    for leaf in log.leaves(cut.from(), u32::MAX).await.unwrap() {
        if !cut.take(&leaf) {
            break;
        }
    }
    cut.change(organization)
}

/// A key that signs checkpoints and is about to be kept.
#[must_use]
pub fn checkpoint_key(machine: &Machine) -> CheckpointKeyCreated {
    let private = SealedCheckpointKey::new(machine.bytes::<48>().to_vec());
    CheckpointKeyCreated::new(machine.bytes(), private, machine.now())
}
