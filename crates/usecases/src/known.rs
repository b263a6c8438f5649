//! What is known of the store without asking it: copies of all on whom it depends whether a client
//! is let in and whether a token is good.
//!
//! A copy is never the record. The promise is that a look-up that begins after a change was told
//! never finds what was there before it. Three rules hold it:
//! - Whoever hears of a change drops what it names, before the change is acknowledged
//!   ([`ChangeListener`]) or as soon as the feed tells of it ([`Known::learn`]).
//! - A miss is a ticket, and only its holder may put in what it then reads. What was told of
//!   meanwhile is not put in: it may have been read before it changed. The one thing that needs no
//!   ticket is that a token which has not left yet is not revoked.
//! - Where other processes write too, copies count for a second from the beginning of the last look
//!   at the feed. Past that there are none, and the store is asked.
//!
//! Only what exists is copied, and only where nobody is missing: unknown ids leave nothing. Who does
//! or manages something is weighed in its transaction, and never by copies.

mod bounded;
mod copies;
mod shown;
mod told;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ::tokens::Claims;
use audit::{ChangeListener, Changed, News};
use kernel::{AgentId, CredentialId, OrganizationId, Timestamp, TokenId};

use crate::{
    agents::AgentDetails,
    authenticate::{AgentBrief, Parties},
};
use copies::Copies;
use told::{Subject, Told};

/// How long after the beginning of a look at the feed copies count.
const FRESH: Duration = Duration::from_secs(1);
/// How many clients there are copies of where nobody says otherwise, at some six hundred bytes each and
/// ninety for each token: as many as fill a hash table, and more than a hundred thousand.
const CLIENTS: usize = 114_688;

/// Copies of organizations, agents, credentials and of whether a token was revoked.
///
/// They are kept up to a number, and agents and credentials, of which one may be a hundred times as
/// large as another, up to a number of bytes; then whatever was used least recently goes.
pub struct Known {
    // One lock for everything: whether a copy may be put in and putting it in must be one step,
    // and a look-up is done in less time than it takes to choose among several locks.
    state: Mutex<State>,
    /// Whether whoever writes is in this process, and tells.
    is_alone: bool,
}

/// The right to put in what is read from now on: the number of the last change that was told before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// What there is of a token where not all of it is there.
#[derive(Debug)]
pub(crate) struct Missing {
    /// The right to put in what is read from now on.
    pub(crate) ticket: Ticket,
    /// All on whom it depends, where it is only not known whether the token itself was revoked.
    pub(crate) parties: Option<Parties>,
}

/// How well the copies serve.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Look-ups that found everything.
    pub hits: u64,
    /// Look-ups that did not.
    pub misses: u64,
    /// Look-ups that found nothing since the last look at the feed was too long ago.
    pub bypasses: u64,
    /// How many copies there are.
    pub entries: usize,
}

struct State {
    copies: Copies,
    told: Told,
    freshness: Freshness,
    tally: Tally,
}

/// When copies count.
#[derive(Debug, Clone, Copy)]
enum Freshness {
    /// At any time: whoever writes is in this process, and tells.
    Always,
    /// Within a second of the beginning of the last look at the feed, once there was one.
    Since(Option<Timestamp>),
}

impl Freshness {
    /// An instant before the look is none within a second of it: a clock that steps back must not
    /// make a copy count for longer.
    fn covers(self, now: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::Since(None) => false,
            Self::Since(Some(looked_at)) => looked_at <= now && now < looked_at.plus(FRESH),
        }
    }
}

impl Known {
    /// For a process that has the store to itself, and is told of every change by it.
    #[must_use]
    pub fn alone() -> Self {
        Self::new(Freshness::Always)
    }

    /// For one process of several on a store. Nothing is found until somebody follows the feed of
    /// changes and tells what it says, by [`Known::learn`].
    #[must_use]
    pub fn followed() -> Self {
        Self::new(Freshness::Since(None))
    }

    /// The same, with copies of at most this many clients instead of 114,688, of as many tokens and of
    /// a quarter as many organizations: many of one kind leave the others alone. At least one of each.
    #[must_use]
    pub fn holding(self, clients: usize) -> Self {
        self.locked().copies = Copies::holding(clients);
        self
    }

    fn new(freshness: Freshness) -> Self {
        let copies = Copies::holding(CLIENTS);
        let state = State { copies, told: Told::new(), freshness, tally: Tally::default() };
        let is_alone = matches!(freshness, Freshness::Always);
        Self { state: Mutex::new(state), is_alone }
    }

    /// Takes over what a look at the feed found that began at this instant. From then on copies
    /// count for a second; one that began before the last does not shorten that.
    pub fn learn(&self, looked_at: Timestamp, news: &News) {
        self.hear(news);
        self.refresh(looked_at);
    }

    /// Copies count for a second from this instant, when a look at the feed began of which all was
    /// heard.
    pub fn refresh(&self, looked_at: Timestamp) {
        let mut state = self.locked();
        if let Freshness::Since(last) = state.freshness {
            state.freshness = Freshness::Since(last.max(Some(looked_at)));
        }
    }

    /// Takes over what a look at the feed found, without counting on copies for it yet.
    pub fn hear(&self, news: &News) {
        let mut state = self.locked();
        match news {
            News::Changes(changes) => state.hear(changes),
            News::Unknown => state.forget(),
        }
    }

