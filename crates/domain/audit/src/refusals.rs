//! Refusals that come in numbers: the first of a minute are told one by one, the others are counted,
//! and the count is told.
//!
//! A refused caller needs nothing to be refused with, and can be so thousands of times a second. An
//! event is durable and stays: one for each would fill the disk, and none would hide the attack.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use kernel::{AgentId, OrganizationId, Timestamp};
use tenancy::{Actor, Origin, Scope};

use crate::event::{Action, Event};

const MINUTE: Duration = Duration::from_secs(60);

/// How many of whoever is refused are told apart at a time.
const MOST_APART: usize = 10_000;

/// How many more counts there are for those who are not told apart: one an action and organization.
const MOST_SHARED: usize = 1_000;

/// Who was refused, as it presented itself.
///
/// Whether an agent of the name exists makes no difference: telling takes longer than counting, and
/// what one decides by must not be what an attacker wants to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Where it asked from; `None` where that does not matter, since it has authenticated.
    pub address: Option<IpAddr>,
    /// Whom it named.
    pub named: Option<AgentId>,
}

impl Asker {
    /// An agent that has authenticated.
    #[must_use]
    pub const fn authenticated(agent: AgentId) -> Self {
        Self { address: None, named: Some(agent) }
    }

    /// Whoever is held to the number, the address first: one address that names many agents uses up
    /// its own number, and not the places of others.
    fn sources(self) -> impl Iterator<Item = Source> {
        let address = self.address.map(Source::of_address);
        let named = self.named.map(Source::Agent);
        let nobody = (address.is_none() && named.is_none()).then_some(Source::Nobody);
        address.into_iter().chain(named).chain(nobody)
    }
}

/// What becomes of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is told by an event of its own.
    Tell,
    /// It is counted.
    Count,
}

/// Whose refusals are told and counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Agent(AgentId),
    Address(IpAddr),
    Nobody,
    /// All for whom there is no place.
    Others,
}

impl Source {
    /// Whoever has one address of version 6 has the 2^64 of its network.
    fn of_address(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                let network = u128::from(address) >> 64 << 64;
                IpAddr::V6(Ipv6Addr::from(network))
            }
        })
    }

    fn of(scope: &Scope) -> Self {
        let agent = scope.actor().agent().map(Self::Agent);
        let address = || scope.origin().address.map(Self::of_address);
        agent.or_else(address).unwrap_or(Self::Nobody)
    }
}

/// How many refusals were told since when.
#[derive(Debug, Clone, Copy)]
struct Told {
    since: Timestamp,
    times: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    organization: OrganizationId,
    action: Action,
    source: Source,
}

/// Refusals that were counted, and what they have in common.
#[derive(Debug, Clone, PartialEq)]
struct Tally {
    count: u64,
    from: Timestamp,
    until: Timestamp,
    actor: Actor,
    origin: Origin,
    event: Event,
}

impl Tally {
    fn one(scope: &Scope, event: &Event, now: Timestamp) -> Self {
        let (actor, origin) = (scope.actor(), scope.origin().clone());
        Self { count: 1, from: now, until: now, actor, origin, event: event.clone() }
    }

    /// Takes another one in. Actor, address, user agent and resource are kept where they are the
    /// same; the rest is that of whichever is the later.
    fn take_in(&mut self, other: &Self) {
        let (before, after) =
            if other.until < self.until { (other, &*self) } else { (&*self, other) };
        let is_same_resource = before.event.resource() == after.event.resource();
        let resource = after.event.resource().filter(|_| is_same_resource).cloned();
        let (old, new) = (&before.origin, &after.origin);
        *self = Self {
            count: self.count.saturating_add(other.count),
            from: self.from.min(other.from),
            until: after.until,
            actor: if before.actor == after.actor {
                after.actor
            } else {
                Actor::Unauthenticated { claims: None }
            },
            origin: Origin {
                request: new.request.clone(),
                address: new.address.filter(|_| old.address == new.address),
                user_agent: new.user_agent.clone().filter(|_| old.user_agent == new.user_agent),
            },
            event: after.event.clone().about(resource),
        };
    }
}

/// Refusals that were counted, as they are to be told.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    key: Key,
    tally: Tally,
}

impl Counted {
    /// How many.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.tally.count
    }

    /// On whose behalf the event is kept.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let Tally { actor, origin, .. } = &self.tally;
        Scope::new(self.key.organization, *actor, origin.clone())
    }

    /// The event that tells of them: that of the last one, with how many there were and when.
    #[must_use]
    pub fn event(&self) -> Event {
        let Tally { count, from, until, event, .. } = &self.tally;
        event
            .clone()
            .with("count", *count)
            .with("from", from.to_string())
            .with("until", until.to_string())
    }
}

