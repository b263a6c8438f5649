//! A worker: its own agents in one organization, a connection to each replica, and how it asks.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, atomic::Ordering},
    thread,
};

use registry::{Permission, Role};
use serde_json::Value;

use crate::{
    dice::Dice,
    oracle,
    wire::{Answer, Connection, Request},
    world::{PLATFORM, Tally, Tenant, World, one_of},
};

/// An agent that stays as it is, with a token of everything that it may ask for.
#[derive(Debug, Clone)]
pub(crate) struct Party {
    pub(crate) agent: String,
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) role: Option<Role>,
}

impl Party {
    pub(crate) fn may(&self, permission: Permission) -> bool {
        self.role.is_some_and(|role| role.permissions().contains(&permission))
    }
}

/// An agent that this worker changes, and nobody else.
#[derive(Debug, Default)]
pub(crate) struct Guinea {
    pub(crate) agent: String,
    pub(crate) email: String,
    pub(crate) revision: u64,
    pub(crate) status: &'static str,
    /// Id and secret of those that work.
    pub(crate) credentials: Vec<(String, String)>,
    /// Those that were revoked.
    pub(crate) revoked: Vec<String>,
    /// How many were ever made.
    pub(crate) made: u64,
    pub(crate) tokens: Vec<String>,
}

/// An agent of this worker's that authenticates by keys, if at all.
#[derive(Debug, Default)]
pub(crate) struct Keyed {
    pub(crate) agent: String,
    /// What it calls those that are there.
    pub(crate) kids: Vec<String>,
    /// What it called those that were removed.
    pub(crate) removed: Vec<String>,
    /// How many were ever registered.
    pub(crate) made: u64,
}

/// In whose eyes an answer is judged, and whose log tells of a refusal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct By {
    listener: Option<usize>,
    log: usize,
}

impl By {
    /// A caller of this organization.
    pub(crate) fn caller_of(place: usize) -> Self {
        Self { listener: Some(place), log: place }
    }

    /// Somebody who is none, and names a client of this organization.
    pub(crate) fn impostor_of(place: usize) -> Self {
        Self { listener: None, log: place }
    }

    /// Somebody who names nobody.
    pub(crate) fn nobody() -> Self {
        Self { listener: None, log: PLATFORM }
    }
}

/// One that asks until enough was sent.
#[derive(Debug)]
pub(crate) struct Worker<'a> {
    pub(crate) world: &'a World,
    pub(crate) home: usize,
    pub(crate) number: u64,
    pub(crate) dice: Dice,
    pub(crate) people: Vec<Party>,
    pub(crate) guineas: Vec<Guinea>,
    pub(crate) keyed: Keyed,
    /// What a caller registered under a key: the body, and the agent that came of it.
    pub(crate) keys: BTreeMap<(usize, String), (Value, String)>,
    connections: Vec<Connection>,
    turn: usize,
    serial: u64,
    tally: Tally,
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.world.raise_alarm();
        }
    }
}

impl<'a> Worker<'a> {
    pub(crate) fn new(world: &'a World, home: usize, number: u64, seed: u64) -> Self {
        let place = u64::try_from(home).unwrap();
        // A sequence of its own: neighbours of a seed have nothing in common.
        let mut dice = Dice::new(seed ^ (place << 48) ^ (number << 56));
        dice.within(0..1);
        Self {
            world,
            home,
            number,
            dice,
            people: Vec::new(),
            guineas: Vec::new(),
            keyed: Keyed::default(),
            keys: BTreeMap::new(),
            connections: world.addresses.iter().map(|address| Connection::new(address)).collect(),
            turn: 0,
            serial: 0,
            tally: Tally::new(),
        }
    }

    /// Asks until enough was sent, and tells what it was answered.
    pub(crate) fn work(mut self) -> Tally {
        self.settle();
        // However short the run is, and whoever is the fastest, each operation is asked for.
        if self.number == 1 {
            self.tour();
        }
        while self.world.goes_on() {
            self.step();
        }
        std::mem::take(&mut self.tally)
    }

