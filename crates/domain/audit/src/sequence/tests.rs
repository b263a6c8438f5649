//! Tests of giving places, and of what is found when leaves are read back before they are signed.

use kernel::{AgentId, CredentialId, OrganizationId, RequestId};
use proptest::prelude::*;
use tenancy::UserAgent;

use super::*;
use crate::{
    event::{Action, Outcome, Resource, ResourceKind},
    merkle::{Frontier, Hash, sample::MemoryTiles},
    sample::{at, bare_event, event, now, organization, origin, uuid},
};

fn events(count: u64) -> Vec<EventRecord> {
    let one = |number: u64| {
        let time = at(i64::try_from(number).unwrap());
        if number % 3 == 2 { bare_event(number, time) } else { event(number, time) }
    };
    (0..count).map(one).collect()
}

fn extended(events: &[EventRecord]) -> Extension {
    extend(origin(), (&mut Frontier::empty(), None), events).unwrap()
}

/// What a store holds after these events were given places.
fn stored(events: &[EventRecord]) -> Vec<LeafRecord> {
    let leaves = extended(events).leaves.into_iter().zip(events.iter().cloned());
    leaves.map(|(leaf, event)| LeafRecord { leaf, event: Some(event) }).collect()
}

fn reread(records: &[LeafRecord]) -> Result<Rehash, Breach> {
    let mut rehash = Rehash::behind(Frontier::empty(), None)?;
    records.iter().try_for_each(|record| rehash.push(record))?;
    Ok(rehash)
}

#[test]
fn what_was_extended_and_is_read_back_unchanged_is_signed_as_it_was_extended() {
    let events = events(600);
    let mut frontier = Frontier::empty();
    let extension = extend(origin(), (&mut frontier, None), &events).unwrap();
    assert_eq!((extension.size, extension.latest), (600, Some(at(599))));
    assert!(extension.leaves.iter().map(|leaf| leaf.place.position).eq(0..600));
    assert!(extension.leaves.iter().map(|leaf| leaf.event).eq(events.iter().map(|one| one.id)));
    let above: Vec<_> = extension.above.iter().map(|one| (one.level, one.index)).collect();
    assert_eq!(above, [(1, 0), (1, 1)]);
    let rehash = reread(&stored(&events)).unwrap();
    assert_eq!((rehash.size(), rehash.above()), (600, extension.above.as_slice()));
    let expected = Checkpoint { origin: origin(), size: 600, root: frontier.root() };
    assert_eq!(rehash.checkpoint(origin()), expected);
}

#[test]
fn an_extension_follows_only_what_was_taken_just_so() {
    let events = events(3);
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    let mut frontier = Frontier::empty();
    (0..2_u64).for_each(|number| frontier.push(leaf_hash(&number.to_be_bytes()), |_| ()));
    let extension = extend(origin(), (&mut frontier, None), &events).unwrap();
    assert_eq!(extension.follows(ids.iter().copied()), Some(2));
    let turned: Vec<_> = ids.iter().rev().copied().collect();
    for other in [&ids[..2], &ids[1..], &turned, &[]] {
        assert_eq!(extension.follows(other.iter().copied()), None, "{other:?}");
    }
    let too_small = Extension { size: 2, ..extension };
    assert_eq!(too_small.follows(ids), None);
}

#[test]
fn an_event_that_cannot_be_committed_to_is_named() {
    let mut events = events(3);
    events[1].salt = None;
    let refused = extend(origin(), (&mut Frontier::empty(), None), &events);
    assert_eq!(refused, Err(events[1].id));
}

#[test]
fn au_15_events_of_a_clock_that_was_set_back_keep_their_order_and_are_flagged() {
    let times = [0, 3_600, 0, 3_590, 3_589, 3_601, 1];
    let events: Vec<_> = (0..).zip(times).map(|(number, time)| event(number, at(time))).collect();
    let extension = extended(&events);
    let flags: Vec<_> = extension.leaves.iter().map(|leaf| leaf.place.out_of_order).collect();
    assert_eq!(flags, [false, false, true, false, true, false, true]);
    assert!(extension.leaves.iter().map(|leaf| leaf.event).eq(events.iter().map(|one| one.id)));
    assert_eq!(extension.latest, Some(at(3_601)), "the latest time never goes back");
    // An earlier turn counts too, and the flag is hashed.
    let later = [event(9, at(0))];
    let behind = extend(origin(), (&mut Frontier::empty(), Some(at(11))), &later).unwrap();
    let alone = extended(&later);
    assert!(behind.leaves[0].place.out_of_order && !alone.leaves[0].place.out_of_order);
    assert_eq!(behind.latest, Some(at(11)));
    assert_ne!(behind.leaves[0].hash, alone.leaves[0].hash);
}

