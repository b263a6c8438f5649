//! Columns of leaves, and stored hashes.

use audit::{Hash, verify::Code};

use super::{
    super::{Expected, Log},
    Draw, Tampering,
    rows::{delete_stored, set_leaf, set_stored},
};

pub(super) fn hash(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.dice.within(0..draw.log.size());
    let other = draw.dice.flipped(*draw.log.leaf(position).hash.as_bytes());
    let expected = if position < draw.log.content_from() {
        draw.log.forked(position)
    } else {
        Expected::at(position, Code::LeafMismatch)
    };
    Tampering::new(expected, [set_leaf(draw.log.organization, position, "hash", other)])
}

pub(super) fn commitment(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let other = draw.dice.flipped(*draw.log.leaf(position).commitment.as_bytes());
    let is_open = draw.log.event(position).salt.is_some();
    let code = if is_open { Code::CommitmentMismatch } else { Code::LeafMismatch };
    let statement = set_leaf(draw.log.organization, position, "commitment", other);
    Tampering::new(Expected::at(position, code), [statement])
}

pub(super) fn flag(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let other = !draw.log.leaf(position).place.out_of_order;
    let statement = set_leaf(draw.log.organization, position, "out_of_order", other);
    Tampering::new(Expected::at(position, Code::LeafMismatch), [statement])
}

pub(super) fn event(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let (theirs, expected) = match draw.dice.within(0..4) {
        // An event of another organization is none of this one.
        0 => (draw.other.leaf(draw.other.content_from()).event, draw.log.gone(position)),
        1 => (kernel::EventId::from_uuid(draw.dice.id()), draw.log.gone(position)),
        _ => {
            let other = draw.with_content();
            let code = match draw.log.event(other).salt {
                _ if other == position => return None,
                _ if other < position => Code::EventDuplicate,
                Some(_) => Code::CommitmentMismatch,
                None => Code::LeafMismatch,
            };
            (draw.log.event(other).id, Expected::at(position, code))
        }
    };
    let statement = set_leaf(draw.log.organization, position, "event_id", theirs.uuid());
    Tampering::new(expected, [statement])
}

/// What is found where a stored hash is another, or is gone.
fn stored_is_wrong(index: u64) -> Expected {
    Expected::at(index * 256, Code::StoredHashMismatch)
}

pub(super) fn stored(draw: &mut Draw<'_>) -> Option<Tampering> {
    let stored = tree(draw.log);
    let stored = stored.get(usize::try_from(draw.dice.within(0..2)).ok()?)?;
    let other = Hash::from_bytes(draw.dice.flipped(*stored.hash.as_bytes()));
    let statement = set_stored(draw.log.organization, (stored.level, stored.index), other);
    Tampering::new(stored_is_wrong(stored.index), [statement])
}

pub(super) fn stored_less(draw: &mut Draw<'_>) -> Option<Tampering> {
    let stored = tree(draw.log);
    let stored = stored.get(usize::try_from(draw.dice.within(0..2)).ok()?)?;
    let statement = delete_stored(draw.log.organization, stored);
    Tampering::new(stored_is_wrong(stored.index), [statement])
}

pub(super) fn stored_swapped(draw: &mut Draw<'_>) -> Option<Tampering> {
    let stored = tree(draw.log);
    let (first, second) = (stored.first()?, stored.get(1)?);
    let organization = draw.log.organization;
    let statements = [
        set_stored(organization, (first.level, first.index), second.hash),
        set_stored(organization, (second.level, second.index), first.hash),
    ];
    Tampering::new(stored_is_wrong(0), statements)
}

fn tree(log: &Log) -> Vec<audit::merkle::StoredHash> {
    Log::forge(log.leaves.iter().map(|one| one.leaf.hash)).above
}
