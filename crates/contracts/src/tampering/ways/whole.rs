//! The end of a log, and all of it.

use audit::{EventRecord, sequence::Leaf, verify::Code};
use kernel::EventId;
use serde_json::json;

use super::{
    super::{Expected, Log},
    Draw, Stage, Statement, Tampering,
    rows::{add_event, add_leaf, delete_event, delete_leaves, rewrite_stored, set_signed},
};

/// What is found where a log ends here.
fn cut(position: u64) -> Expected {
    Expected::at(position, Code::LogTruncated)
}

/// A checkpoint of this size, as the log had it.
fn checkpoint_of(draw: &Draw<'_>, size: u64) -> Statement {
    let leaves = draw.log.leaves.iter().take(usize::try_from(size).unwrap());
    let forged = Log::forge(leaves.map(|one| one.leaf.hash));
    let note = (size > 0).then(|| draw.log.note(&forged, draw.signer));
    set_signed(draw.log.organization, size, note)
}

/// Events, leaves, stored hashes and the checkpoint: the log that it once was.
pub(super) fn tail_less(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (log, size) = (draw.log, draw.dice.within(0..draw.log.size()));
    let kept = log.leaves.iter().take(usize::try_from(size).ok()?);
    let forged = Log::forge(kept.map(|one| one.leaf.hash));
    let events = (size..log.size()).map(|position| delete_event(log.leaf(position).event.uuid()));
    let statements = events
        .chain([delete_leaves(log.organization, size)])
        .chain(rewrite_stored(log.organization, &forged))
        .chain([checkpoint_of(draw, size)]);
    Tampering::new(cut(size), statements)
}

pub(super) fn leaves_less(draw: &mut Draw<'_>) -> Option<Tampering> {
    let size = draw.dice.within(0..draw.log.size());
    Tampering::new(cut(size), [delete_leaves(draw.log.organization, size)])
}

pub(super) fn older_checkpoint(draw: &mut Draw<'_>) -> Option<Tampering> {
    let size = draw.dice.within(0..draw.log.size());
    Tampering::new(cut(size), [checkpoint_of(draw, size)])
}

/// Other events from here to the end and some more.
fn tail_from(draw: &mut Draw<'_>, from: u64) -> Vec<(EventRecord, Leaf)> {
    let end = draw.log.size() + draw.dice.within(0..3);
    let model = draw.log.event(draw.log.size() - 1).clone();
    let later = model.timestamp.max(draw.log.latest_before(draw.log.size()).unwrap());
    let one = |position: u64| {
        let mut event = model.clone();
        event.id = EventId::from_uuid(draw.dice.id());
        // At the time of the latest, no event is out of order.
        event.timestamp = later;
        event.metadata.insert("other".to_owned(), json!(position));
        let leaf = draw.log.leaf_for(&event, position);
        (event, leaf)
    };
    (from..end).map(one).collect()
}

/// The statements that put other events behind a log that ends here.
fn continued(draw: &mut Draw<'_>, from: u64) -> Vec<Statement> {
    let tail = tail_from(draw, from);
    let log = draw.log;
    let kept = log.leaves.iter().take(usize::try_from(from).unwrap()).map(|one| one.leaf.hash);
    let forged = Log::forge(kept.chain(tail.iter().map(|(_, leaf)| leaf.hash)));
    let note = log.note(&forged, draw.signer);
    let here = log.organization;
    let rows = tail.iter().flat_map(|(event, leaf)| [add_event(event), add_leaf(here, leaf)]);
    rows.chain(rewrite_stored(here, &forged))
        .chain([set_signed(here, forged.frontier.size(), Some(note))])
        .collect()
}

pub(super) fn another_tail(draw: &mut Draw<'_>) -> Option<Tampering> {
    // Not what says what was erased: without it that would be found first, and rightly.
    let from = draw.log.announced().map_or(0, |position| position + 1);
    let from = draw.dice.within(from..draw.log.size());
    let rest = continued(draw, from);
    let cut = [delete_leaves(draw.log.organization, from)];
    Tampering::new(Log::other_root(), cut.into_iter().chain(rest))
}

pub(super) fn older_copy(draw: &mut Draw<'_>) -> Option<Tampering> {
    let expected = cut(draw.log.older.signed_size());
    Some(Tampering { stage: Stage::Older, statements: Vec::new(), expected })
}

/// A server that goes on with an older copy, and that nothing outside holds back.
pub(super) fn older_copy_continued(draw: &mut Draw<'_>) -> Option<Tampering> {
    let statements = continued(draw, draw.log.older.signed_size());
    Some(Tampering { stage: Stage::Older, statements, expected: Log::other_root() })
}