/// Decides which refusals are told, and counts the others. Bounded, whoever is refused.
#[derive(Debug)]
pub struct Refusals {
    platform: OrganizationId,
    most_told: NonZeroU32,
    told: BTreeMap<(Action, Source), Told>,
    counts: BTreeMap<Key, Tally>,
}

impl Refusals {
    /// Tells so many a minute of one client or address. The platform's log tells of those for whose
    /// organization there is no place either.
    #[must_use]
    pub const fn new(platform: OrganizationId, most_told: NonZeroU32) -> Self {
        Self { platform, most_told, told: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// Whether one more refusal is told. What is not must be counted.
    pub fn weigh(&mut self, action: Action, asker: Asker, now: Timestamp) -> Verdict {
        if !asker.sources().all(|source| self.has_room(action, source, now)) {
            return Verdict::Count;
        }
        for source in asker.sources() {
            let told = self.told.entry(self.place(action, source)).or_insert(Told::none(now));
            if told.is_over(now) {
                *told = Told::none(now);
            }
            told.times = told.times.saturating_add(1);
        }
        Verdict::Tell
    }

    fn has_room(&self, action: Action, source: Source, now: Timestamp) -> bool {
        let told = self.told.get(&self.place(action, source));
        told.is_none_or(|told| told.is_over(now) || told.times < self.most_told.get())
    }

    fn place(&self, action: Action, source: Source) -> (Action, Source) {
        let own = (action, source);
        let has_place = self.told.len() < MOST_APART || self.told.contains_key(&own);
        if has_place { own } else { (action, Source::Others) }
    }

    /// Counts a refusal that is not told.
    pub fn count(&mut self, scope: &Scope, event: &Event, now: Timestamp) {
        let (organization, action) = (scope.organization(), event.action());
        let key = Key { organization, action, source: Source::of(scope) };
        self.add(key, Tally::one(scope, event, now));
    }

    fn add(&mut self, key: Key, tally: Tally) {
        let key = self.place_of_count(key);
        match self.counts.get_mut(&key) {
            Some(there) => there.take_in(&tally),
            None => {
                self.counts.insert(key, tally);
            }
        }
    }

    fn place_of_count(&self, own: Key) -> Key {
        let shared = Key { source: Source::Others, ..own };
        let last = Key { organization: self.platform, ..shared };
        let places = [(own, MOST_APART), (shared, MOST_APART + MOST_SHARED)];
        let has_place =
            |(key, most): &(Key, usize)| self.counts.len() < *most || self.counts.contains_key(key);
        places.into_iter().find(has_place).map_or(last, |(key, _)| key)
    }

    /// Gives out the counts whose minute is over, and forgets what was told before.
    pub fn due(&mut self, now: Timestamp) -> Vec<Counted> {
        self.told.retain(|_, told| !told.is_over(now));
        self.give_out(|tally| is_over(tally.from, now))
    }

    /// Gives out all counts, whether their minute is over or not.
    pub fn all(&mut self) -> Vec<Counted> {
        self.give_out(|_| true)
    }

    fn give_out(&mut self, which: impl Fn(&Tally) -> bool) -> Vec<Counted> {
        let keys: Vec<_> =
            self.counts.iter().filter(|(_, tally)| which(tally)).map(|(key, _)| *key).collect();
        let take = |key| self.counts.remove(&key).map(|tally| Counted { key, tally });
        keys.into_iter().filter_map(take).collect()
    }

    /// How many refusals there are in all counts.
    #[must_use]
    pub fn counted(&self) -> u64 {
        self.counts.values().fold(0, |sum, tally| sum.saturating_add(tally.count))
    }

    /// Takes a count back that could not be told, to be told together with what was counted since.
    pub fn put_back(&mut self, counted: Counted) {
        self.add(counted.key, counted.tally);
    }
}

impl Told {
    const fn none(now: Timestamp) -> Self {
        Self { since: now, times: 0 }
    }

    fn is_over(&self, now: Timestamp) -> bool {
        is_over(self.since, now)
    }
}

/// A clock that was set back ends a minute too: it would otherwise last until the clock is there
/// again.
fn is_over(since: Timestamp, now: Timestamp) -> bool {
    now < since || now.since(since) >= MINUTE
}

#[cfg(test)]
mod tests;
