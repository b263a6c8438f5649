//! The machine's source of randomness.

use kernel::{Entropy, EntropyUnavailable};
use ring::rand::{SecureRandom, SystemRandom};

/// Randomness of the operating system, fit for keys and secrets.
#[derive(Debug, Clone)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The machine's source.
    #[must_use]
    pub fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one adapter that asks the machine")]
        let source = SystemRandom::new();
        Self(source)
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.0.fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_byte_is_filled_and_no_two_buffers_are_alike() {
        let entropy = SystemEntropy::default();
        let mut seen = HashSet::new();
        let mut ever_set = [0_u8; 32];
        for _ in 0..100 {
            let mut buffer = [0; 32];
            entropy.fill(&mut buffer).unwrap();
            ever_set.iter_mut().zip(buffer).for_each(|(ever, byte)| *ever |= byte);
            assert!(seen.insert(buffer));
        }
        // A byte that is skipped stays zero in all hundred; by chance that is 1 in 256^100.
        assert!(ever_set.iter().all(|byte| *byte != 0));
    }
}