type Edit = fn(&mut EventRecord);
type LeafEdit = fn(&mut Leaf);
type LogEdit = fn(&mut Vec<LeafRecord>);

/// One way to change each field of an event that has all of them.
const EDITS: [(&str, Edit); 21] = [
    ("id", |event| event.id = EventId::from_uuid(uuid(77))),
    ("organization", |event| event.organization = OrganizationId::from_uuid(uuid(78))),
    ("agent", |event| event.agent = Some(AgentId::from_uuid(uuid(79)))),
    ("no agent", |event| event.agent = None),
    ("action", |event| event.action = Action::TokenIssued),
    ("outcome", |event| event.outcome = Outcome::Success),
    ("resource id", |event| of(event).id.push('x')),
    ("resource kind", |event| of(event).kind = ResourceKind::Token),
    ("no resource", |event| event.resource = None),
    ("request", |event| event.origin.request = RequestId::parse("request-2").unwrap()),
    ("address", |event| event.origin.address = Some("192.0.2.8".parse().unwrap())),
    ("no address", |event| event.origin.address = None),
    ("user agent", |event| event.origin.user_agent = UserAgent::new("curl/9")),
    ("no user agent", |event| event.origin.user_agent = None),
    ("salt", |event| event.salt = Some([8; 32])),
    ("no salt", |event| event.salt = None),
    ("credential", |event| event.used = Some(CredentialId::from_uuid(uuid(80)))),
    ("no credential", |event| event.used = None),
    ("metadata", |event| drop(event.metadata.insert("number".to_owned(), 4.into()))),
    ("no metadata", |event| event.metadata.clear()),
    ("time", |event| event.timestamp = event.timestamp.plus(std::time::Duration::from_micros(1))),
];

fn of(event: &mut EventRecord) -> &mut Resource {
    event.resource.as_mut().unwrap()
}

#[test]
fn au_04_an_event_of_which_any_field_was_edited_is_not_signed() {
    for (what, edit) in EDITS {
        let mut records = stored(&events(5));
        edit(records[3].event.as_mut().unwrap());
        assert_eq!(reread(&records).unwrap_err(), Breach::Leaf { position: 3 }, "{what}");
    }
}

#[test]
fn au_04_an_event_that_says_little_and_was_made_to_say_more_is_not_signed() {
    let edits: [(&str, Edit); 5] = [
        ("agent", |event| event.agent = Some(AgentId::from_uuid(uuid(2)))),
        ("resource", |event| event.resource = Some(organization().into())),
        ("credential", |event| event.used = Some(CredentialId::from_uuid(uuid(3)))),
        ("address", |event| event.origin.address = Some("::1".parse().unwrap())),
        ("metadata", |event| drop(event.metadata.insert(String::new(), "".into()))),
    ];
    for (what, edit) in edits {
        let mut records = stored(&events(5));
        edit(records[2].event.as_mut().unwrap());
        assert_eq!(reread(&records).unwrap_err(), Breach::Leaf { position: 2 }, "{what}");
    }
}

#[test]
fn au_14_a_leaf_of_which_any_column_was_changed_is_pinpointed() {
    let edits: [(&str, LeafEdit, Breach); 5] = [
        ("place", |leaf| leaf.place.position += 1, Breach::Gap { position: 3 }),
        ("order", |leaf| leaf.place.out_of_order = true, Breach::Leaf { position: 3 }),
        ("event", |leaf| leaf.event = EventId::from_uuid(uuid(5)), Breach::Leaf { position: 3 }),
        ("commitment", |leaf| leaf.commitment = Hash::of(b"x"), Breach::Leaf { position: 3 }),
        ("hash", |leaf| leaf.hash = Hash::of(b"x"), Breach::Leaf { position: 3 }),
    ];
    for (what, edit, breach) in edits {
        let mut records = stored(&events(5));
        edit(&mut records[3].leaf);
        assert_eq!(reread(&records).unwrap_err(), breach, "{what}");
    }
}

#[test]
fn au_04_leaves_that_are_gone_moved_or_doubled_are_not_signed() {
    let whole = stored(&events(6));
    let edits: [(&str, LogEdit, Breach); 6] = [
        ("removed", |all| drop(all.remove(3)), Breach::Gap { position: 3 }),
        ("swapped", |all| all.swap(3, 4), Breach::Gap { position: 3 }),
        ("doubled", |all| all.insert(3, all[2].clone()), Breach::Gap { position: 3 }),
        ("first gone", |all| drop(all.remove(0)), Breach::Gap { position: 0 }),
        ("content gone", |all| all[3].event = None, Breach::Content { position: 3 }),
        (
            "contents swapped",
            |all| {
                let event = all[3].event.take();
                all[3].event = all[4].event.replace(event.unwrap());
            },
            Breach::Leaf { position: 3 },
        ),
    ];
    for (what, edit, breach) in edits {
        let mut records = whole.clone();
        edit(&mut records);
        assert_eq!(reread(&records).unwrap_err(), breach, "{what}");
    }
}

