//! What the store is asked, and what it is not, when clients are let in and tokens are weighed.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that fails says so by its panic")]

mod kit;
mod store;

use audit::{ChangeListener, Changed, News};
use kernel::StoreError;
use registry::{StatusName, StatusRequest};
use tokens::{TokenRevoked, jws::verify};
use usecases::{agents::GetError, authenticate::ClientError};

use kit::{Installation, SECOND, done};

#[test]
fn a_second_token_and_a_second_introspection_read_nothing() {
    let idp = Installation::alone();
    let client = idp.client();
    let token = idp.token();
    assert!(idp.introspect(&client, &token));
    let before = idp.store().asked();
    for _ in 0..10 {
        let again = idp.token();
        assert!(idp.introspect(&client, &token));
        assert!(!again.is_empty());
    }
    assert_eq!(idp.store().asked(), before);
}

#[test]
fn p3_a_suspension_is_seen_at_once_on_the_process_that_acknowledged_it() {
    let idp = Installation::alone();
    let client = idp.client();
    let token = idp.token();
    assert!(idp.introspect(&client, &token));
    assert!(idp.bearer(&token).is_ok());
    idp.store().set_status(StatusRequest::Suspended, idp.now());
    idp.known().changed(&[idp.changed(idp.agent)]);
    assert!(!idp.introspect(&client, &token));
    assert!(idp.bearer(&token).is_err());
    assert!(matches!(idp.authenticate(), Err(ClientError::Invalid(_))));
}

#[test]
fn p3_a_revocation_is_seen_at_once_on_the_process_that_acknowledged_it() {
    let idp = Installation::alone();
    let client = idp.client();
    let token = idp.token();
    let other = idp.token();
    assert!(idp.introspect(&client, &token) && idp.introspect(&client, &other));
    let verified = verify(&token, &kit::issuer(), &kit::Plain).unwrap();
    let revoked = TokenRevoked::of(&verified, idp.now()).unwrap();
    idp.store().revoke(revoked.id());
    idp.known().changed(&[idp.changed(revoked.id())]);
    assert!(!idp.introspect(&client, &token));
    assert!(idp.introspect(&client, &other));
    let before = idp.store().asked();
    assert!(!idp.introspect(&client, &token), "that it is revoked is known too");
    assert_eq!(idp.store().asked(), before);
}

#[test]
fn an_agent_that_was_read_is_read_again_without_the_store_where_it_writes_alone() {
    let idp = Installation::alone();
    let caller = idp.client().as_caller();
    let read = || done(idp.provider.agent(&caller, idp.agent)).unwrap();
    let first = read();
    let before = idp.store().asked();
    assert_eq!(read(), first);
    assert_eq!(idp.store().asked(), before);
    idp.store().set_status(StatusRequest::Suspended, idp.now());
    idp.known().changed(&[idp.changed(idp.agent)]);
    let details = read();
    assert_eq!(details.agent.status().name(), StatusName::Suspended);
}

#[test]
fn an_agent_is_shown_with_its_last_token_at_once() {
    let idp = Installation::alone();
    assert_eq!(idp.read(idp.agent).unwrap().last_auth_at, None);
    for _ in 0..3 {
        idp.token();
        let shown = idp.read(idp.agent).unwrap();
        assert_eq!(shown.last_auth_at, Some(idp.store().last_issued()));
        assert_eq!(idp.read(idp.agent).unwrap(), shown);
    }
}

#[test]
fn an_agent_is_read_from_the_store_each_time_where_others_write() {
    let idp = Installation::followed();
    idp.look(Vec::new());
    let client = idp.client().as_caller();
    done(idp.provider.agent(&client, idp.agent)).unwrap();
    let before = idp.store().asked();
    idp.store().set_status(StatusRequest::Suspended, idp.now());
    let details = done(idp.provider.agent(&client, idp.agent)).unwrap();
    assert_eq!(details.agent.status().name(), StatusName::Suspended, "nobody has told");
    assert_eq!(idp.store().asked(), before + 1);
}

#[test]
fn tn_11_whoever_is_not_there_is_looked_for_each_time() {
    let idp = Installation::alone();
    let client = idp.client().as_caller();
    for _ in 0..3 {
        let before = idp.store().asked();
        let found = done(idp.provider.agent(&client, kit::id(77)));
        assert!(matches!(found, Err(GetError::Unknown)));
        assert_eq!(idp.store().asked(), before + 1);
    }
}

#[test]
fn jr_04_a_process_that_stood_still_asks_whether_a_key_is_still_believed() {
    let idp = Installation::followed();
    idp.look(Vec::new());
    let client = idp.client();
    let token = idp.token();
    assert!(idp.introspect(&client, &token) && idp.bearer(&token).is_ok());
    idp.store().compromise_the_signing_key();
    assert!(idp.introspect(&client, &token), "nobody has told, and a second has not passed");
    idp.advance(SECOND);
    assert!(!idp.introspect(&client, &token));
    assert!(idp.bearer(&token).is_err());
}

