//! One of those who keep the replicas busy, whatever is done to them.
//!
//! A worker lives one agent's life after the other, each request at any replica that is there. What it
//! asks for on an agent it asks in order, so that it knows what must be. Once an answer is lost nobody
//! knows that any more, and it begins the next life.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::caller::{self, Caller, Client, Issued, Secret};
use crate::dice::Dice;
use crate::front::{Front, Told};
use crate::ledger::{Deed, Report};
use crate::stopwatch::now;

/// How long another replica may take to learn of a change.
pub(crate) const SIGHT: Duration = Duration::from_secs(1);

/// Lives until it is over.
pub(crate) fn work(
    front: &Front,
    admin: &Client,
    name: &str,
    mut dice: Dice,
    reports: &Sender<Report>,
    over: &AtomicBool,
) {
    let mut session = None;
    let mut number = 0_u64;
    while !over.load(Ordering::Relaxed) {
        let Some(caller) = &session else {
            session = Caller::open(front, front.any(&mut dice), admin).ok();
            continue;
        };
        number += 1;
        let begun = Life::begin(caller, &mut dice, reports, &format!("{name}-{number}@a.example"));
        // What was lost is in the ledger.
        let _lost = begun.and_then(|mut life| life.live());
    }
}

struct Life<'a> {
    caller: &'a Caller<'a>,
    dice: &'a mut Dice,
    reports: &'a Sender<Report>,
    agent: String,
    secret: Secret,
    /// When the last change was acknowledged.
    changed_at: Instant,
}

impl<'a> Life<'a> {
    fn begin(
        caller: &'a Caller<'a>,
        dice: &'a mut Dice,
        reports: &'a Sender<Report>,
        email: &str,
    ) -> Told<Self> {
        let agent = caller.register(caller.front.any(dice), email, "resume:write")?;
        tell(reports, Report::Done(Deed::Register(agent.clone())));
        let secret = caller.give_credential(caller.front.any(dice), &agent)?;
        tell(reports, Report::Done(Deed::Generate(secret.clone())));
        Ok(Self { caller, dice, reports, agent, secret, changed_at: now() })
    }

    fn live(&mut self) -> Told<()> {
        for number in 0..self.dice.within(4..12) {
            match self.dice.within(0..12) {
                0 => self.suspend_and_reactivate()?,
                1 => self.rotate()?,
                2 => self.replace_credential()?,
                3 | 4 => self.set_version(number)?,
                5..8 => self.issue_and_revoke()?,
                _ => drop(self.issue()?),
            }
        }
        if self.dice.one_in(4) { self.decommission() } else { Ok(()) }
    }

    fn any(&mut self) -> usize {
        self.caller.front.any(self.dice)
    }

    /// Does it, at some replica, and says which.
    fn change(&mut self, deed: Deed, ask: impl FnOnce(&Self, usize) -> Told<()>) -> Told<usize> {
        let at = self.any();
        tell(self.reports, Report::Asked(deed.clone()));
        ask(self, at)?;
        self.changed_at = now();
        tell(self.reports, Report::Done(deed));
        Ok(at)
    }

    /// Another replica may refuse for a second what was permitted just now.
    fn issue(&mut self) -> Told<Issued> {
        loop {
            let (at, begun) = (self.any(), now());
            if let Some(token) = caller::issue(self.caller.front, at, &self.secret.client)? {
                tell(self.reports, Report::Done(Deed::Issue(token.clone())));
                return Ok(token);
            }
            let late = begun.duration_since(self.changed_at);
            assert!(late < SIGHT, "a good client is refused {late:?} after the last change");
        }
    }

    /// It is inactive at once where that was acknowledged, and everywhere after a second.
    fn is_dead(&mut self, token: &Issued, changed_on: usize) -> Told<()> {
        let active = self.caller.is_active(changed_on, &token.text)?;
        assert!(!active, "a dead token is active on the replica that ended it");
        loop {
            let (at, begun) = (self.any(), now());
            if !self.caller.is_active(at, &token.text)? {
                return Ok(());
            }
            let late = begun.duration_since(self.changed_at);
            assert!(late < SIGHT, "a dead token is active after {late:?}");
        }
    }

