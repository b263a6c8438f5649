//! A witness beside the server: there, away, back, and shown another log.

use std::fs;
use std::time::Duration;

use audit::LogOrigin;
use contracts::witness::{Behaviour, WitnessServer};
use data_encoding::BASE64;

use crate::departed::Checkpoint;
use crate::installation::{Installation, counted};
use crate::process::Server;
use crate::session::COVERED;
use crate::stopwatch::{now, until};

const COSIGNED: &str = r#"agentidp_audit_witness_answers_total{outcome="cosigned"}"#;
const REFUSED: &str = r#"agentidp_audit_witness_answers_total{outcome="refused"}"#;

/// How soon a witness that is back is asked again, and has signed.
const CATCHES_UP: Duration = Duration::from_secs(15);

/// A server with a witness, which must know the key of the log before.
fn witnessed(installation: &mut Installation) -> (Server, WitnessServer) {
    let server = installation.serve();
    let session = installation.session(&server);
    session.covered();
    let key = session.get("/api/v1/audit/key").unwrap().body;
    let key = BASE64.decode(key.trim_end().splitn(3, '+').last().unwrap().as_bytes()).unwrap();
    server.stop();
    let witness = WitnessServer::start(&installation.issuer(), key[1..].try_into().unwrap());
    installation.settings.push(("IDP_AUDIT_WITNESS_URL", witness.url()));
    (installation.serve(), witness)
}

/// Until the witness has seen as much as the checkpoint says.
fn sees(witness: &WitnessServer, checkpoint: &Checkpoint) {
    let origin: LogOrigin = checkpoint.origin.parse().unwrap();
    until(now(), CATCHES_UP, || {
        witness.seen(&origin).is_some_and(|seen| seen.size >= checkpoint.size)
    });
}

#[test]
fn a_witness_signs_and_one_that_was_away_catches_up() {
    let mut installation = Installation::new();
    let (server, witness) = witnessed(&mut installation);
    sees(&witness, &installation.session(&server).covered());
    until(now(), COVERED, || counted(&server, COSIGNED) > 0);

    let body = "away".to_owned();
    witness.behave(Behaviour::Answering { status: 503, kind: "text/plain", body });
    let asked = witness.requests();
    let mut last = installation.session(&server).covered();
    until(now(), COVERED, || witness.requests() > asked);
    for _ in 0..5 {
        last = installation.session(&server).covered();
    }
    let cosigned = counted(&server, COSIGNED);
    witness.behave(Behaviour::Honest);
    sees(&witness, &last);
    until(now(), COVERED, || counted(&server, COSIGNED) > cosigned);
    assert_eq!(counted(&server, REFUSED), 0);
    server.stop();
}

#[test]
fn au_11_a_log_that_forked_is_refused_by_the_witness_and_counted() {
    let mut installation = Installation::new();
    let (server, witness) = witnessed(&mut installation);
    sees(&witness, &installation.session(&server).covered());
    server.stop();
    installation.keep_state();
    let server = installation.serve();
    let mut last = installation.session(&server).covered();
    for _ in 0..3 {
        last = installation.session(&server).covered();
    }
    sees(&witness, &last);
    server.stop();
    // Whoever puts an older state back, and takes away what the server itself would have found.
    installation.put_back();
    fs::remove_file(installation.file("checkpoints.ndjson")).unwrap();

    let server = installation.serve();
    installation.session(&server).covered();
    until(now(), CATCHES_UP, || counted(&server, REFUSED) > 0);
    server.process.logs("the witness refuses to sign a checkpoint");
    // Also once it is longer than the one that the witness saw.
    while installation.session(&server).covered().size <= last.size {}
    let refused = counted(&server, REFUSED);
    installation.session(&server).covered();
    until(now(), CATCHES_UP, || counted(&server, REFUSED) > refused);
    assert_eq!(counted(&server, COSIGNED), 0);
    server.stop();
}