#[test]
fn p3_a_suspension_by_another_process_is_seen_within_a_second() {
    let idp = Installation::followed();
    idp.look(Vec::new());
    let client = idp.client();
    let token = idp.token();
    assert!(idp.introspect(&client, &token));
    idp.store().set_status(StatusRequest::Suspended, idp.now());
    assert!(idp.introspect(&client, &token), "nobody has told");
    idp.advance(SECOND);
    assert!(!idp.introspect(&client, &token), "nobody has looked: the store is asked");
    idp.store().set_status(StatusRequest::Active, idp.now());
    let fresh = idp.token();
    idp.look(vec![idp.changed(idp.agent)]);
    assert!(idp.introspect(&client, &fresh));
    idp.store().set_status(StatusRequest::Suspended, idp.now());
    idp.look(vec![idp.changed(idp.agent)]);
    assert!(!idp.introspect(&client, &fresh), "the feed tells before the second is over");
}

#[test]
fn a_store_that_is_away_is_never_taken_for_an_answer_once_copies_are_old() {
    let idp = Installation::followed();
    idp.look(Vec::new());
    let client = idp.client();
    let token = idp.token();
    assert!(idp.introspect(&client, &token));
    idp.store().take_away(true);
    assert!(idp.introspect(&client, &token), "for a second what was known holds");
    idp.advance(SECOND);
    let answer = done(idp.provider.introspect_token(&client.as_caller(), &token));
    assert!(matches!(answer, Err(StoreError::Unavailable(_))));
    assert!(matches!(idp.authenticate(), Err(ClientError::Store(StoreError::Unavailable(_)))));
    let entries = idp.known().tally().entries;
    idp.store().take_away(false);
    assert!(idp.introspect(&client, &token), "a failure is not kept");
    assert_eq!(idp.known().tally().entries, entries);
}

#[test]
fn ir_09_a_copy_never_outlives_its_token() {
    let idp = Installation::alone();
    let client = idp.client();
    let token = idp.token();
    assert!(idp.introspect(&client, &token));
    idp.advance(SECOND * 900);
    let before = idp.store().asked();
    assert!(!idp.introspect(&client, &token));
    assert_eq!(idp.store().asked(), before, "from the copies it is known to be over");
}

#[test]
fn ds_09_a_million_unknown_ids_leave_nothing() {
    let idp = Installation::alone();
    let (_, secret) = idp.unknown();
    for number in 1_000..1_001_000 {
        let agent = kit::id::<kernel::AgentId>(number).to_string();
        assert!(matches!(idp.authenticate_as(&agent, &secret), Err(ClientError::Invalid(_))));
    }
    for _ in 0..1_000 {
        let (_, secret) = idp.unknown();
        assert!(idp.authenticate_as(&idp.agent.to_string(), &secret).is_err());
    }
    assert_eq!(idp.known().tally().entries, 0);
}

#[test]
fn p5_an_unknown_client_and_an_unknown_credential_cost_the_same_look_ups() {
    let idp = Installation::alone();
    idp.client();
    let (agent, secret) = idp.unknown();
    let known = idp.agent.to_string();
    let asked_for = |agent: &str, secret: &str| {
        let before = idp.store().asked();
        assert!(idp.authenticate_as(agent, secret).is_err());
        idp.store().asked() - before
    };
    // The copies of the known client are there, and spare nothing.
    assert_eq!(asked_for(&agent, &secret), asked_for(&known, &secret));
    assert_eq!(asked_for(&known, &secret), asked_for(&known, &secret), "nothing was learnt");
    assert_eq!(asked_for(&agent, &idp.secret), asked_for(&agent, &secret));
}

#[test]
fn a_wrong_secret_of_a_credential_that_is_known_is_refused() {
    let idp = Installation::alone();
    idp.client();
    let wrong = idp.wrong_secret();
    let before = idp.store().asked();
    assert!(idp.authenticate_as(&idp.agent.to_string(), &wrong).is_err());
    assert_eq!(idp.store().asked(), before);
    assert!(idp.authenticate().is_ok());
}

#[test]
fn a_credential_that_expires_lets_nobody_in_though_it_is_known() {
    let idp = Installation::alone();
    idp.store().let_the_credential_expire_at(idp.now().plus(SECOND));
    idp.client();
    idp.advance(SECOND * 2);
    let before = idp.store().asked();
    assert!(idp.authenticate().is_err());
    assert_eq!(idp.store().asked(), before);
}

#[test]
fn who_lost_its_place_in_the_feed_asks_the_store_again() {
    let idp = Installation::alone();
    idp.client();
    let before = idp.store().asked();
    idp.known().learn(idp.now(), &News::Unknown);
    idp.client();
    assert!(idp.store().asked() > before);
    let elsewhere =
        Changed { organization: kit::id(77), resource: kit::id::<kernel::AgentId>(78).into() };
    let before = idp.store().asked();
    idp.known().changed(&[elsewhere]);
    idp.client();
    assert_eq!(idp.store().asked(), before);
}
