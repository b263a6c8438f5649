//! How fast an export is verified: one core, everything in memory. `cargo xtask bench audit-verify` runs it.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(clippy::disallowed_methods, reason = "it takes the time")]

use std::{error::Error, hint::black_box, time::Instant};

use audit::{
    Action, CheckpointSigner, EventRecord, Hash, LogOrigin, Outcome, Resource, ResourceKind,
    VerifierKey,
    checkpoint::{self, Checkpoint, SigningFailed},
    export::{HashLine, LeafLine},
    merkle::Frontier,
    sequence::{LeafRecord, extend},
    verify::{Checkpoints, Verifier, verify},
};
use kernel::{AgentId, CredentialId, EventId, OrganizationId, RequestId, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use tenancy::{Origin, UserAgent};
use uuid::Uuid;

type Failure = Box<dyn Error>;

/// How many events get their places at once while the export is made.
const BATCH: u64 = 10_000;

struct Key(Ed25519KeyPair);

impl CheckpointSigner for Key {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap_or_default()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        self.0.sign(bytes).as_ref().try_into().map_err(|_| SigningFailed)
    }
}

/// A token that was issued: the event that there is most of.
fn event(number: u64, organization: OrganizationId) -> Result<EventRecord, Failure> {
    let id = |kind: u128| Uuid::from_u128((kind << 64) + u128::from(number) + 1);
    let micros = 1_795_000_000_000_000 + i64::try_from(number)? * 250;
    let metadata: Map<String, Value> = [
        ("scope".to_owned(), json!("agents:read audit:read")),
        ("credentialId".to_owned(), json!(id(3).to_string())),
        ("tokenId".to_owned(), json!(id(4).to_string())),
        ("expiresIn".to_owned(), json!(300)),
    ]
    .into_iter()
    .collect();
    Ok(EventRecord {
        id: EventId::from_uuid(id(1)),
        organization,
        agent: Some(AgentId::from_uuid(id(2))),
        action: Action::TokenIssued,
        outcome: Outcome::Success,
        resource: Some(Resource { kind: ResourceKind::Token, id: id(4).to_string() }),
        origin: Origin {
            request: RequestId::parse(&id(5).to_string()).ok_or("no request id")?,
            address: Some("192.0.2.7".parse()?),
            user_agent: UserAgent::new("agent-runtime/2.7 (linux; x86_64)"),
        },
        salt: Some(*Hash::of(&number.to_be_bytes()).as_bytes()),
        used: Some(CredentialId::from_uuid(id(3))),
        metadata,
        timestamp: Timestamp::from_unix_micros(micros)?,
    })
}

/// An export of so many events, and the root of the log.
fn export(count: u64, origin: &LogOrigin) -> Result<(Vec<u8>, Hash), Failure> {
    let (mut out, mut frontier, mut latest) = (Vec::new(), Frontier::empty(), None);
    let mut above = Frontier::empty();
    for start in (0..count).step_by(usize::try_from(BATCH)?) {
        let numbers = start..count.min(start + BATCH);
        let events: Vec<_> =
            numbers.map(|number| event(number, origin.organization())).collect::<Result<_, _>>()?;
        let extension = extend(origin.clone(), (&mut frontier, latest), &events)
            .map_err(|id| format!("{id} has no salt"))?;
        latest = extension.latest;
        for (leaf, event) in extension.leaves.into_iter().zip(events) {
            let record = LeafRecord { leaf, event: Some(event) };
            serde_json::to_writer(&mut out, &LeafLine::from(&record))?;
            out.push(b'\n');
            let mut lines = Vec::new();
            above.push(record.leaf.hash, |stored| lines.push(stored));
            for stored in lines.iter().filter(|stored| stored.level > 0) {
                serde_json::to_writer(&mut out, &HashLine::from(stored))?;
                out.push(b'\n');
            }
        }
    }
    Ok((out, frontier.root()))
}

fn measure(count: u64) -> Result<(), Failure> {
    let organization = OrganizationId::from_uuid(Uuid::from_u128(1));
    let origin = LogOrigin::new("https://idp.example.com", organization)?;
    let (export, root) = export(count, &origin)?;
    let key = Key(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).map_err(|_| "no key")?);
    let verifier_key = VerifierKey::new(origin.name().clone(), key.public_key());
    let note = checkpoint::sign(Checkpoint { origin, size: count, root }, &key)?.note;
    let megabytes = export.len() / 1_000_000;
    println!("{count} events in {megabytes} MB");

    let start = Instant::now();
    black_box(Hash::of(black_box(&export)));
    let hashed = start.elapsed();

    let start = Instant::now();
    let mut checkpoints = Checkpoints::signed_by(verifier_key)?;
    checkpoints.add(note.as_bytes())?;
    let summary = verify(Verifier::new(checkpoints)?, &*export)??;
    let verified = start.elapsed();
    assert_eq!((summary.size, summary.covered), (count, count));

    #[expect(clippy::cast_precision_loss, reason = "it is shown with three digits")]
    let rate = count as f64 / verified.as_secs_f64();
    let ratio = verified.as_secs_f64() / hashed.as_secs_f64();
    println!("verified in {:.2} s: {rate:.0} events a second", verified.as_secs_f64());
    println!("SHA-256 of the same bytes in {:.2} s; ratio {ratio:.1}", hashed.as_secs_f64());
    Ok(())
}

fn main() -> Result<(), Failure> {
    let count = std::env::args().nth(1).map_or(Ok(1_000_000), |count| count.parse())?;
    measure(count)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_measured_verifies() {
        super::measure(300).unwrap();
    }
}
