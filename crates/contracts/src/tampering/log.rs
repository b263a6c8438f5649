//! What is known of a log that nobody has touched yet.

use audit::{
    Action, Checkpoint, CheckpointSigner, EventRecord, Hash, LogReader, LogState, VerifierKey,
    checkpoint,
    entry::{commitment_of, hash_of, is_out_of_order},
    merkle::{Frontier, StoredHash},
    sequence::{Leaf, LeafRecord},
    verify::Code,
};
use kernel::{OrganizationId, Timestamp};

use super::expected::Expected;

/// A log.
#[derive(Debug, Clone)]
pub struct Log {
    /// Whose.
    pub organization: OrganizationId,
    /// How far it has come.
    pub state: LogState,
    /// How far it had come when the older copy of the database was made.
    pub older: LogState,
    /// Its leaves, all of which the last checkpoint covers.
    pub leaves: Vec<LeafRecord>,
    /// The last of its checkpoints that left, as a line of the file.
    pub left: Vec<u8>,
    /// What its checkpoints verify with.
    pub key: VerifierKey,
}

/// What a forger makes of a tree.
#[derive(Debug, Clone)]
pub struct Forged {
    /// The stored hashes above the leaves.
    pub above: Vec<StoredHash>,
    /// The edge, which knows the root.
    pub frontier: Frontier,
}

impl Log {
    /// Reads it.
    pub async fn read(
        view: &mut impl LogReader,
        organization: OrganizationId,
        (older, left, key): (LogState, Vec<u8>, VerifierKey),
    ) -> Self {
        let state = view.log_state().await.unwrap();
        let leaves = view.leaves(0, u32::MAX).await.unwrap();
        let log = Self { organization, state, older, leaves, left, key };
        assert_eq!(log.size(), u64::try_from(log.leaves.len()).unwrap());
        let announced = log.leaves.iter().filter(|leaf| is_announcement(leaf)).count();
        assert_eq!(announced, usize::from(log.content_from() > 0), "what the ways count on");
        log
    }

    /// How many leaves the last checkpoint covers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.state.signed_size()
    }

    /// From which position on content is there.
    #[must_use]
    pub const fn content_from(&self) -> u64 {
        self.state.trimmed.content
    }

    /// From which position on personal data is there.
    #[must_use]
    pub const fn personal_from(&self) -> u64 {
        self.state.trimmed.personal_data
    }

    /// A leaf, with its event where its content is there.
    #[must_use]
    pub fn record(&self, position: u64) -> &LeafRecord {
        &self.leaves[usize::try_from(position).unwrap()]
    }

    /// A leaf.
    #[must_use]
    pub fn leaf(&self, position: u64) -> &Leaf {
        &self.record(position).leaf
    }

    /// The event at a position where content is there.
    #[must_use]
    pub fn event(&self, position: u64) -> &EventRecord {
        self.record(position).event.as_ref().unwrap()
    }

    /// Where the log says what was erased.
    #[must_use]
    pub fn announced(&self) -> Option<u64> {
        self.leaves.iter().find(|leaf| is_announcement(leaf)).map(|one| one.leaf.place.position)
    }

    /// The time of the latest event before this position.
    #[must_use]
    pub fn latest_before(&self, position: u64) -> Option<Timestamp> {
        let times = self.leaves.iter().take(usize::try_from(position).unwrap());
        times.filter_map(|leaf| leaf.event.as_ref()).map(|event| event.timestamp).max()
    }

    /// What is found where the content of one event is gone: with that which says what was erased, all
    /// of that is unannounced.
    #[must_use]
    pub fn gone(&self, position: u64) -> Expected {
        let first = if self.announced() == Some(position) { 0 } else { position };
        Expected::at(first, Code::ContentMissing)
    }

    /// What is found where each event goes with its leaf from this position on, and the tree over them
    /// is another: the stored hash over them, or the root.
    #[must_use]
    pub fn forked(&self, position: u64) -> Expected {
        let tile = position / 256 * 256;
        if tile + 256 <= self.size() {
            Expected::at(tile, Code::StoredHashMismatch)
        } else {
            Self::other_root()
        }
    }

    /// What is found where the tree is whole, and another.
    #[must_use]
    pub fn other_root() -> Expected {
        Expected::at(0, Code::RootMismatch)
    }

    /// A leaf that goes with this event at this position.
    #[must_use]
    pub fn leaf_for(&self, event: &EventRecord, position: u64) -> Leaf {
        let mut leaf = self.leaf(position.min(self.size() - 1)).clone();
        leaf.place.position = position;
        leaf.place.out_of_order = is_out_of_order(event.timestamp, self.latest_before(position));
        hashed(leaf, event)
    }

    /// The tree over these hashes.
    #[must_use]
    pub fn forge(hashes: impl IntoIterator<Item = Hash>) -> Forged {
        let mut forged = Forged { above: Vec::new(), frontier: Frontier::empty() };
        let Forged { above, frontier } = &mut forged;
        for hash in hashes {
            frontier.push(hash, |stored| {
                if stored.level > 0 {
                    above.push(stored);
                }
            });
        }
        forged
    }

    /// A note over such a tree.
    pub fn note(&self, forged: &Forged, signer: &dyn CheckpointSigner) -> String {
        let (size, root) = (forged.frontier.size(), forged.frontier.root());
        let origin = self.state.origin.clone().unwrap();
        checkpoint::sign(Checkpoint { origin, size, root }, signer).unwrap().note
    }
}

/// The leaf with the commitment and the hash that its event asks for.
#[must_use]
pub fn hashed(mut leaf: Leaf, event: &EventRecord) -> Leaf {
    leaf.event = event.id;
    leaf.commitment = commitment_of(event).unwrap_or(leaf.commitment);
    leaf.hash = hash_of(event, &leaf);
    leaf
}

fn is_announcement(record: &LeafRecord) -> bool {
    record.event.as_ref().is_some_and(|event| event.action == Action::LogTrimmed)
}
