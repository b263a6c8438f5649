//! AU-07: an older state of the whole database put back.

use crate::departed::{Departed, of_lines};
use crate::installation::{Installation, counted};
use crate::process::run;
use crate::session::COVERED;
use crate::stopwatch::{now, until};
use crate::verified::{finds, holds};

const HALTS: &str = "agentidp_audit_log_halts_total";

const HALTED: &str = "agentidp_audit_logs_halted";

const REASON: &str = "yesterday's state was put back by a test";

/// How long it is looked that nothing is signed: longer than a checkpoint takes.
const UNSIGNED: std::time::Duration = std::time::Duration::from_secs(2);

#[test]
fn au_07_an_older_file_put_back_halts_the_log_until_acknowledged() {
    let (installation, mut departed) = (Installation::new(), Departed::default());
    let server = installation.serve();
    departed.take(installation.session(&server).covered());
    server.stop();
    installation.keep_state();
    let server = installation.serve();
    for _ in 0..3 {
        departed.take(installation.session(&server).covered());
    }
    server.stop();
    installation.put_back();

    let server = installation.serve();
    until(now(), COVERED, || counted(&server, HALTS) == 1);
    server.process.logs("the audit log is halted");
    server.stop();

    // Nothing is found anew at the next start, and it is told all the same.
    let server = installation.serve();
    server.process.logs("an older state of the store was put back");
    until(now(), COVERED, || counted(&server, HALTED) == 1);
    assert_eq!(counted(&server, HALTS), 0);
    let session = installation.session(&server);
    let served = || session.get("/api/v1/audit/checkpoint").unwrap().body;
    let (before, begun) = (served(), now());
    until(begun, 2 * UNSIGNED, || {
        let token = installation.session(&server).token;
        assert!(session.is_active(&token.text).unwrap(), "requests go on");
        begun.elapsed() > UNSIGNED
    });
    assert_eq!(served(), before);
    let organization = crate::departed::Checkpoint::of(&before).organization().to_owned();
    let arguments = ["audit", "acknowledge", "--organization", &organization, "--reason", REASON];
    run(&mut installation.command(&arguments)).refused();
    server.stop();

    let ended = run(&mut installation.command(&arguments));
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let server = installation.serve();
    let (session, mut after) = (installation.session(&server), Departed::default());
    after.take(session.covered());
    let told = session.get("/api/v1/audit?action=log.acknowledged").unwrap().expect(200);
    assert_eq!(told["data"][0]["metadata"]["reason"], REASON, "{told}");
    let lines = of_lines(&installation.file("checkpoints.ndjson"));
    let said = lines.iter().find(|line| line["type"] == "acknowledgement").unwrap();
    assert_eq!(said["reason"], REASON);
    holds(&session.evidence(&after).by_idp());
    // It has grown past what left before, or else it was found for being too short.
    while installation.session(&server).covered().size <= departed.greatest() {}
    let evidence = session.evidence(&departed);
    finds(&evidence.by_idp(), "root-mismatch");
    finds(&evidence.by_python(), "root-mismatch");
    assert_eq!(counted(&server, HALTS), 0);
}
