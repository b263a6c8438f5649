//! When a copy is found, and when none is.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use audit::{ChangeListener, Changed, News, Resource, ResourceKind};

use super::{
    Known,
    sample::{One, State, at, id, large_texts},
};
use crate::authenticate::Parties;

fn nothing_new() -> News {
    News::Changes(Vec::new())
}

#[test]
fn what_was_read_once_is_found_until_it_changes() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.copied(&known);
    assert_eq!(one.look_up(&known), Ok(State::FIRST));
    for resource in [one.organization.into(), one.agent.into(), one.credential.into()] {
        let resource: Resource = resource;
        assert!(known.client(one.agent, one.credential, at(0)).is_ok());
        known.changed(&[one.changed(resource.clone())]);
        assert!(!one.is_copied(&known), "{resource:?}");
        assert!(known.client(one.agent, one.credential, at(0)).is_err(), "{resource:?}");
        one.copied(&known);
    }
    known.changed(&[one.changed(one.token)]);
    assert!(!one.is_copied(&known));
    assert!(known.client(one.agent, one.credential, at(0)).is_ok());
}

#[test]
fn a_change_leaves_the_copies_of_others_alone() {
    let known = Known::alone();
    let [one, other] = [1, 2].map(One::numbered);
    one.copied(&known);
    other.copied(&known);
    known.changed(&[one.changed(one.agent), one.changed(one.credential), one.changed(one.token)]);
    assert!(!one.is_copied(&known));
    assert!(other.is_copied(&known));
}

#[test]
fn what_was_read_before_a_change_was_told_is_not_put_in() {
    let (known, one) = (Known::alone(), One::numbered(1));
    for resource in [Resource::from(one.agent), one.credential.into(), one.token.into()] {
        let ticket = one.look_up(&known).unwrap_err();
        known.changed(&[one.changed(resource.clone())]);
        one.keep(&known, ticket, State::FIRST);
        assert!(!one.is_copied(&known), "{resource:?}");
        known.learn(at(0), &News::Unknown);
    }
    let ticket = one.look_up(&known).unwrap_err();
    known.learn(at(0), &News::Unknown);
    one.keep(&known, ticket, State::FIRST);
    assert!(!one.is_copied(&known));
}

#[test]
fn news_of_nothing_and_changes_of_others_keep_nobody_from_being_copied() {
    let (known, one) = (Known::alone(), One::numbered(1));
    let ticket = one.look_up(&known).unwrap_err();
    known.learn(at(0), &nothing_new());
    known.changed(&[]);
    let route = Resource { kind: ResourceKind::Route, id: "getAgent".to_owned() };
    let key = Resource { kind: ResourceKind::SigningKey, id: "a key".to_owned() };
    known.changed(&[one.changed(route), one.changed(key), one.changed(One::numbered(2).agent)]);
    one.keep(&known, ticket, State::FIRST);
    assert!(one.is_copied(&known));
}

#[test]
fn a_change_that_cannot_be_read_ends_every_copy() {
    for kind in [
        ResourceKind::Organization,
        ResourceKind::Agent,
        ResourceKind::Credential,
        ResourceKind::Token,
    ] {
        let (known, one) = (Known::alone(), One::numbered(1));
        one.copied(&known);
        let ticket = One::numbered(2).look_up(&known).unwrap_err();
        known.changed(&[one.changed(Resource { kind, id: "no id".to_owned() })]);
        One::numbered(2).keep(&known, ticket, State::FIRST);
        assert_eq!(known.tally().entries, 1, "{kind:?}: all but where the one belongs");
        assert!(!one.is_copied(&known) && !One::numbered(2).is_copied(&known), "{kind:?}");
    }
}

#[test]
fn whoever_lost_its_place_in_the_feed_ends_every_copy() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.copied(&known);
    known.learn(at(0), &News::Unknown);
    assert_eq!(known.tally().entries, 0);
    assert!(!one.is_copied(&known));
}

#[test]
fn ir_04_an_earlier_copy_never_takes_the_place_of_a_later_one() {
    let (known, one) = (Known::alone(), One::numbered(1));
    let ticket = one.look_up(&known).unwrap_err();
    let later = State { organization: 2, agent: 2, credential: 2, revoked: true };
    one.keep(&known, ticket, later);
    one.keep(&known, ticket, State::FIRST);
    assert_eq!(one.look_up(&known), Ok(later));
}

