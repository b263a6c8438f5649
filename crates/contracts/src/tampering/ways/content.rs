//! One column of one event.

use audit::{Action, EventRecord, Outcome, ResourceKind, verify::Code};
use kernel::{AgentId, CredentialId};
use serde_json::{Map, Value as Json, json};
use tenancy::UserAgent;

use super::{
    super::{Expected, Value},
    Draw, Tampering,
    rows::{add_event, set_event, set_leaf, text},
};

/// How many leaves an export reads at a time.
const PAGE: u64 = 500;

/// A column that is hashed, set to something that it was not.
fn edited(
    draw: &mut Draw<'_>,
    column: &str,
    other: impl FnOnce(&mut Draw<'_>, &EventRecord) -> Option<Value>,
) -> Option<Tampering> {
    let position = draw.with_content();
    let event = draw.log.event(position);
    let value = other(draw, event)?;
    let expected = Expected::at(position, Code::LeafMismatch);
    Tampering::new(expected, [set_event(event, column, value)])
}

/// A column that makes an event unreadable. It is exported as one whose content is gone.
fn unreadable(draw: &mut Draw<'_>, column: &str, value: &str) -> Option<Tampering> {
    let position = draw.with_content();
    let statement = set_event(draw.log.event(position), column, value);
    Tampering::new(draw.log.gone(position), [statement])
}

pub(super) fn action(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "action", |draw, event| {
        let others: Vec<_> = Action::ALL.iter().filter(|one| **one != event.action).collect();
        Some(draw.dice.pick(&others).name().into())
    })
}

pub(super) fn unknown_action(draw: &mut Draw<'_>) -> Option<Tampering> {
    let action = *draw.dice.pick(&["agent.exploded", "", "AGENT.CREATED", "agent.created "]);
    unreadable(draw, "action", action)
}

pub(super) fn outcome(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "outcome", |_, event| {
        let other = match event.outcome {
            Outcome::Success => Outcome::Failure,
            Outcome::Failure => Outcome::Success,
        };
        Some(other.name().into())
    })
}

pub(super) fn agent(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "agent_id", |draw, event| {
        if event.agent.is_some() && draw.dice.coin() {
            return Some(Value::Null);
        }
        // The agent of another event, or one of nobody.
        let position = draw.with_content();
        let theirs = draw.log.event(position).agent.filter(|agent| event.agent != Some(*agent));
        Some(theirs.map_or_else(|| draw.dice.id(), AgentId::uuid).into())
    })
}

pub(super) fn resource_kind(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "resource_kind", |draw, event| {
        let kind = event.resource.as_ref()?.kind;
        let others: Vec<_> = ResourceKind::ALL.iter().filter(|one| **one != kind).collect();
        Some(draw.dice.pick(&others).name().into())
    })
}

pub(super) fn resource(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "resource_id", |draw, event| {
        let id = &event.resource.as_ref()?.id;
        Some(
            draw.dice
                .pick(&[format!("{id} "), String::new(), id.replace('a', "b")])
                .as_str()
                .into(),
        )
        .filter(|value| *value != Value::from(id.as_str()))
    })
}

pub(super) fn no_resource(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let event = draw.log.event(position);
    let values = match event.resource {
        Some(_) => [Value::Null, Value::Null],
        None => ["route".into(), "/".into()],
    };
    let columns = ["resource_kind", "resource_id"].into_iter().zip(values);
    let statements = columns.map(|(column, value)| set_event(event, column, value));
    Tampering::new(Expected::at(position, Code::LeafMismatch), statements)
}

pub(super) fn request(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "request_id", |draw, event| {
        let other = format!("request-{}", draw.dice.number());
        (event.origin.request.as_str() != other).then(|| other.into())
    })
}

pub(super) fn address(draw: &mut Draw<'_>) -> Option<Tampering> {
    let last = draw.dice.within(0..250);
    let other = if draw.dice.coin() {
        format!("198.51.100.{last}")
    } else {
        format!("2001:db8:ffff::{last:x}")
    };
    personal(draw, "address", |event| event.origin.address.is_some(), &other)
}

pub(super) fn user_agent(draw: &mut Draw<'_>) -> Option<Tampering> {
    let other = format!("curl/{}.é", draw.dice.within(10..90));
    let there = |event: &EventRecord| event.origin.user_agent.is_some();
    personal(draw, "user_agent", there, &other)
}