    pub(crate) fn tenant(&self) -> &'a Tenant {
        &self.world.tenants[self.home]
    }

    /// A number that this worker has not had, and its namesakes in other organizations have too.
    pub(crate) fn next_number(&mut self) -> String {
        self.serial += 1;
        format!("{}-{}", self.number, self.serial)
    }

    /// One of the agents that stay as they are: an admin in half of the cases.
    pub(crate) fn somebody(&mut self) -> (usize, Party) {
        let places: Vec<_> = (0..self.people.len()).collect();
        let admin = self.dice.one_in(2);
        let place = if admin { 0 } else { *one_of(&places, &mut self.dice).unwrap() };
        (place, self.people[place].clone())
    }

    /// The place of one of the agents that this worker changes.
    pub(crate) fn some_guinea(&mut self) -> Option<usize> {
        let places: Vec<_> = (0..self.guineas.len()).collect();
        one_of(&places, &mut self.dice).copied()
    }

    /// An id as the server makes them, of nothing that there is.
    pub(crate) fn nobodys_id(&mut self) -> String {
        let time = self.tenant().id.get(..14).unwrap();
        let (high, low) = (self.dice.within(0..0x1000), self.dice.within(0..0x1000));
        let tail = self.dice.within(0..1 << 48);
        format!("{time}7{high:03x}-8{low:03x}-{tail:012x}")
    }

    /// With a header that names another organization, which must not count for anything.
    pub(crate) fn misleading(&mut self, requests: [Request; 2]) -> [Request; 2] {
        if !self.dice.one_in(6) {
            return requests;
        }
        let other = self.world.another(self.home, &mut self.dice);
        let Tenant { id, marker, .. } = &self.world.tenants[other];
        let lies = [
            ("X-Tenant", id.clone()),
            ("X-Tenant-Id", marker.clone()),
            ("X-Organization-Id", id.clone()),
            ("X-Organization", marker.clone()),
            ("X-Forwarded-Host", format!("{marker}.example.com")),
            ("Forwarded", format!("host={marker}.example.com")),
            ("Host", format!("{marker}.example.com")),
            ("Cookie", format!("organization={id}")),
        ];
        let (name, value) = one_of(&lies, &mut self.dice).unwrap();
        requests.map(|request| request.header(name, value.clone()))
    }

    /// Asks, and counts on one of these statuses. A success leaves the event of its route.
    #[track_caller]
    pub(crate) fn ask(&mut self, by: By, request: Request, statuses: &[u16]) -> Answer {
        let events = u64::from(request.leaves_an_event());
        self.ask_leaving(events, by, request, statuses)
    }

    /// The same, where a success leaves another number of events.
    #[track_caller]
    pub(crate) fn ask_leaving(
        &mut self,
        events: u64,
        by: By,
        request: Request,
        statuses: &[u16],
    ) -> Answer {
        let [request, _] = self.misleading([request.clone(), request]);
        let gate = &self.world.tenants[by.log].gate;
        let _beside_others = gate.read().unwrap_or_else(PoisonError::into_inner);
        let answer = self.send(by, &request, events);
        assert!(statuses.contains(&answer.status), "{statuses:?}: {request:#?} {answer:#?}");
        answer
    }

    /// Asks for what is another's, and for what does not exist: the answers must be the same.
    #[track_caller]
    pub(crate) fn ask_alike(&mut self, by: By, pair: [Request; 2], statuses: &[u16]) -> Answer {
        let events = u64::from(pair[0].leaves_an_event());
        self.ask_alike_leaving(events, by, pair, statuses)
    }

    /// The same, where a success leaves another number of events.
    #[track_caller]
    pub(crate) fn ask_alike_leaving(
        &mut self,
        events: u64,
        by: By,
        pair: [Request; 2],
        statuses: &[u16],
    ) -> Answer {
        let pair = self.misleading(pair);
        let gate = &self.world.tenants[by.log].gate;
        let _beside_others = gate.read().unwrap_or_else(PoisonError::into_inner);
        self.compare(by, &pair, events, statuses)
    }

    /// The same, while nothing else is asked by or about this organization.
    #[track_caller]
    pub(crate) fn ask_alike_alone(&mut self, pair: [Request; 2]) -> Answer {
        let pair = self.misleading(pair);
        let _alone = self.tenant().gate.write().unwrap_or_else(PoisonError::into_inner);
        self.compare(By::caller_of(self.home), &pair, 0, &[200])
    }

    #[track_caller]
    fn compare(&mut self, by: By, pair: &[Request; 2], events: u64, statuses: &[u16]) -> Answer {
        let [foreign, nobodys] = pair;
        let answer = self.send(by, foreign, events);
        let other = self.send(by, nobodys, events);
        assert_eq!(
            answer.without_the_moment(),
            other.without_the_moment(),
            "{foreign:#?} {nobodys:#?}"
        );
        assert!(statuses.contains(&answer.status), "{statuses:?}: {foreign:#?} {answer:#?}");
        answer
    }

    /// What a list or the organization tells of numbers, while nothing changes.
    #[track_caller]
    pub(crate) fn ask_alone(&mut self, request: &Request) -> (Answer, [u64; 3]) {
        let tenant = self.tenant();
        let _alone = tenant.gate.write().unwrap_or_else(PoisonError::into_inner);
        let answer = self.send(By::caller_of(self.home), request, 0);
        assert_eq!(answer.status, 200, "{request:#?} {answer:#?}");
        let numbers = [&tenant.registered, &tenant.live, &tenant.events];
        (answer, numbers.map(|number| number.load(Ordering::SeqCst)))
    }

    /// To each replica in turn.
    #[track_caller]
    fn send(&mut self, by: By, request: &Request, events: u64) -> Answer {
        self.turn = (self.turn + 1) % self.connections.len();
        let answer = self.connections[self.turn].send(request);
        self.world.count();
        *self.tally.entry((request.operation, answer.status)).or_default() += 1;
        let complaint = oracle::complaint(self.world, by.listener, request, &answer);
        assert_eq!(complaint, None, "{by:?} {request:#?} {answer:#?}");
        self.world.tenants[by.log].take(request, &answer, events);
        answer
    }
}