#[test]
fn a_credential_of_another_agent_is_no_hit() {
    let known = Known::alone();
    let [one, other] = [1, 2].map(One::numbered);
    one.copied(&known);
    other.copied(&known);
    assert!(known.client(one.agent, one.credential, at(0)).is_ok());
    assert!(known.client(one.agent, other.credential, at(0)).is_err());
    let crossed = One { credential: other.credential, ..one };
    assert!(crossed.look_up(&known).is_err());
}

#[test]
fn a_token_that_was_just_issued_is_known_not_to_be_revoked_until_it_is() {
    let (known, one) = (Known::alone(), One::numbered(1));
    known.issued(&one.claims());
    assert!(!one.is_copied(&known), "who stands behind it is not known");
    let ticket = known.client(one.agent, one.credential, at(0)).unwrap_err();
    known.keep_client(ticket, &one.parties(State::FIRST));
    assert_eq!(one.look_up(&known), Ok(State::FIRST));
    known.changed(&[one.changed(one.token)]);
    assert!(one.look_up(&known).is_err());
    let revoked = State { revoked: true, ..State::FIRST };
    one.keep(&known, one.look_up(&known).unwrap_err(), revoked);
    known.issued(&one.claims());
    assert_eq!(one.look_up(&known), Ok(revoked), "a revocation is for good");
}

#[test]
fn of_a_token_that_is_new_it_is_told_who_stands_behind_it() {
    let (known, one) = (Known::followed(), One::numbered(1));
    known.learn(at(0), &nothing_new());
    let ticket = known.client(one.agent, one.credential, at(0)).unwrap_err();
    known.keep_client(ticket, &one.parties(State::FIRST));
    let missing = |now| known.token(&one.claims(), now).unwrap_err().parties;
    assert!(missing(at(0)).is_some());
    assert!(missing(at(1_000)).is_none(), "copies do not count any more");
    known.learn(at(1_000), &News::Changes(vec![one.changed(one.agent)]));
    assert!(missing(at(1_000)).is_none(), "the agent has changed");
}

#[test]
fn tn_11_one_agent_id_in_two_organizations_is_two_copies() {
    let known = Known::alone();
    let one = One::numbered(1);
    let other = One { organization: id(99), ..one };
    one.copied(&known);
    assert!(!other.is_copied(&known), "what one organization has is not the other's");
    let ticket = other.look_up(&known).unwrap_err();
    let later = State { organization: 7, agent: 7, credential: 7, revoked: true };
    other.keep(&known, ticket, later);
    assert_eq!(one.look_up(&known), Ok(State::FIRST));
    assert_eq!(other.look_up(&known), Ok(later));
    known.changed(&[other.changed(other.agent)]);
    assert!(one.is_copied(&known));
    assert!(!other.is_copied(&known));
}

#[test]
fn copies_are_not_used_a_second_after_the_last_look() {
    let (known, one) = (Known::followed(), One::numbered(1));
    let found = |now| known.client(one.agent, one.credential, now).is_ok();
    one.keep(&known, one.look_up(&known).unwrap_err(), State::FIRST);
    assert!(!found(at(0)), "nobody has looked yet");
    known.learn(at(0), &nothing_new());
    assert!(found(at(0)) && found(at(999)));
    assert!(!found(at(1_000)));
    known.learn(at(1_250), &nothing_new());
    assert!(found(at(1_250)) && found(at(2_249)), "it was kept meanwhile");
    assert!(!found(at(2_250)));
}

#[test]
fn a_clock_that_steps_back_makes_no_copy_count_for_longer() {
    let (known, one) = (Known::followed(), One::numbered(1));
    known.learn(at(5_000), &nothing_new());
    one.keep(&known, known.token(&one.claims(), at(5_000)).unwrap_err().ticket, State::FIRST);
    assert!(known.token(&one.claims(), at(5_000)).is_ok());
    assert!(known.token(&one.claims(), at(4_999)).is_err());
}

#[test]
fn a_look_that_began_before_the_last_one_changes_nothing_about_when_copies_count() {
    let (known, one) = (Known::followed(), One::numbered(1));
    known.learn(at(5_000), &nothing_new());
    known.learn(at(2_000), &nothing_new());
    one.keep(&known, known.token(&one.claims(), at(5_000)).unwrap_err().ticket, State::FIRST);
    assert!(known.token(&one.claims(), at(5_999)).is_ok());
    assert!(known.token(&one.claims(), at(2_000)).is_err());
}

