//! When an agent is shown from a copy, and when not.

use audit::{ChangeListener, News};
use serde_json::{Value, json};

use super::{
    Known,
    sample::{One, at, id},
};

#[test]
fn an_agent_is_shown_until_it_changes_or_gets_a_token() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.shown(&known);
    assert!(one.is_shown(&known, 0));
    known.changed(&[one.changed(one.credential), one.changed(one.organization)]);
    known.changed(&[One::numbered(2).changed(One::numbered(2).agent)]);
    known.issued(&One { agent: id(2), ..one }.claims());
    known.issued(&One { organization: id(2), ..one }.claims());
    assert!(one.is_shown(&known, 0), "nothing of it changed");
    known.changed(&[one.changed(one.agent)]);
    assert!(!one.is_shown(&known, 0));
    one.shown(&known);
    known.issued(&one.claims());
    assert!(!one.is_shown(&known, 0));
    one.shown(&known);
    known.learn(at(0), &News::Unknown);
    assert!(!one.is_shown(&known, 0));
}

#[test]
fn what_was_read_before_a_change_or_a_token_is_not_shown() {
    let (known, one) = (Known::alone(), One::numbered(1));
    let tell: [&dyn Fn(); 3] =
        [&|| known.changed(&[one.changed(one.agent)]), &|| known.issued(&one.claims()), &|| {
            known.learn(at(0), &News::Unknown)
        }];
    for tell in tell {
        let ticket = known.details(one.organization, one.agent, at(0)).unwrap_err().unwrap();
        tell();
        known.keep_details(ticket, &one.details(json!({})), at(0));
        assert!(!one.is_shown(&known, 0));
    }
}

#[test]
fn a_token_leaves_what_an_agent_is_weighed_by_alone() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.copied(&known);
    known.issued(&one.claims());
    assert!(one.is_copied(&known));
}

#[test]
fn where_others_write_no_copy_is_shown() {
    let (known, one) = (Known::followed(), One::numbered(1));
    known.learn(at(0), &News::Changes(Vec::new()));
    assert_eq!(known.details(one.organization, one.agent, at(0)).err(), Some(None));
}

#[test]
fn tn_11_no_organization_is_shown_the_agent_of_another() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.shown(&known);
    assert!(!One { organization: id(99), ..one }.is_shown(&known, 0));
}

#[test]
fn a_copy_is_shown_for_a_minute_and_not_before_it_was_read() {
    let (known, one) = (Known::alone(), One::numbered(1));
    one.shown(&known);
    assert!(one.is_shown(&known, 59_999));
    assert!(!one.is_shown(&known, 60_000) && !one.is_shown(&known, -1));
}

#[test]
fn an_earlier_copy_never_takes_the_place_of_a_later_one() {
    let (known, one) = (Known::alone(), One::numbered(1));
    let ticket = known.details(one.organization, one.agent, at(0)).unwrap_err().unwrap();
    let mut later = one.details(json!({}));
    later.last_auth_at = Some(at(5));
    known.keep_details(ticket, &later, at(0));
    known.keep_details(ticket, &one.details(json!({})), at(0));
    assert_eq!(known.details(one.organization, one.agent, at(0)), Ok(later));
}

#[test]
fn ds_09_agents_that_are_shown_take_no_more_room_than_there_is() {
    // Room for 128,000 bytes: some eighty small agents, and no large one.
    let known = Known::alone().holding(1_000);
    let large: Value = json!({ "items": vec![0; 4_000] });
    for (metadata, least, most) in [(json!({}), 50, 100), (large, 0, 0), (json!({}), 50, 100)] {
        for number in 1..1_000 {
            let one = One::numbered(number);
            if let Err(ticket) = known.details(one.organization, one.agent, at(0)) {
                known.keep_details(ticket.unwrap(), &one.details(metadata.clone()), at(0));
            }
        }
        let entries = known.tally().entries;
        assert!((least..=most).contains(&entries), "{entries}");
        known.learn(at(0), &News::Unknown);
        assert_eq!(known.tally().entries, 0);
    }
}
