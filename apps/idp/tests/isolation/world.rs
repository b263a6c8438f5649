//! What the whole run knows: the organizations, whose each id is, and what must be in each log.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::{
    dice::Dice,
    founding::{self, Founded},
    ids::{self, Ids},
    installation::Installation,
    oracle,
    wire::{Answer, Request},
};

/// How many organizations have callers. The platform comes after them: it has none.
pub(crate) const TENANTS: usize = 3;
/// The platform's place: its log tells of callers that named nobody.
pub(crate) const PLATFORM: usize = TENANTS;
/// How many things of a kind are remembered, for others to ask for.
const REMEMBERED: usize = 2_000;

/// All that the workers share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) addresses: Vec<String>,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) ids: Ids,
    sent: AtomicU64,
    enough: u64,
    alarm: AtomicBool,
}

/// An organization.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    /// Stands in every text of this organization, and nowhere else.
    pub(crate) marker: String,
    pub(crate) admin: Founded,
    pub(crate) known: Mutex<Known>,
    /// How many agents were ever registered, and how many of them are not decommissioned.
    pub(crate) registered: AtomicU64,
    pub(crate) live: AtomicU64,
    /// How many events its log must hold.
    pub(crate) events: AtomicU64,
    /// Taken for writing by whoever must be alone with this organization.
    pub(crate) gate: RwLock<()>,
}

/// What others may ask for in vain.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) agents: Vec<String>,
    /// Agent and credential.
    pub(crate) credentials: Vec<(String, String)>,
    /// Agent, and what it calls a key.
    pub(crate) keys: Vec<(String, String)>,
    pub(crate) events: Vec<String>,
    /// Tokens that stay good.
    pub(crate) tokens: Vec<String>,
    /// Tokens that may have been revoked.
    pub(crate) spent: Vec<String>,
}

impl World {
    /// Three organizations beside the platform, which was founded as `admin.json` has it.
    pub(crate) fn found(
        installation: &Installation,
        platform: Founded,
        names: [String; 4],
    ) -> Self {
        let tenants = founding::found(&installation.database_url(), &names[..TENANTS]);
        let all = tenants.into_iter().chain([platform]).zip(names);
        let tenants: Vec<_> = all.map(|(founded, marker)| Tenant::new(founded, marker)).collect();
        let world = Self {
            addresses: installation.addresses(),
            tenants,
            ids: Ids::new(),
            sent: AtomicU64::new(0),
            enough: 0,
            alarm: AtomicBool::new(false),
        };
        for (place, tenant) in world.tenants.iter().enumerate() {
            for id in [&tenant.id, &tenant.admin.admin, &tenant.admin.credential] {
                world.ids.owner(ids::parse(id).unwrap(), Some(place));
            }
        }
        world
    }

    /// With so many requests to send.
    pub(crate) fn sending(self, enough: u64) -> Self {
        Self { enough, ..self }
    }

    /// Whether there is more to send.
    pub(crate) fn goes_on(&self) -> bool {
        self.sent() < self.enough && !self.alarm.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends the run, since somebody found something.
    pub(crate) fn raise_alarm(&self) {
        self.alarm.store(true, Ordering::Relaxed);
    }

    /// Another organization than this one.
    pub(crate) fn another(&self, home: usize, dice: &mut Dice) -> usize {
        let places: Vec<_> = (0..self.tenants.len()).filter(|place| *place != home).collect();
        *one_of(&places, dice).unwrap()
    }
}

impl Tenant {
    fn new(admin: Founded, marker: String) -> Self {
        let known = Known {
            agents: vec![admin.admin.clone()],
            credentials: vec![(admin.admin.clone(), admin.credential.clone())],
            ..Known::default()
        };
        Self {
            id: admin.organization.clone(),
            marker,
            admin,
            known: Mutex::new(known),
            registered: AtomicU64::new(1),
            live: AtomicU64::new(1),
            events: AtomicU64::new(0),
            gate: RwLock::new(()),
        }
    }

    /// Counts what an answer has left, while whoever counts the rows waits at the gate.
    pub(crate) fn take(&self, request: &Request, answer: &Answer, of_a_success: u64) {
        let events = oracle::events(request, answer, of_a_success);
        self.events.fetch_add(events, Ordering::SeqCst);
        match (request.operation, answer.status) {
            ("createAgent", 201) => {
                self.registered.fetch_add(events, Ordering::SeqCst);
                self.live.fetch_add(events, Ordering::SeqCst);
            }
            ("decommissionAgent", 204) => {
                self.live.fetch_sub(events, Ordering::SeqCst);
            }
            _ => {}
        }
    }

    /// One of the things of a kind that are known, if there is any.
    pub(crate) fn some<T: Clone>(
        &self,
        kind: impl Fn(&Known) -> &Vec<T>,
        dice: &mut Dice,
    ) -> Option<T> {
        one_of(kind(&self.known()), dice).cloned()
    }

    /// One of its agents.
    pub(crate) fn some_agent(&self, dice: &mut Dice) -> String {
        self.some(|known| &known.agents, dice).unwrap()
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them, if there is any.
pub(crate) fn one_of<'a, T>(all: &'a [T], dice: &mut Dice) -> Option<&'a T> {
    let count = u64::try_from(all.len()).unwrap();
    (count > 0).then(|| &all[usize::try_from(dice.within(0..count)).unwrap()])
}

/// Remembers another, in the place of an older one where there are too many.
pub(crate) fn remember<T>(all: &mut Vec<T>, one: T, dice: &mut Dice) {
    if all.len() < REMEMBERED {
        all.push(one);
    } else {
        let place = usize::try_from(dice.within(0..u64::try_from(REMEMBERED).unwrap())).unwrap();
        all[place] = one;
    }
}

/// How often each operation was answered with each status.
pub(crate) type Tally = BTreeMap<(&'static str, u16), u64>;