#[test]
fn what_is_read_while_nobody_looks_is_kept_and_not_found() {
    let (known, one) = (Known::followed(), One::numbered(1));
    known.learn(at(0), &nothing_new());
    let ticket = known.token(&one.claims(), at(3_000)).unwrap_err().ticket;
    one.keep(&known, ticket, State::FIRST);
    assert!(known.token(&one.claims(), at(3_000)).is_err());
    known.learn(at(3_100), &News::Changes(vec![one.changed(one.agent)]));
    assert!(known.token(&one.claims(), at(3_100)).is_err(), "it changed meanwhile");
}

#[test]
fn ds_09_a_million_tokens_leave_no_more_than_the_bound_and_other_copies_alone() {
    let known = Known::alone().holding(80);
    let one = One::numbered(1);
    one.copied(&known);
    let parties = one.parties(State::FIRST);
    for number in 0..1_000_000 {
        let claims = id(number + 2);
        let ticket = known.client(one.agent, id(1_000), at(0)).unwrap_err();
        known.keep_token(ticket, claims, &parties, false);
    }
    assert_eq!(known.tally().entries, 84, "80 tokens, and one of each other kind");
    assert!(known.client(one.agent, one.credential, at(0)).is_ok());
}

#[test]
fn ds_09_a_thousand_clients_leave_no_more_than_the_bound() {
    let known = Known::alone().holding(80);
    for number in 1..1_000 {
        let one = One { organization: id(number), ..One::numbered(number) };
        one.copied(&known);
        assert!(one.is_copied(&known), "the latest is there");
    }
    assert_eq!(known.tally().entries, 4 * 80 + 20);
    assert!(!One { organization: id(1), ..One::numbered(1) }.is_copied(&known));
}

#[test]
fn ds_09_a_hundred_thousand_large_agents_take_no_more_room_than_there_is() {
    let (known, one) = (Known::alone(), One::numbered(1));
    let small = one.parties(State::FIRST);
    let texts = large_texts();
    for number in 1..=100_000 {
        let agent = Arc::new(One::numbered(number).large_agent(&texts));
        let parties = Parties { agent, ..small.clone() };
        let ticket = known.client(id(number), one.credential, at(0)).unwrap_err();
        known.keep_client(ticket, &parties);
    }
    assert!(known.agent(one.organization, id(100_000), at(0)).is_ok(), "the latest is there");
    // There is one organization and one credential beside them, and where each of them belongs.
    let agents = known.tally().entries - 100_000 - 2;
    assert!(agents * 16_000 <= 114_688 * 512 && agents > 3_000, "{agents}");
}

#[test]
fn ds_09_large_credentials_take_no_more_room_than_there_is() {
    let (known, one) = (Known::alone().holding(1_000), One::numbered(1));
    let small = one.parties(State::FIRST);
    for number in 1..=1_000 {
        let credential = Arc::new(One::numbered(number).large_key());
        let ticket = known.client(one.agent, id(number), at(0)).unwrap_err();
        known.keep_client(ticket, &Parties { credential, ..small.clone() });
    }
    let credentials = known.tally().entries - 3;
    assert!(credentials * 4_000 <= 1_000 * 512 && credentials > 100, "{credentials}");
}

#[test]
fn at_least_one_of_each_is_kept() {
    let (known, one) = (Known::alone().holding(0), One::numbered(1));
    one.copied(&known);
    assert!(one.is_copied(&known));
}

#[test]
fn whoever_panics_midway_leaves_no_copy_and_no_closed_lock() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.copied(&known);
    let ticket = One::numbered(2).look_up(&known).unwrap_err();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _held = known.state.lock();
        panic!("under the lock");
    }));
    assert!(panicked.is_err());
    assert!(!one.is_copied(&known));
    One::numbered(2).keep(&known, ticket, State::FIRST);
    assert!(!One::numbered(2).is_copied(&known), "what was told may have been lost");
    one.copied(&known);
    assert!(one.is_copied(&known));
}

#[test]
fn the_tally_counts_what_was_found_and_what_was_not() {
    let (known, one) = (Known::followed(), One::numbered(1));
    assert!(one.look_up(&known).is_err());
    known.learn(at(0), &nothing_new());
    one.copied(&known);
    assert!(one.is_copied(&known) && one.is_copied(&known));
    let tally = known.tally();
    assert_eq!((tally.hits, tally.misses, tally.bypasses, tally.entries), (2, 1, 1, 5));
}

#[test]
fn nothing_of_a_copy_is_shown() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.copied(&known);
    assert!(!format!("{known:?}").contains(&one.agent.to_string()));
    let changed = Changed { organization: one.organization, resource: one.agent.into() };
    assert_eq!(changed, one.changed(one.agent));
}