    /// Whether copies count at this instant.
    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        self.locked().freshness.covers(now)
    }

    /// How well the copies have served until now.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let state = self.locked();
        Tally { entries: state.copies.len(), ..state.tally }
    }

    /// All on whom it depends whether this client is let in, by this credential of its own.
    ///
    /// # Errors
    /// Where there is no copy of one of them: the right to put in what is read from now on.
    pub(crate) fn client(
        &self,
        agent: AgentId,
        credential: CredentialId,
        now: Timestamp,
    ) -> Result<Parties, Ticket> {
        self.look_up(now, |copies| copies.client(agent, credential))
    }

    /// What is to know of an agent.
    ///
    /// # Errors
    /// Where there is no copy of it: the right to put in what is read from now on.
    pub(crate) fn agent(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<Arc<AgentBrief>, Ticket> {
        self.look_up(now, |copies| copies.agent(organization, agent))
    }

    /// All on whom it depends whether this token is good, and whether it was itself revoked. Only
    /// for a token that was verified.
    ///
    /// # Errors
    /// Where there is no copy of one of them.
    pub(crate) fn token(
        &self,
        claims: &Claims,
        now: Timestamp,
    ) -> Result<(Parties, bool), Missing> {
        let mut parties = None;
        let found = self.look_up(now, |copies| {
            parties = copies.parties(claims.organization, claims.agent, claims.credential);
            let revoked = copies.is_revoked((claims.organization, claims.id))?;
            Some((parties.take()?, revoked))
        });
        found.map_err(|ticket| Missing { ticket, parties })
    }

    /// An agent as it is shown. Whoever has the store to itself has exact copies; where others write
    /// too, what one of them has acknowledged must be seen, and the store is asked.
    ///
    /// # Errors
    /// Where there is no copy: the right to put in what is read from now on, if copies may be shown.
    pub(crate) fn details(
        &self,
        organization: OrganizationId,
        agent: AgentId,
        now: Timestamp,
    ) -> Result<AgentDetails, Option<Ticket>> {
        if !self.is_alone {
            return Err(None);
        }
        let key = (organization, agent);
        self.look_up(now, |copies| copies.details(&key, now)).map_err(Some)
    }

    /// Keeps an agent as it is shown, that was read with this ticket.
    pub(crate) fn keep_details(&self, ticket: Ticket, details: &AgentDetails, now: Timestamp) {
        let record = details.agent.record();
        let key = (record.organization, record.id);
        let mut state = self.locked();
        let told = [Subject::Agent(key), Subject::LastUse(key)];
        if !told.iter().any(|subject| state.told.of_since(subject, ticket)) {
            state.copies.keep_details(key, details, now);
        }
    }

    /// A token was issued, or may have been, and has not left yet. Nobody can have revoked it, which
    /// needs the token itself, so that a copy of that can be put in without a look at the store: what
    /// is told of it comes later. And its agent is shown with the time at which it last got one.
    pub(crate) fn issued(&self, claims: &Claims) {
        let mut state = self.locked();
        state.copies.keep_token((claims.organization, claims.id), false);
        if self.is_alone {
            let subject = Subject::LastUse((claims.organization, claims.agent));
            state.told.tell(&subject);
            state.copies.forget(&subject);
        }
    }

    /// Keeps what was read of a client with this ticket.
    pub(crate) fn keep_client(&self, ticket: Ticket, parties: &Parties) {
        let mut state = self.locked();
        state.keep(ticket, parties);
        let home = (parties.agent.id, parties.organization.id());
        // Where an agent belongs never changes.
        state.copies.keep_home(home);
    }

    /// Keeps what was read of a token with this ticket.
    pub(crate) fn keep_token(
        &self,
        ticket: Ticket,
        token: TokenId,
        parties: &Parties,
        revoked: bool,
    ) {
        let mut state = self.locked();
        state.keep(ticket, parties);
        let key = (parties.organization.id(), token);
        if !state.told.of_since(&Subject::Token(key), ticket) {
            state.copies.keep_token(key, revoked);
        }
    }

    fn look_up<T>(
        &self,
        now: Timestamp,
        find: impl FnOnce(&mut Copies) -> Option<T>,
    ) -> Result<T, Ticket> {
        let mut state = self.locked();
        if !state.freshness.covers(now) {
            state.tally.bypasses += 1;
            return Err(state.told.ticket());
        }
        if let Some(found) = find(&mut state.copies) {
            state.tally.hits += 1;
            return Ok(found);
        }
        state.tally.misses += 1;
        Err(state.told.ticket())
    }

    /// Somebody who panicked under the lock may have left a change half told: every copy is given
    /// up then, which is always right.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| {
            let mut state = poisoned.into_inner();
            state.forget();
            self.state.clear_poison();
            state
        })
    }
}

impl State {
    fn hear(&mut self, changes: &[Changed]) {
        for change in changes {
            match Subject::of(change) {
                Ok(Some(subject)) => {
                    self.told.tell(&subject);
                    self.copies.forget(&subject);
                }
                Ok(None) => {}
                // Something changed, and nobody knows what.
                Err(_) => self.forget(),
            }
        }
    }

    fn forget(&mut self) {
        self.told.tell_all();
        self.copies.forget_all();
    }

    /// Keeps those of whom nothing was told since the ticket.
    fn keep(&mut self, ticket: Ticket, parties: &Parties) {
        let organization = parties.organization.id();
        if !self.told.of_since(&Subject::Organization(organization), ticket) {
            self.copies.keep_organization(organization, parties.organization.clone());
        }
        let agent = (organization, parties.agent.id);
        if !self.told.of_since(&Subject::Agent(agent), ticket) {
            self.copies.keep_agent(agent, parties.agent.clone());
        }
        let credential = (organization, parties.credential.id());
        if !self.told.of_since(&Subject::Credential(credential), ticket) {
            self.copies.keep_credential(credential, parties.credential.clone());
        }
    }
}

impl ChangeListener for Known {
    fn changed(&self, changes: &[Changed]) {
        self.locked().hear(changes);
    }
}

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known").field("tally", &self.tally()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod shown_tests;
#[cfg(test)]
mod tests;
