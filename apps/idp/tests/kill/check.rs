//! Holds the server to what it has acknowledged.

use std::thread;

use crate::ledger::{Credential, Fate, Ledger, Token};
use crate::session::Session;

/// So many ask at a time: their events are committed together, which saves most of the time.
const ASKING: usize = 8;

/// Everything in the ledger is as it was acknowledged, and has its event, exactly one.
pub(crate) fn every(ledger: &Ledger, session: &Session) {
    each(ledger.agents.iter(), |id| agent(session, id));
    each(ledger.credentials.iter(), |(id, one)| credential(session, id, one));
    each(ledger.tokens.iter(), |(id, one)| token(session, id, one));
}

/// Also of what nobody was told of: an agent without its event, or an event without its agent,
/// would be half a commit.
pub(crate) fn agents_and_their_events_match(ledger: &Ledger, session: &Session) {
    let list = session.get("/api/v1/agents?limit=1").unwrap().expect(200);
    let agents = list["total"].as_u64().unwrap();
    assert_eq!(session.events("agent.created", None).unwrap(), agents);
    assert!(agents > u64::try_from(ledger.agents.len()).unwrap());
}

fn each<T: Send>(items: impl Iterator<Item = T>, check: impl Fn(T) + Sync) {
    let mut parts: Vec<Vec<T>> = (0..ASKING).map(|_| Vec::new()).collect();
    items.enumerate().for_each(|(at, item)| parts[at % ASKING].push(item));
    thread::scope(|scope| {
        for part in parts {
            scope.spawn(|| part.into_iter().for_each(&check));
        }
    });
}

fn agent(session: &Session, id: &str) {
    session.get(&format!("/api/v1/agents/{id}")).unwrap().expect(200);
    assert_eq!(session.events("agent.created", Some(id)).unwrap(), 1, "agent {id}");
}

fn credential(session: &Session, id: &str, credential: &Credential) {
    let Credential { agent, secret, fate } = credential;
    assert_eq!(session.events("credential.generated", Some(id)).unwrap(), 1, "credential {id}");
    let works = session.issue(agent, secret).unwrap().is_some();
    let revoked = session.events("credential.revoked", Some(id)).unwrap();
    match fate {
        Fate::Alive => assert!(works && revoked == 0, "credential {id} is lost"),
        Fate::Unknown => assert_eq!(works, revoked == 0, "credential {id} and its event differ"),
        Fate::Revoked | Fate::DiedWithCredential => {
            assert!(!works && revoked == 1, "credential {id} is back, or its event is lost");
        }
    }
}

fn token(session: &Session, id: &str, token: &Token) {
    assert_eq!(session.events("token.issued", Some(id)).unwrap(), 1, "token {id}");
    let active = session.is_active(&token.text).unwrap();
    let revoked = session.events("token.revoked", Some(id)).unwrap();
    match token.fate {
        Fate::Alive => assert!(active && revoked == 0, "token {id} is lost"),
        // It may have died with its credential, which leaves no event of its own.
        Fate::Unknown => assert!(!active || revoked == 0, "token {id} outlived its revocation"),
        Fate::Revoked => assert!(!active && revoked == 1, "token {id} is back"),
        Fate::DiedWithCredential => assert!(!active && revoked == 0, "token {id} is back"),
    }
}
