//! AU-03: the log through hard kills in the middle of a load.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::departed::{Departed, of_file, of_lines};
use crate::ledger::{Fate, Ledger};
use crate::session::{COVERED, Session};
use crate::stopwatch::{now, until};
use crate::verified::holds;
use crate::{EVENTS, quiet_port, start, stream_until_killed};

const ROUNDS: u64 = 6;

/// After this round the last line that left breaks off.
const TORN: u64 = 2;

#[test]
fn au_03_after_a_hard_kill_the_log_goes_on_and_verifies_against_all_that_left() {
    let folder = tempfile::tempdir().unwrap();
    let (port, file) = (quiet_port(), folder.path().join("checkpoints.ndjson"));
    let mut server = start(folder.path(), port);
    let (admin, mut all, mut departed) = (server.admin(), Ledger::default(), Departed::default());
    for round in 0..ROUNDS {
        // So that each round has a checkpoint of its own.
        departed.take(Session::open(server.address(), &admin).unwrap().covered());
        let reports = stream_until_killed(&mut server, round);
        reports.into_iter().for_each(|report| all.take(report));
        if round == TORN {
            let mut file = OpenOptions::new().append(true).open(&file).unwrap();
            file.write_all(br#"{"type":"checkpoint","organizationId":"01"#).unwrap();
        }
        server = start(folder.path(), port);
    }
    let session = Session::open(server.address(), &admin).unwrap();
    departed.take(session.covered());
    let left = of_file(&file);
    assert!(left.len() > ROUNDS.try_into().unwrap());
    departed.take_row(left);
    let evidence = session.evidence(&departed);
    holds(&evidence.by_idp());
    holds(&evidence.by_python());
    // As it lies there, with what broke off.
    holds(&evidence.by_idp_with(&file));
    has_all(&evidence.done(), &all);
    until(now(), COVERED, || left_in_order(&folder.path().join(EVENTS)) >= evidence.size());
    assert!(server.stop_gracefully().success());
}

/// What was acknowledged is in the log, once.
fn has_all(done: &BTreeMap<(String, String), u64>, all: &Ledger) {
    let times = |action: &str, id: &str| {
        done.get(&(action.to_owned(), id.to_owned())).copied().unwrap_or(0)
    };
    assert!(!all.agents.is_empty() && !all.tokens.is_empty());
    for agent in &all.agents {
        assert_eq!(times("agent.created", agent), 1, "agent {agent}");
    }
    for (id, credential) in &all.credentials {
        assert_eq!(times("credential.generated", id), 1, "credential {id}");
        let revoked = u64::from(credential.fate == Fate::Revoked);
        let found = times("credential.revoked", id);
        assert!(found == revoked || credential.fate == Fate::Unknown, "credential {id}");
    }
    for (id, token) in &all.tokens {
        assert_eq!(times("token.issued", id), 1, "token {id}");
        let revoked = u64::from(token.fate == Fate::Revoked);
        let found = times("token.revoked", id);
        assert!(found == revoked || token.fate == Fate::Unknown, "token {id}");
    }
}

/// How many events have left. None is left out: where one does not follow the one before it, some came
/// twice.
fn left_in_order(file: &Path) -> u64 {
    let mut next = 0;
    for event in of_lines(file) {
        let position: u64 = event["position"].as_str().unwrap().parse().unwrap();
        assert!(position <= next, "an event at {position}, and none at {next}");
        next = position + 1;
    }
    next
}
