//! What is erased before its time, and what is said about it.

use audit::verify::Code;
use serde_json::json;

use super::{
    super::{Expected, Log, Value, log::hashed},
    Draw, Statement, Tampering,
    rewrites::tree_with,
    rows::{
        delete_event, erase, erase_personal, rewrite_leaf, set_content, set_event, set_event_of,
        set_log, text,
    },
};

pub(super) fn content_in_the_midst(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let statement = erase(draw.log.event(position).id.uuid());
    Tampering::new(draw.log.gone(position), [statement])
}

/// A run from where content begins, with the log's row saying so or without.
pub(super) fn content_early(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (log, from) = (draw.log, draw.log.content_from());
    let until = draw.dice.within(from..log.size()) + 1;
    let mut statements: Vec<_> =
        (from..until).map(|position| erase(log.event(position).id.uuid())).collect();
    if draw.dice.coin() {
        statements.extend(raised(log, &["content_before", "content_erased"], until));
        let until = until.max(log.personal_from());
        statements.extend(raised(log, &["personal_data_before", "personal_data_erased"], until));
    }
    let says_so = log.announced().is_some_and(|position| (from..until).contains(&position));
    let first = if says_so { 0 } else { from };
    Tampering::new(Expected::at(first, Code::ContentMissing), statements)
}

fn raised(log: &Log, columns: &[&str], to: u64) -> Vec<Statement> {
    columns.iter().map(|column| set_log(log.organization, column, to)).collect()
}

pub(super) fn personal_in_the_midst(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_personal();
    let statement = erase_personal(draw.log.event(position).id.uuid());
    Tampering::new(Expected::at(position, Code::PersonalDataMissing), [statement])
}

pub(super) fn personal_early(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (log, from) = (draw.log, draw.log.personal_from());
    let until = draw.dice.within(from..log.size()) + 1;
    let mut statements: Vec<_> =
        (from..until).map(|position| erase_personal(log.event(position).id.uuid())).collect();
    if draw.dice.coin() {
        statements.extend(raised(log, &["personal_data_before", "personal_data_erased"], until));
    }
    Tampering::new(Expected::at(from, Code::PersonalDataMissing), statements)
}

pub(super) fn called_erased(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let statement = set_event(draw.log.event(position), "erased_at", 1_i64);
    Tampering::new(draw.log.gone(position), [statement])
}

/// What it hid stays: personal data that nothing was committed to, which no reader takes.
pub(super) fn salt(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_personal();
    let event = draw.log.event(position);
    let is_left = event.origin.address.is_some() || event.origin.user_agent.is_some();
    let expected = if is_left {
        draw.log.gone(position)
    } else {
        Expected::at(position, Code::PersonalDataMissing)
    };
    Tampering::new(expected, [set_event(event, "salt", Value::Null)])
}

pub(super) fn announcement_gone(draw: &mut Draw<'_>) -> Option<Tampering> {
    let id = draw.log.leaf(draw.log.announced()?).event.uuid();
    let statement = if draw.dice.coin() { delete_event(id) } else { erase(id) };
    Tampering::new(Expected::at(0, Code::ContentMissing), [statement])
}

/// What says what was erased, saying something else.
fn other_announcement(draw: &mut Draw<'_>) -> Option<(u64, audit::EventRecord)> {
    let position = draw.log.announced()?;
    let mut event = draw.log.event(position).clone();
    let content = draw.dice.within(0..position);
    if content == draw.log.content_from() {
        return None;
    }
    event.metadata.insert("contentBefore".to_owned(), json!(content));
    event.metadata.insert("personalDataBefore".to_owned(), json!(position));
    Some((position, event))
}

pub(super) fn announcement_edited(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (position, event) = other_announcement(draw)?;
    let statement = set_event(&event, "metadata", text(&event.metadata));
    Tampering::new(Expected::at(position, Code::LeafMismatch), [statement])
}

/// With its leaf and the tree over it, and with what it says erased.
pub(super) fn announcement_rewritten(draw: &mut Draw<'_>) -> Option<Tampering> {
    let (position, event) = other_announcement(draw)?;
    let log = draw.log;
    let leaf = hashed(log.leaf(position).clone(), &event);
    let (above, signed) = tree_with(draw, std::slice::from_ref(&leaf));
    let gone = (log.personal_from()..position).map(|at| erase_personal(log.event(at).id.uuid()));
    let statements = [set_content(event.id.uuid(), &event), rewrite_leaf(log.organization, &leaf)]
        .into_iter()
        .chain(gone)
        .chain(above)
        .chain([signed]);
    Tampering::new(Log::other_root(), statements)
}

/// Content of another event, where some was erased.
pub(super) fn content_put_back(draw: &mut Draw<'_>) -> Option<Tampering> {
    let log = draw.log;
    if log.content_from() == 0 {
        return None;
    }
    let position = draw.dice.within(0..log.content_from());
    let theirs = draw.with_content();
    let theirs = log.event(theirs);
    let is_open = theirs.salt.is_some();
    let code = if is_open { Code::CommitmentMismatch } else { Code::LeafMismatch };
    let statement = set_content(log.leaf(position).event.uuid(), theirs);
    Tampering::new(Expected::at(position, code), [statement])
}

/// Under a salt of its own.
pub(super) fn personal_put_back(draw: &mut Draw<'_>) -> Option<Tampering> {
    let log = draw.log;
    if log.personal_from() == log.content_from() {
        return None;
    }
    let position = draw.dice.within(log.content_from()..log.personal_from());
    let id = log.leaf(position).event.uuid();
    let salt = draw.dice.flipped([7; 32]);
    let statements = [set_event_of(id, "salt", salt), set_event_of(id, "address", "203.0.113.9")];
    Tampering::new(Expected::at(position, Code::CommitmentMismatch), statements)
}