/// Two leaves that changed places, positions and all: each is whole, and hashes to what it did.
#[test]
fn au_04_leaves_that_were_signed_and_then_moved_lead_to_another_root() {
    let events = events(6);
    let signed = reread(&stored(&events)).unwrap().checkpoint(origin());
    let mut moved = events;
    moved.swap(3, 4);
    let rehash = reread(&stored(&moved)).unwrap();
    assert_ne!(rehash.checkpoint(origin()).root, signed.root);
    let mut frontier = Frontier::empty();
    extend(origin(), (&mut frontier, None), &moved).unwrap();
    let refused = Rehash::behind(frontier, Some(&signed));
    assert_eq!(refused.unwrap_err(), Breach::Rewritten { size: 6 });
}

#[test]
fn au_07_another_frontier_than_the_one_that_was_signed_is_not_built_on() {
    let events = events(6);
    let signed = reread(&stored(&events)).unwrap().checkpoint(origin());
    let mut frontier = Frontier::empty();
    extend(origin(), (&mut frontier, None), &events[..5]).unwrap();
    let shorter = Rehash::behind(frontier.clone(), Some(&signed));
    assert_eq!(shorter.unwrap_err(), Breach::Rewritten { size: 6 });
    extend(origin(), (&mut frontier, None), &events[5..]).unwrap();
    let rehash = Rehash::behind(frontier, Some(&signed)).unwrap();
    assert_eq!(rehash.checkpoint(origin()), signed);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn events_get_the_same_places_in_turns_of_any_length(
        cuts in prop::collection::vec(0_usize..300, 0..6),
        seconds in prop::collection::vec(0_i64..40, 300),
    ) {
        let events: Vec<_> =
            (0..).zip(seconds).map(|(number, time)| event(number, at(time))).collect();
        let whole = extended(&events);
        let mut cuts: Vec<usize> = cuts.into_iter().chain([0, 300]).collect();
        cuts.sort_unstable();
        let (mut frontier, mut latest) = (Frontier::empty(), None);
        let (mut leaves, mut above) = (Vec::new(), Vec::new());
        for cut in cuts.windows(2) {
            let bite = &events[cut[0]..cut[1]];
            let extension = extend(origin(), (&mut frontier, latest), bite).unwrap();
            prop_assert_eq!(extension.size, cut[1] as u64);
            latest = extension.latest;
            leaves.extend(extension.leaves);
            above.extend(extension.above);
        }
        prop_assert_eq!((leaves, above, latest), (whole.leaves, whole.above, whole.latest));
    }

    #[test]
    fn au_14_any_bit_of_a_leaf_that_is_flipped_is_pinpointed(
        position in 0_usize..20,
        bit in 0_usize..256,
        of_hash in any::<bool>(),
    ) {
        let mut records = stored(&events(20));
        let leaf = &mut records[position].leaf;
        let hash = if of_hash { &mut leaf.hash } else { &mut leaf.commitment };
        let mut bytes = *hash.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        *hash = Hash::from_bytes(bytes);
        let breach = Breach::Leaf { position: position as u64 };
        prop_assert_eq!(reread(&records).unwrap_err(), breach);
    }

    /// Of what was signed before, signing reads the right edge: any bit of it that is flipped is found.
    #[test]
    fn au_14_any_bit_of_the_edge_that_is_flipped_is_found(
        size in 1_u64..1_200,
        which in any::<prop::sample::Index>(),
        bit in 0_usize..256,
    ) {
        let leaves = (0..size).map(|number| leaf_hash(&number.to_be_bytes()));
        let mut tiles = MemoryTiles::of(leaves);
        let signed = Checkpoint { origin: origin(), size, root: tiles.frontier.root() };
        let mut edge = Vec::new();
        for (level, row) in tiles.levels.iter().enumerate() {
            edge.extend((row.len() / 256 * 256..row.len()).map(|at| (level, at)));
        }
        let (level, at) = edge[which.index(edge.len())];
        let mut bytes = *tiles.levels[level][at].as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        tiles.levels[level][at] = Hash::from_bytes(bytes);
        let frontier = now(Frontier::load(&mut tiles, size)).unwrap();
        let refused = Rehash::behind(frontier, Some(&signed));
        prop_assert_eq!(refused.unwrap_err(), Breach::Rewritten { size });
    }
}
