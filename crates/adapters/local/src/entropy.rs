//! The machine's source of randomness.

use std::{
    fmt,
    sync::{Mutex, MutexGuard},
};

use kernel::{Entropy, EntropyUnavailable};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::{Zeroize, Zeroizing};

/// How many bytes are asked of the operating system at a time. To ask takes a third of a microsecond
/// however few they are, and a token needs some at four places.
const SUPPLY: usize = 1_024;

/// What is longer is asked for by itself: nothing of that size is needed often. Ids, salts and client
/// secrets lie ready for some requests, in a memory in which the keys lie that sign.
const SHORT: usize = 32;

/// Randomness of the operating system, fit for keys and secrets.
///
/// No byte is given out twice, and each is wiped once it is given out. A copy of this process would give
/// out the same: no server here forks, and a machine's memory must not be cloned while one runs.
pub struct SystemEntropy {
    source: SystemRandom,
    supply: Mutex<Supply>,
}

impl SystemEntropy {
    /// The machine's source.
    #[must_use]
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one adapter that asks the machine")]
        let source = SystemRandom::new();
        Self { source, supply: Mutex::new(Supply::empty()) }
    }

    fn ask(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.source.fill(buffer).map_err(|_| EntropyUnavailable)
    }

    /// What is left after somebody panicked is given up: it is not known what of it was given out.
    fn supply(&self) -> MutexGuard<'_, Supply> {
        self.supply.lock().unwrap_or_else(|poisoned| {
            let mut supply = poisoned.into_inner();
            *supply = Supply::empty();
            self.supply.clear_poison();
            supply
        })
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        if buffer.len() > SHORT {
            return self.ask(buffer);
        }
        let mut supply = self.supply();
        if supply.give(buffer) {
            return Ok(());
        }
        supply.refill(|bytes| self.ask(bytes))?;
        if supply.give(buffer) { Ok(()) } else { Err(EntropyUnavailable) }
    }
}

impl fmt::Debug for SystemEntropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemEntropy").finish_non_exhaustive()
    }
}

/// Random bytes that nobody has been given. Those from `left` on are given out, and wiped.
struct Supply {
    bytes: Zeroizing<[u8; SUPPLY]>,
    left: usize,
}

impl Supply {
    fn empty() -> Self {
        Self { bytes: Zeroizing::new([0; SUPPLY]), left: 0 }
    }

    /// Replaces all of it where it lies, so that no copy of it stays on the stack. Where that fails,
    /// nothing is left.
    fn refill(
        &mut self,
        ask: impl FnOnce(&mut [u8]) -> Result<(), EntropyUnavailable>,
    ) -> Result<(), EntropyUnavailable> {
        self.left = 0;
        ask(&mut *self.bytes)?;
        self.left = SUPPLY;
        Ok(())
    }

    /// Fills the buffer with the last bytes that are left, if they are enough.
    fn give(&mut self, buffer: &mut [u8]) -> bool {
        let Some(left) = self.left.checked_sub(buffer.len()) else { return false };
        let Some(given) = self.bytes.get_mut(left..self.left) else { return false };
        self.left = left;
        buffer.copy_from_slice(given);
        given.zeroize();
        true
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        panic::{AssertUnwindSafe, catch_unwind},
        thread,
    };

    use super::*;

    #[test]
    fn every_byte_is_filled_and_no_two_buffers_are_alike() {
        for length in [SHORT, 48] {
            let entropy = SystemEntropy::default();
            let mut seen = HashSet::new();
            let mut ever_set = vec![0_u8; length];
            for _ in 0..200 {
                let mut buffer = vec![0; length];
                entropy.fill(&mut buffer).unwrap();
                ever_set.iter_mut().zip(&buffer).for_each(|(ever, byte)| *ever |= byte);
                assert!(seen.insert(buffer));
            }
            // A byte that is skipped stays zero in all of them; by chance that is 1 in 256^200.
            assert!(ever_set.iter().all(|byte| *byte != 0));
        }
    }

    #[test]
    fn nothing_is_given_out_twice_however_many_ask_at_once() {
        let entropy = SystemEntropy::new();
        let some = || {
            let fill = |_| {
                let mut buffer = [0; 12];
                entropy.fill(&mut buffer).unwrap();
                buffer
            };
            (0..20_000).map(fill).collect::<Vec<_>>()
        };
        let all: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(some)).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 80_000);
    }

    #[test]
    fn what_was_given_out_is_wiped_and_the_rest_is_as_it_was() {
        let mut supply = Supply { bytes: Zeroizing::new([7; SUPPLY]), left: SUPPLY };
        let mut buffer = [0; 10];
        assert!(supply.give(&mut buffer));
        assert_eq!((buffer, supply.left), ([7; 10], SUPPLY - 10));
        assert!(supply.bytes[..SUPPLY - 10].iter().all(|byte| *byte == 7));
        assert!(supply.bytes[SUPPLY - 10..].iter().all(|byte| *byte == 0));
        let mut long = [0; SUPPLY];
        assert!(!supply.give(&mut long), "it is not enough");
        assert_eq!((long, supply.left), ([0; SUPPLY], SUPPLY - 10));
    }

    #[test]
    fn where_the_system_has_none_nothing_is_given_out() {
        let mut supply = Supply { bytes: Zeroizing::new([7; SUPPLY]), left: 5 };
        let failed = supply.refill(|bytes| {
            bytes[..100].fill(8);
            Err(EntropyUnavailable)
        });
        assert!(failed.is_err());
        let mut buffer = [0; 1];
        assert!(!supply.give(&mut buffer));
        assert_eq!((buffer, supply.left), ([0], 0));
        let refilled = supply.refill(|bytes| {
            bytes.fill(9);
            Ok(())
        });
        assert!(refilled.is_ok());
        assert!(supply.give(&mut buffer));
        assert_eq!((buffer, supply.left), ([9], SUPPLY - 1));
    }

    #[test]
    fn what_is_long_is_not_taken_from_what_lies_ready() {
        let entropy = SystemEntropy::new();
        entropy.fill(&mut [0; 8]).unwrap();
        let left = entropy.supply().left;
        entropy.fill(&mut [0; SHORT + 1]).unwrap();
        assert_eq!(entropy.supply().left, left);
    }

    #[test]
    fn whoever_panics_midway_leaves_nothing_to_be_given_out() {
        let entropy = SystemEntropy::new();
        entropy.fill(&mut [0; 8]).unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _held = entropy.supply.lock();
            panic!("under the lock");
        }));
        assert!(panicked.is_err());
        assert_eq!(entropy.supply().left, 0);
        entropy.fill(&mut [0; 8]).unwrap();
    }
}