    /// It gets no token, at once where that was acknowledged, and anywhere after a second.
    fn is_refused(&mut self, client: &Client, changed_on: usize) -> Told<()> {
        let token = caller::issue(self.caller.front, changed_on, client)?;
        assert!(token.is_none(), "an ended client gets a token on the replica that ended it");
        loop {
            let (at, begun) = (self.any(), now());
            let Some(token) = caller::issue(self.caller.front, at, client)? else { return Ok(()) };
            tell(self.reports, Report::Done(Deed::Issue(token.clone())));
            self.revoke_by_admin(&token)?;
            let late = begun.duration_since(self.changed_at);
            assert!(late < SIGHT, "an ended client gets a token after {late:?}");
        }
    }

    fn issue_and_revoke(&mut self) -> Told<()> {
        let (token, since) = (self.issue()?, self.changed_at);
        let at = self.change(Deed::RevokeToken(token.id.clone()), |life, at| {
            let (front, client) = (life.caller.front, &life.secret.client);
            // As at `issue`.
            let mut begun = now();
            while !caller::revoke_token(front, at, &token.text, client)? {
                let late = begun.duration_since(since);
                assert!(late < SIGHT, "a good client is refused {late:?} after the last change");
                begun = now();
            }
            Ok(())
        })?;
        self.is_dead(&token, at)
    }

    fn revoke_by_admin(&mut self, token: &Issued) -> Told<()> {
        let deed = Deed::RevokeToken(token.id.clone());
        tell(self.reports, Report::Asked(deed.clone()));
        let at = self.any();
        self.caller.revoke(at, &token.text)?;
        tell(self.reports, Report::Done(deed));
        Ok(())
    }

    fn set_version(&mut self, number: u64) -> Told<()> {
        // Each differs from the one before, or nothing would be written.
        let version = format!("2.{}.{number}", self.dice.within(0..1_000_000));
        let deed = Deed::Version(self.agent.clone(), version.clone());
        let patch = json!({ "version": version });
        self.change(deed, |life, at| life.caller.patch(at, &life.agent, &patch)).map(|_| ())
    }

    fn set_status(&mut self, deed: Deed, status: &str) -> Told<usize> {
        let patch = json!({ "status": status });
        self.change(deed, |life, at| life.caller.patch(at, &life.agent, &patch))
    }

    fn suspend_and_reactivate(&mut self) -> Told<()> {
        let (token, client) = (self.issue()?, self.secret.client.clone());
        let at = self.set_status(Deed::Suspend(self.agent.clone()), "suspended")?;
        self.is_dead(&token, at)?;
        self.is_refused(&client, at)?;
        let at = self.set_status(Deed::Reactivate(self.agent.clone()), "active")?;
        self.is_dead(&token, at)
    }

    fn rotate(&mut self) -> Told<()> {
        let (at, old) = (self.any(), self.secret.clone());
        tell(self.reports, Report::Asked(Deed::Rotate(old.id.clone(), None)));
        let fresh = self.caller.rotate(at, &self.agent, &old.id)?;
        self.changed_at = now();
        self.secret = fresh.clone();
        tell(self.reports, Report::Done(Deed::Rotate(old.id, Some(fresh))));
        self.is_refused(&old.client, at)
    }

    fn replace_credential(&mut self) -> Told<()> {
        let token = self.issue()?;
        let at = self.any();
        let fresh = self.caller.give_credential(at, &self.agent)?;
        tell(self.reports, Report::Done(Deed::Generate(fresh.clone())));
        let old = std::mem::replace(&mut self.secret, fresh);
        let at = self.change(Deed::RevokeCredential(old.id.clone()), |life, at| {
            life.caller.revoke_credential(at, &life.agent, &old.id)
        })?;
        if token.credential == old.id {
            self.is_dead(&token, at)?;
        }
        self.is_refused(&old.client, at)
    }

    fn decommission(&mut self) -> Told<()> {
        let (token, client) = (self.issue()?, self.secret.client.clone());
        let deed = Deed::Decommission(self.agent.clone());
        let at = self.change(deed, |life, at| life.caller.decommission(at, &life.agent))?;
        self.is_dead(&token, at)?;
        self.is_refused(&client, at)
    }
}

fn tell(reports: &Sender<Report>, report: Report) {
    reports.send(report).expect("the test listens to the end");
}
