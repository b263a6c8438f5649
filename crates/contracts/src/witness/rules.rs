//! What a witness answers (C2SP tlog-witness, "add-checkpoint"), and its signatures (C2SP tlog-cosignature).

use std::collections::HashMap;

use audit::{
    Checkpoint, Hash, LogOrigin, VerifierKey,
    merkle::{empty_root, verify_consistency},
};
use data_encoding::BASE64;
use ring::signature::{Ed25519KeyPair, KeyPair};

const NAME: &str = "witness.example/tests";

/// The time of every signature.
const TIME: u64 = 1_795_000_000;

/// The type of an Ed25519 cosignature in a key id.
const COSIGNATURE_TYPE: u8 = 4;

/// What a witness saw last of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) body: String,
}

impl Answer {
    fn refusal(status: u16) -> Self {
        Self { status, kind: "text/plain", body: "no\n".to_owned() }
    }

    fn other_size(size: u64) -> Self {
        Self { status: 409, kind: "text/x.tlog.size", body: format!("{size}\n") }
    }
}

/// A witness without its server.
#[derive(Debug)]
pub(super) struct Rules {
    issuer: String,
    log_key: [u8; 32],
    key: Ed25519KeyPair,
    pub(super) seen: HashMap<LogOrigin, Seen>,
}

impl Rules {
    /// Of a witness that knows the logs of this issuer, by the key that signs their checkpoints.
    pub(super) fn new(issuer: &str, log_key: [u8; 32]) -> Self {
        let issuer = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        let issuer = format!("{}/audit/", issuer.trim_end_matches('/'));
        let key = Ed25519KeyPair::from_seed_unchecked(&[42; 32]).unwrap();
        Self { issuer, log_key, key, seen: HashMap::new() }
    }

    pub(super) fn answer(&mut self, body: &str) -> Answer {
        self.judged(body).unwrap_or_else(|refusal| refusal)
    }

    fn judged(&mut self, body: &str) -> Result<Answer, Answer> {
        let (old, proof, note) = parsed(body).ok_or(Answer::refusal(400))?;
        let claimed = Checkpoint::claimed(note).map_err(|_| Answer::refusal(400))?;
        if !claimed.origin.to_string().starts_with(&self.issuer) {
            return Err(Answer::refusal(404));
        }
        let key = VerifierKey::new(claimed.origin.name().clone(), self.log_key);
        let shown = Checkpoint::open(note, &key).map_err(|_| Answer::refusal(403))?;
        if old > shown.size {
            return Err(Answer::refusal(400));
        }
        let nothing = Seen { size: 0, root: empty_root() };
        let seen = self.seen.get(&shown.origin).copied().unwrap_or(nothing);
        if old != seen.size {
            return Err(Answer::other_size(seen.size));
        }
        if old == shown.size && seen.root != shown.root {
            return Err(Answer::refusal(409));
        }
        verify_consistency((old, seen.root), (shown.size, shown.root), &proof)
            .map_err(|_| Answer::refusal(422))?;
        let line = self.cosignature(&shown);
        self.seen.insert(shown.origin, Seen { size: shown.size, root: shown.root });
        Ok(Answer { status: 200, kind: "text/plain", body: line })
    }

    fn cosignature(&self, checkpoint: &Checkpoint) -> String {
        let signed = format!("cosignature/v1\ntime {TIME}\n{}", checkpoint.text());
        let signature = self.key.sign(signed.as_bytes());
        let public = self.key.public_key().as_ref();
        let id = Hash::of(&[NAME.as_bytes(), b"\n", &[COSIGNATURE_TYPE], public].concat());
        let bytes = [&id.as_bytes()[..4], &TIME.to_be_bytes(), signature.as_ref()].concat();
        format!("\u{2014} {NAME} {}\n", BASE64.encode(&bytes))
    }
}

/// The parts of a request: the old size, the proof and the note.
fn parsed(body: &str) -> Option<(u64, Vec<Hash>, &str)> {
    let (head, note) = body.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let old = lines.next()?.strip_prefix("old ")?;
    let size = old.parse::<u64>().ok().filter(|size| size.to_string() == old)?;
    let proof = lines.map(|line| line.parse().ok()).collect::<Option<Vec<Hash>>>()?;
    (proof.len() <= 63).then_some((size, proof, note))
}
