//! One of those who keep the server busy until it is gone.

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::Sender;

use crate::dice::Dice;
use crate::ledger::Report;
use crate::session::{Issued, Session};
use crate::support::server::Admin;

/// Registers agents, gives them credentials, issues and revokes tokens, and tells what was
/// acknowledged, without end.
///
/// # Errors
/// Once the server is gone.
pub(crate) fn work(
    address: &str,
    admin: &Admin,
    name: &str,
    mut dice: Dice,
    reports: &Sender<Report>,
) -> io::Result<Infallible> {
    let tell = |report| reports.send(report).expect("the test listens to the end");
    let session = Session::open(address, admin)?;
    tell(issued(&session.token));
    let mut number = 0;
    loop {
        number += 1;
        let agent = session.register(&format!("{name}-{number}@agents.example.com"))?;
        tell(Report::Agent(agent.clone()));
        let (credential, secret) = session.give_credential(&agent)?;
        let made = (credential.clone(), agent.clone(), secret.clone());
        tell(Report::Credential { id: made.0, agent: made.1, secret: made.2 });
        for _ in 0..dice.within(1..6) {
            let token = session.issue(&agent, &secret)?.expect("a new credential is good");
            tell(issued(&token));
            if dice.one_in(3) {
                tell(Report::RevokingToken(token.id.clone()));
                session.revoke(&token.text, &agent, &secret)?;
                tell(Report::TokenRevoked(token.id));
            }
        }
        if dice.one_in(3) {
            tell(Report::RevokingCredential(credential.clone()));
            session.revoke_credential(&agent, &credential)?;
            tell(Report::CredentialRevoked(credential));
        }
    }
}

fn issued(token: &Issued) -> Report {
    let Issued { id, text, credential } = token.clone();
    Report::Token { id, text, credential }
}
