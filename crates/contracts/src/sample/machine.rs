//! A clock that ticks at each look, and randomness that repeats from run to run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use kernel::{
    AgentId, Clock, CredentialId, Entropy, EntropyUnavailable, OrganizationId, Timestamp,
};

/// A clock that stands in 2001, so that whatever expires by it has expired by the machine's clock
/// too, which databases look at. It moves by a little over a millisecond at each look: no two ids
/// are of one millisecond, and they sort in the order in which they were made.
#[derive(Debug)]
pub struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let micros = self.0.fetch_add(1_001, Ordering::Relaxed);
        Timestamp::from_unix_micros(micros).unwrap()
    }
}

/// Numbers that look random and never repeat within a run.
#[derive(Debug)]
pub struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        for chunk in buffer.chunks_mut(8) {
            let next = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            let mixed = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.iter_mut().zip(mixed.to_be_bytes()).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }
}

/// Time and randomness together.
#[derive(Debug, Clone)]
pub struct Machine {
    /// The clock.
    pub clock: Arc<Ticking>,
    /// The randomness.
    pub entropy: Arc<Seeded>,
}

impl Default for Machine {
    fn default() -> Self {
        let (clock, entropy) = (AtomicI64::new(1_000_000_000_000_000), AtomicU64::new(42));
        Self { clock: Arc::new(Ticking(clock)), entropy: Arc::new(Seeded(entropy)) }
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
        self.clock.0.fetch_add(micros, Ordering::Relaxed);
    }

    /// Sets the clock back, as an operator might.
    pub fn wind_back(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.clock.0.fetch_sub(micros, Ordering::Relaxed);
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