/// Personal data, set to something else or taken away. Where it was erased nothing says whether it is
/// true, and no reader takes it.
fn personal(
    draw: &mut Draw<'_>,
    column: &str,
    is_there: fn(&EventRecord) -> bool,
    other: &str,
) -> Option<Tampering> {
    let position = draw.with_content();
    let event = draw.log.event(position);
    let value = if is_there(event) && draw.dice.coin() { Value::Null } else { Value::from(other) };
    let expected = match event.salt {
        Some(_) => Expected::at(position, Code::CommitmentMismatch),
        None => draw.log.gone(position),
    };
    debug_assert_ne!(event.origin.user_agent.as_ref().map(UserAgent::as_str), Some(other));
    Tampering::new(expected, [set_event(event, column, value)])
}

pub(super) fn credential(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "used_credential_id", |draw, event| {
        if event.used.is_some() && draw.dice.coin() {
            return Some(Value::Null);
        }
        let other = CredentialId::from_uuid(draw.dice.id());
        Some(other.uuid().into())
    })
}

/// The metadata, with one change.
fn metadata(
    draw: &mut Draw<'_>,
    change: impl FnOnce(&mut Draw<'_>, &mut Map<String, Json>) -> Option<()>,
) -> Option<Tampering> {
    edited(draw, "metadata", |draw, event| {
        let mut other = event.metadata.clone();
        change(draw, &mut other)?;
        Some(text(&other).into())
    })
}

fn some_name(draw: &mut Draw<'_>, metadata: &Map<String, Json>) -> Option<String> {
    let names: Vec<_> = metadata.keys().cloned().collect();
    (!names.is_empty()).then(|| draw.dice.pick(&names).clone())
}

pub(super) fn metadata_value(draw: &mut Draw<'_>) -> Option<Tampering> {
    metadata(draw, |draw, metadata| {
        let name = some_name(draw, metadata)?;
        let number = draw.dice.within(0..1_000_000);
        let values = [json!(number), json!(format!("✓ {number}")), json!({ "n": [number] })];
        let other = draw.dice.pick(&values).clone();
        let before = metadata.insert(name, other.clone());
        (before != Some(other)).then_some(())
    })
}

pub(super) fn metadata_more(draw: &mut Draw<'_>) -> Option<Tampering> {
    metadata(draw, |draw, metadata| {
        let values = [json!(null), json!(""), json!(false), json!("漢字"), json!([])];
        let name = draw.dice.pick(&["", "new", "été", "\u{10ffff}"]);
        metadata.insert((*name).to_owned(), draw.dice.pick(&values).clone()).is_none().then_some(())
    })
}

pub(super) fn metadata_less(draw: &mut Draw<'_>) -> Option<Tampering> {
    metadata(draw, |draw, metadata| {
        let name = some_name(draw, metadata)?;
        metadata.remove(&name).map(drop)
    })
}

pub(super) fn metadata_unreadable(draw: &mut Draw<'_>) -> Option<Tampering> {
    let value = *draw.dice.pick(&["[]", "null", "1"]);
    unreadable(draw, "metadata", value)
}

pub(super) fn time(draw: &mut Draw<'_>) -> Option<Tampering> {
    edited(draw, "occurred_at", |draw, event| {
        let by = *draw.dice.pick(&[1, 1_000, 10_000_001, 3_600_000_000, 864_000_000_000]);
        let before = event.timestamp.unix_micros();
        Some(if draw.dice.coin() { before + by } else { before - by }.into())
    })
}

pub(super) fn salt(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_personal();
    let event = draw.log.event(position);
    let other = draw.dice.flipped(event.salt.unwrap());
    let expected = Expected::at(position, Code::CommitmentMismatch);
    Tampering::new(expected, [set_event(event, "salt", other)])
}

pub(super) fn id(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let (event, other) = (draw.log.event(position), draw.dice.id());
    let statements = [
        set_event(event, "id", other),
        set_leaf(draw.log.organization, position, "event_id", other),
    ];
    Tampering::new(Expected::at(position, Code::LeafMismatch), statements)
}

pub(super) fn id_alone(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let other = draw.dice.id();
    let statement = set_event(draw.log.event(position), "id", other);
    Tampering::new(draw.log.gone(position), [statement])
}

/// Either of the two rows may be the first that is read. The last event of a page would hide the
/// second.
pub(super) fn second_row(draw: &mut Draw<'_>) -> Option<Tampering> {
    let position = draw.with_content();
    let mut other = draw.log.event(position).clone();
    other.outcome = match other.outcome {
        Outcome::Success => Outcome::Failure,
        Outcome::Failure => Outcome::Success,
    };
    let next = position + 1;
    let expected =
        Expected::at(position, Code::LeafMismatch).or(next..=next, Code::PositionUnexpected);
    let is_shown = next < draw.log.size() && !next.is_multiple_of(PAGE);
    is_shown.then(|| Tampering::new(expected, [add_event(&other)]))?
}
