//! A clock that ticks at each look, and randomness that repeats from run to run.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use audit::{ChangeListener, Changed};
use kernel::{
    AgentId, Clock, CredentialId, Entropy, EntropyUnavailable, OrganizationId, Timestamp,
};

/// A clock that stands in 2001, so that whatever expires by it has expired by the machine's clock
/// too, which databases look at. It moves by a little over a millisecond at each look: no two ids
/// are of one millisecond, and they sort in the order in which they were made.
#[derive(Debug)]
pub struct Ticking {
    next: AtomicI64,
    again: AtomicBool,
}

impl Ticking {
    const TICK: i64 = 1_001;
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let again = self.again.swap(false, Ordering::Relaxed);
        let micros = match again {
            true => self.next.load(Ordering::Relaxed) - Self::TICK,
            false => self.next.fetch_add(Self::TICK, Ordering::Relaxed),
        };
        Timestamp::from_unix_micros(micros).unwrap()
    }
}

/// Numbers that look random and never repeat within a run.
#[derive(Debug)]
pub struct Seeded {
    next: AtomicU64,
    last: AtomicU64,
    again: AtomicBool,
}

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        if self.again.swap(false, Ordering::Relaxed) {
            self.next.store(self.last.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        // Ids are short. What else an event has of its own comes after its id.
        if buffer.len() <= 16 {
            self.last.store(self.next.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        for chunk in buffer.chunks_mut(8) {
            let next = self.next.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.iter_mut().zip(mixed.to_be_bytes()).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

/// Remembers the changes that a store told of.
#[derive(Debug, Default)]
pub struct Heard(Mutex<Vec<Changed>>);

impl ChangeListener for Heard {
    fn changed(&self, changes: &[Changed]) {
        self.0.lock().unwrap().extend_from_slice(changes);
    }
}

impl Heard {
    /// What was told since the last time that somebody asked.
    #[must_use]
    pub fn take(&self) -> Vec<Changed> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Time, randomness, and an ear for changes.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The clock.
    pub clock: Arc<Ticking>,
    /// The randomness.
    pub entropy: Arc<Seeded>,
    /// Whom the store tells of changes.
    pub heard: Arc<Heard>,
}

impl Default for Machine {
    fn default() -> Self {
        let next = AtomicI64::new(1_000_000_000_000_000);
        let clock = Ticking { next, again: AtomicBool::default() };
        let (next, last) = (AtomicU64::new(42), AtomicU64::new(42));
        let entropy = Seeded { next, last, again: AtomicBool::default() };
        Self { clock: Arc::new(clock), entropy: Arc::new(entropy), heard: Arc::default() }
    }
}

impl Machine {
    /// The present instant; the next one is later.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock on.
    pub fn wait(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.clock.next.fetch_add(micros, Ordering::Relaxed);
    }

    /// Sets the clock back, as an operator might.
    pub fn wind_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.clock.next.fetch_sub(micros, Ordering::Relaxed);
    }

    /// Makes the next instant and the next randomness the same as the last, so that an id is made
    /// a second time.
    pub fn repeat_itself_once(&self) {
        self.clock.again.store(true, Ordering::Relaxed);
        self.entropy.again.store(true, Ordering::Relaxed);
    }

    /// A new id.
    #[must_use]
    pub fn organization_id(&self) -> OrganizationId {
        OrganizationId::generate(self.now(), &*self.entropy).unwrap()
    }

    /// A new id.
    #[must_use]
    pub fn agent_id(&self) -> AgentId {
        AgentId::generate(self.now(), &*self.entropy).unwrap()
    }

    /// A new id.
    #[must_use]
    pub fn credential_id(&self) -> CredentialId {
        CredentialId::generate(self.now(), &*self.entropy).unwrap()
    }

    /// Bytes that were never given out before.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes).unwrap();
        bytes
    }
}

/// So many seconds later.
#[must_use]
pub fn later(than: Timestamp, seconds: u64) -> Timestamp {
    than.plus(Duration::from_secs(seconds))
}
