//! What is written anew so that it fits together.

use audit::{EventRecord, Outcome, sequence::Leaf, verify::Code};
use kernel::EventId;
use serde_json::json;
use tenancy::UserAgent;

use super::{
    super::{Expected, Log, log::hashed},
    Draw, Statement, Tampering,
    rows::{rewrite_leaf, rewrite_stored, set_content, set_event, set_signed},
};
use crate::sample::KnownKey;

/// The same event, with another content.
pub(super) fn other_content(draw: &mut Draw<'_>, event: &EventRecord) -> EventRecord {
    let mut other = event.clone();
    match draw.dice.within(0..4) {
        0 => {
            other.outcome = match other.outcome {
                Outcome::Success => Outcome::Failure,
                Outcome::Failure => Outcome::Success,
            };
        }
        1 if other.agent.is_some() => other.agent = None,
        2 if other.salt.is_some() => {
            other.origin.user_agent = UserAgent::new(&format!("other/{}", draw.dice.number()));
        }
        _ => {
            other.metadata.insert("rewritten".to_owned(), json!(draw.dice.within(0..1_000_000)));
        }
    }
    other
}

/// An event with another content and the leaf that goes with it.
fn rewritten(draw: &mut Draw<'_>, position: u64) -> (EventRecord, Leaf) {
    let event = other_content(draw, draw.log.event(position));
    let leaf = hashed(draw.log.leaf(position).clone(), &event);
    (event, leaf)
}

fn statements(log: &Log, rewritten: &[(EventRecord, Leaf)]) -> Vec<Statement> {
    let both = |(event, leaf): &(EventRecord, Leaf)| {
        [set_content(event.id.uuid(), event), rewrite_leaf(log.organization, leaf)]
    };
    rewritten.iter().flat_map(both).collect()
}

/// The whole tree with these leaves, and a checkpoint over it.
pub(super) fn tree_with(draw: &mut Draw<'_>, rewritten: &[Leaf]) -> (Vec<Statement>, Statement) {
    let log = draw.log;
    let mut hashes: Vec<_> = log.leaves.iter().map(|one| one.leaf.hash).collect();
    for leaf in rewritten {
        hashes[usize::try_from(leaf.place.position).unwrap()] = leaf.hash;
    }
    let forged = Log::forge(hashes);
    let note = match draw.dice.within(0..3) {
        0 => log.note(&forged, &KnownKey::new(9)),
        _ => log.note(&forged, draw.signer),
    };
    let here = log.organization;
    (rewrite_stored(here, &forged), set_signed(here, log.size(), Some(note)))
}

pub(super) fn leaf(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let rewritten = [rewritten(draw, position)];
    Tampering::new(draw.log.forked(position), statements(draw.log, &rewritten))
}

pub(super) fn tree(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let (event, leaf) = rewritten(draw, position);
    let (above, _) = tree_with(draw, std::slice::from_ref(&leaf));
    let statements = statements(draw.log, &[(event, leaf)]);
    Tampering::new(Log::other_root(), statements.into_iter().chain(above))
}

pub(super) fn signed(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let (event, leaf) = rewritten(draw, position);
    let (above, signed) = tree_with(draw, std::slice::from_ref(&leaf));
    let statements = statements(draw.log, &[(event, leaf)]);
    Tampering::new(Log::other_root(), statements.into_iter().chain(above).chain([signed]))
}

pub(super) fn everything(draw: &mut Draw<'_>) -> Option<Tampering> {
    let from = draw.with_content();
    let all: Vec<_> = (from..draw.log.size()).map(|position| rewritten(draw, position)).collect();
    let leaves: Vec<_> = all.iter().map(|(_, leaf)| leaf.clone()).collect();
    let (above, signed) = tree_with(draw, &leaves);
    let statements = statements(draw.log, &all);
    Tampering::new(Log::other_root(), statements.into_iter().chain(above).chain([signed]))
}

/// Behind content that was erased, an event may be out of order for a reason that nobody sees.
pub(super) fn flag(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let mut leaf = draw.log.leaf(position).clone();
    leaf.place.out_of_order = !leaf.place.out_of_order;
    let is_free = leaf.place.out_of_order && draw.log.content_from() > 0;
    let leaf = hashed(leaf, draw.log.event(position));
    let expected = if is_free {
        draw.log.forked(position)
    } else {
        Expected::at(position, Code::OrderMisstated)
    };
    Tampering::new(expected, [rewrite_leaf(draw.log.organization, &leaf)])
}

pub(super) fn id(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let before = draw.log.event(position);
    let mut event = before.clone();
    event.id = EventId::from_uuid(draw.dice.id());
    let leaf = hashed(draw.log.leaf(position).clone(), &event);
    let statements =
        [set_event(before, "id", event.id.uuid()), rewrite_leaf(draw.log.organization, &leaf)];
    Tampering::new(draw.log.forked(position), statements)
}
