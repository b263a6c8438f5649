//! A log as a server would export it, for tests to spoil.

use data_encoding::BASE64;
use kernel::{EventId, OrganizationId, RequestId, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use tenancy::{Origin, UserAgent};
use uuid::Uuid;

use super::{Checkpoints, CheckpointsRefused, Finding, Summary, Verifier, verify};
use crate::{
    checkpoint::{self, Checkpoint, CheckpointSigner, LogOrigin, SigningFailed},
    entry,
    event::{Action, Outcome, ResourceKind},
    export::{HashLine, LeafLine},
    log::{EventRecord, Place},
    merkle::{Frontier, Hash, StoredHash},
    note::VerifierKey,
    sequence::{self, Leaf, LeafRecord},
};

/// A key of a seed.
pub(super) struct Key(Ed25519KeyPair);

impl Key {
    pub(super) fn of(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
}

impl CheckpointSigner for Key {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        Ok(self.0.sign(bytes).as_ref().try_into().unwrap())
    }
}

pub(super) const SECOND: u64 = 1_000_000;

pub(super) fn organization() -> OrganizationId {
    OrganizationId::from_uuid(Uuid::from_u128(1))
}

pub(super) fn origin() -> LogOrigin {
    LogOrigin::new("https://idp.example.com", organization()).unwrap()
}

/// An event of so many seconds after another time.
pub(super) fn event(number: u64, second: u64) -> EventRecord {
    let micros = 1_700_000_000 * SECOND + second * SECOND;
    let metadata = json!({"name": format!("agent \u{1b}[31m{number}\r\n"), "number": number});
    EventRecord {
        id: EventId::from_uuid(Uuid::from_u128(1_000 + u128::from(number))),
        organization: organization(),
        agent: None,
        action: Action::AgentCreated,
        outcome: Outcome::Success,
        resource: Some(crate::event::Resource { kind: ResourceKind::Agent, id: "a".to_owned() }),
        origin: Origin {
            request: RequestId::internal(),
            address: Some("192.0.2.7".parse().unwrap()),
            user_agent: UserAgent::new("curl/8"),
        },
        salt: Some([u8::try_from(number % 251).unwrap(); 32]),
        used: None,
        metadata: metadata.as_object().unwrap().clone(),
        timestamp: Timestamp::from_unix_micros(i64::try_from(micros).unwrap()).unwrap(),
    }
}

/// An event that says what may be erased.
pub(super) fn trimmed(number: u64, content: u64, personal_data: u64) -> EventRecord {
    let metadata = json!({"contentBefore": content, "personalDataBefore": personal_data});
    EventRecord {
        action: Action::LogTrimmed,
        metadata: metadata.as_object().unwrap().clone(),
        ..event(number, number)
    }
}

/// Lines of an export, and checkpoints of the log that it was made of.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) lines: Vec<String>,
    pub(super) notes: Vec<String>,
    records: Vec<LeafRecord>,
}

impl Sample {
    /// A log of these events, and its checkpoints of these sizes.
    pub(super) fn new(events: &[EventRecord], sizes: &[u64]) -> Self {
        let mut frontier = Frontier::empty();
        let extension = sequence::extend(origin(), (&mut frontier, None), events).unwrap();
        let records = extension
            .leaves
            .into_iter()
            .zip(events)
            .map(|(leaf, event)| LeafRecord { leaf, event: Some(event.clone()) });
        let mut sample = Self { lines: Vec::new(), notes: Vec::new(), records: records.collect() };
        sample.write();
        sample.notes = sizes.iter().map(|size| sample.note(*size)).collect();
        sample
    }

    /// So many events, one a second.
    pub(super) fn of(count: u64, sizes: &[u64]) -> Self {
        Self::new(&(0..count).map(|number| event(number, number)).collect::<Vec<_>>(), sizes)
    }

    /// A long log of which all is erased but the last event, which says so.
    pub(super) fn erased(size: u64) -> Self {
        let announced = trimmed(size - 1, size - 1, size - 1);
        let mut last = Self::new(&[announced], &[]).records.remove(0);
        last.leaf.place.position = size - 1;
        let erased = (0..size - 1).map(|position| LeafRecord {
            leaf: Leaf {
                place: Place { position, ..last.leaf.place },
                hash: Hash::of(&position.to_be_bytes()),
                ..last.leaf.clone()
            },
            event: None,
        });
        let records = erased.chain([last.clone()]).collect();
        let mut sample = Self { lines: Vec::new(), notes: Vec::new(), records };
        sample.write();
        sample.notes.push(sample.note(size));
        sample
    }

