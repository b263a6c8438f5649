//! Rows that go, come, and change places.

use audit::{Action, EventRecord, Outcome, verify::Code};
use kernel::EventId;
use serde_json::json;

use super::{
    super::{Expected, Log, log::Forged},
    Draw, Tampering,
    rows::{
        add_event, add_leaf, delete_event, delete_leaf, rewrite_stored, set_content, set_event,
        set_leaf, set_signed, shift,
    },
};

pub(super) fn event_less(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let statement = delete_event(draw.log.event(position).id.uuid());
    Tampering::new(draw.log.gone(position), [statement])
}

/// What is found where a leaf is missing and those behind it stay where they are.
fn gap(log: &Log, position: u64) -> Expected {
    let is_last = position + 1 == log.size();
    let code = if is_last { Code::LogTruncated } else { Code::PositionUnexpected };
    Expected::at(position, code)
}

pub(super) fn leaf_less(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.dice.within(0..draw.log.size());
    let statement = delete_leaf(draw.log.organization, position);
    Tampering::new(gap(draw.log, position), [statement])
}

/// Each event goes with its leaf then, and the tree has a leaf less.
pub(super) fn closed_gap(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.dice.within(0..draw.log.size());
    let last = draw.log.size() - 1;
    let tile = position / 256 * 256;
    let expected = if tile + 256 <= last {
        Expected::at(tile, Code::StoredHashMismatch)
    } else {
        Expected::at(last, Code::LogTruncated)
    };
    Tampering::new(or_out_of_order(draw.log, position, expected), closing(draw.log, position))
}

/// The same by somebody who has the server's key too.
pub(super) fn closed_gap_signed(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (log, position) = (draw.log, draw.dice.within(0..draw.log.size()));
    let kept = log.leaves.iter().filter(|one| one.leaf.place.position != position);
    let forged = Log::forge(kept.map(|one| one.leaf.hash));
    let last = log.size() - 1;
    let statements = closing(log, position)
        .into_iter()
        .chain(rewrite_stored(log.organization, &forged))
        .chain([set_signed(log.organization, last, Some(log.note(&forged, draw.signer)))]);
    let expected = Expected::at(last, Code::LogTruncated);
    Tampering::new(or_out_of_order(log, position, expected), statements)
}

fn closing(log: &Log, position: u64) -> Vec<super::Statement> {
    vec![
        delete_event(log.leaf(position).event.uuid()),
        delete_leaf(log.organization, position),
        shift(log.organization, position, -1),
    ]
}

/// Where an event goes or changes places, those behind it may say wrongly whether they are out of
/// order.
fn or_out_of_order(log: &Log, from: u64, expected: Expected) -> Expected {
    expected.or(from..=log.size(), Code::OrderMisstated)
}

pub(super) fn event_moved(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let other = draw.other.organization.uuid();
    let statement = set_event(draw.log.event(position), "organization_id", other);
    Tampering::new(draw.log.gone(position), [statement])
}

/// To the end of the other log, with its event or without.
pub(super) fn leaf_moved(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.dice.within(0..draw.log.size());
    let (here, there) = (draw.log.organization, draw.other.organization);
    let mut leaf = draw.log.leaf(position).clone();
    leaf.place.position = draw.other.size();
    let mut statements = vec![delete_leaf(here, position), add_leaf(there, &leaf)];
    if let Some(event) = draw.log.record(position).event.as_ref().filter(|_| draw.dice.coin()) {
        statements.push(set_event(event, "organization_id", there.uuid()));
    }
    Tampering::new(gap(draw.log, position), statements)
}

/// Two positions at which content is there, and what is found at the first if the content of the
/// second stands there.
fn two_contents(draw: &mut Draw<'_>) -> Option<((u64, u64), Expected)> {
    let (first, second) = draw.dice.two(draw.log.content_from()..draw.log.size())?;
    let is_open = draw.log.event(second).salt.is_some();
    let code = if is_open { Code::CommitmentMismatch } else { Code::LeafMismatch };
    Some(((first, second), Expected::at(first, code)))
}

