//! A log in memory: events get their places, a checkpoint is signed, and whoever holds it finds a forgery.

use audit::{
    Action, CheckpointSigner, EventRecord, LogOrigin, Outcome, VerifierKey,
    checkpoint::{self, Checkpoint, SigningFailed},
    export::LeafLine,
    merkle::Frontier,
    sequence::{LeafRecord, extend},
    verify::{Checkpoints, Finding, Verifier, verify},
};
use kernel::{Entropy, EntropyUnavailable, EventId, OrganizationId, RequestId, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::Map;
use tenancy::Origin;

type Failure = Box<dyn std::error::Error>;

struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(self.0);
        Ok(())
    }
}

struct Key(Ed25519KeyPair);

impl CheckpointSigner for Key {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap_or_default()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        self.0.sign(bytes).as_ref().try_into().map_err(|_| SigningFailed)
    }
}

fn event(number: u8, organization: OrganizationId, at: Timestamp) -> Result<EventRecord, Failure> {
    Ok(EventRecord {
        id: EventId::generate(at, &Fixed(number))?,
        organization,
        agent: None,
        action: Action::AgentSuspended,
        outcome: Outcome::Success,
        resource: None,
        origin: Origin { request: RequestId::internal(), address: None, user_agent: None },
        // In earnest: 32 bytes of randomness for each event.
        salt: Some([number; 32]),
        used: None,
        metadata: Map::new(),
        timestamp: at,
    })
}

/// What an outsider finds, who has the key and kept a checkpoint.
fn found(export: &str, note: &str, key: VerifierKey) -> Result<Option<Finding>, Failure> {
    let mut checkpoints = Checkpoints::signed_by(key)?;
    checkpoints.add(note.as_bytes())?;
    Ok(verify(Verifier::new(checkpoints)?, export.as_bytes())?.err())
}

fn main() -> Result<(), Failure> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let organization = OrganizationId::generate(now, &Fixed(7))?;
    let origin = LogOrigin::new("https://idp.example.com", organization)?;
    let key = Key(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).map_err(|_| "no key")?);

    // A store keeps the frontier and the greatest time from one turn to the next.
    let mut frontier = Frontier::empty();
    let events: Vec<_> =
        (0..3).map(|number| event(number, organization, now)).collect::<Result<_, _>>()?;
    let extension = extend(origin.clone(), (&mut frontier, None), &events)
        .map_err(|id| format!("{id} has no salt"))?;
    let checkpoint = Checkpoint { origin, size: extension.size, root: frontier.root() };
    let (name, note) = (checkpoint.origin.name().clone(), checkpoint::sign(checkpoint, &key)?.note);

    // After each 256 events stand the stored hashes of higher levels too, `extension.above`.
    let mut export = String::new();
    for (leaf, event) in extension.leaves.into_iter().zip(events) {
        let line = LeafLine::from(&LeafRecord { leaf, event: Some(event) });
        export += &(serde_json::to_string(&line)? + "\n");
    }

    let verifier_key = VerifierKey::new(name, key.public_key());
    assert_eq!(found(&export, &note, verifier_key.clone())?, None);
    let forged = export.replacen("agent.suspended", "agent.reactivated", 1);
    let finding = found(&forged, &note, verifier_key)?.ok_or("a forgery was not found")?;
    assert_eq!(finding.to_string(), "position 0: leaf-mismatch");
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs() {
        super::main().unwrap();
    }
}