    /// Writes the lines of the records again, with the stored hashes that their leaves have.
    pub(super) fn write(&mut self) {
        let mut frontier = Frontier::empty();
        self.lines.clear();
        for record in &self.records {
            self.lines.push(serde_json::to_string(&LeafLine::from(record)).unwrap());
            let lines = &mut self.lines;
            frontier.push(record.leaf.hash, |stored| {
                if stored.level > 0 {
                    lines.push(serde_json::to_string(&HashLine::from(&stored)).unwrap());
                }
            });
        }
    }

    /// Erases content.
    pub(super) fn erase_content(&mut self, positions: impl IntoIterator<Item = usize>) {
        positions.into_iter().for_each(|position| self.records[position].event = None);
        self.write();
    }

    /// Erases personal data.
    pub(super) fn erase_personal_data(&mut self, positions: impl IntoIterator<Item = u64>) {
        for position in positions {
            self.edit(position, |line| line["personal"] = Value::Null);
        }
    }

    /// Rewrites an event, and its leaf with it.
    pub(super) fn rewrite(&mut self, position: usize, change: impl Fn(&mut EventRecord)) {
        let record = &mut self.records[position];
        let event = record.event.as_mut().unwrap();
        change(event);
        record.leaf.commitment = entry::commitment_of(event).unwrap();
        record.leaf.hash = entry::hash_of(event, &record.leaf);
        self.write();
    }

    /// Has a leaf say that it is out of order or not, and hash accordingly.
    pub(super) fn misstate(&mut self, position: usize, out_of_order: bool) {
        self.records[position].leaf.place.out_of_order = out_of_order;
        self.rewrite(position, |_| ());
    }

    /// Edits the line of a leaf as JSON.
    pub(super) fn edit(&mut self, position: u64, change: impl Fn(&mut Value)) {
        let at = self.at(position);
        let mut line = serde_json::from_str(&self.lines[at]).unwrap();
        change(&mut line);
        self.lines[at] = line.to_string();
    }

    /// The place of a leaf's line.
    pub(super) fn at(&self, position: u64) -> usize {
        let is_it = |line: &String| {
            serde_json::from_str::<Value>(line).unwrap()["position"].as_u64() == Some(position)
        };
        self.lines.iter().position(is_it).unwrap()
    }

    fn note(&self, size: u64) -> String {
        let mut frontier = Frontier::empty();
        let leaves = self.records.iter().take(usize::try_from(size).unwrap());
        leaves.for_each(|record: &LeafRecord| frontier.push(record.leaf.hash, |_: StoredHash| ()));
        note(size, frontier.root(), &Key::of(7))
    }

    pub(super) fn export(&self) -> Vec<u8> {
        self.lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect()
    }

    /// What a verifier says of it, and where it says something, as it says it.
    pub(super) fn verified(&self) -> Result<Summary, Finding> {
        let mut checkpoints = Checkpoints::signed_by(verifier_key()).unwrap();
        for note in &self.notes {
            match checkpoints.add(note.as_bytes()) {
                Ok(()) => {}
                Err(CheckpointsRefused::Found(finding)) => return Err(finding),
                Err(refused) => panic!("{refused}"),
            }
        }
        verify(Verifier::new(checkpoints).unwrap(), &*self.export()).unwrap()
    }

    pub(super) fn said(&self) -> String {
        self.verified().map_or_else(|finding| finding.to_string(), |_| "ok".to_owned())
    }
}

pub(super) fn note(size: u64, root: Hash, key: &Key) -> String {
    checkpoint::sign(Checkpoint { origin: origin(), size, root }, key).unwrap().note
}

pub(super) fn verifier_key() -> VerifierKey {
    VerifierKey::new(origin().name().clone(), Key::of(7).public_key())
}

/// Base64 of a hash with one bit flipped.
pub(super) fn flipped(hash: &Value) -> Value {
    let mut bytes = BASE64.decode(hash.as_str().unwrap().as_bytes()).unwrap();
    bytes[13] ^= 4;
    BASE64.encode(&bytes).into()
}