pub(super) fn contents_swapped(draw: &mut Draw<'_>) -> Option<Tampering> {
    let ((first, second), expected) = two_contents(draw)?;
    let (first, second) = (draw.log.event(first), draw.log.event(second));
    let statements = [set_content(first.id.uuid(), second), set_content(second.id.uuid(), first)];
    Tampering::new(expected, statements)
}

pub(super) fn ids_swapped(draw: &mut Draw<'_>) -> Option<Tampering> {
    let ((first, second), expected) = two_contents(draw)?;
    let (here, log) = (draw.log.organization, draw.log);
    let statements = [
        set_leaf(here, first, "event_id", log.event(second).id.uuid()),
        set_leaf(here, second, "event_id", log.event(first).id.uuid()),
    ];
    Tampering::new(expected, statements)
}

pub(super) fn positions_swapped(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (first, second) = draw.dice.two(draw.log.content_from()..draw.log.size())?;
    let away = 1_000_000;
    let statements = [(first, away), (second, first), (away, second)]
        .map(|(from, to)| set_leaf(draw.log.organization, from, "position", to));
    let expected = or_out_of_order(draw.log, first, draw.log.forked(first));
    // Where the first of the two says what was erased, it says less now, or nothing that was not true.
    Tampering::new(expected, statements)
}

/// Puts an event with its leaf in between, the rest one further, and the flags of those behind it as
/// true as they were.
fn inserted(draw: &Draw<'_>, position: u64, event: &EventRecord) -> Vec<super::Statement> {
    let here = draw.log.organization;
    vec![
        add_event(event),
        shift(here, position, 1),
        add_leaf(here, &draw.log.leaf_for(event, position)),
    ]
}

pub(super) fn doubled(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (of, position) = draw.dice.two(draw.log.personal_from()..draw.log.size())?;
    let mut event = draw.log.event(of).clone();
    event.id = EventId::from_uuid(draw.dice.id());
    if event.action == Action::LogTrimmed {
        return None;
    }
    Tampering::new(draw.log.forked(position), inserted(draw, position, &event))
}

/// The leaf too, as it is.
pub(super) fn doubled_id(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (of, position) = draw.dice.two(draw.log.content_from()..draw.log.size())?;
    let mut leaf = draw.log.leaf(of).clone();
    leaf.place.position = position;
    let here = draw.log.organization;
    let statements = [shift(here, position, 1), add_leaf(here, &leaf)];
    Tampering::new(Expected::at(position, Code::EventDuplicate), statements)
}

fn forgery(draw: &mut Draw<'_>, position: u64) -> EventRecord {
    let mut event = draw.log.event(position).clone();
    event.id = EventId::from_uuid(draw.dice.id());
    event.action = Action::CredentialGenerated;
    event.outcome = Outcome::Success;
    event.metadata.insert("forged".to_owned(), json!("Zoë's \"key\""));
    event
}

pub(super) fn forged(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_personal();
    let event = forgery(draw, position);
    Tampering::new(draw.log.forked(position), inserted(draw, position, &event))
}

/// Everything fits, and the checkpoint that left says that it is another log.
pub(super) fn forged_signed(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_personal();
    let event = forgery(draw, position);
    let log = draw.log;
    let mut hashes: Vec<_> = log.leaves.iter().map(|one| one.leaf.hash).collect();
    hashes.insert(usize::try_from(position).ok()?, log.leaf_for(&event, position).hash);
    let forged: Forged = Log::forge(hashes);
    let note = log.note(&forged, draw.signer);
    let statements = inserted(draw, position, &event)
        .into_iter()
        .chain(rewrite_stored(log.organization, &forged))
        .chain([set_signed(log.organization, log.size() + 1, Some(note))]);
    Tampering::new(Log::other_root(), statements)
}
