//! Choices that are the same in every run (SplitMix64).

use std::ops::Range;

use uuid::Uuid;

/// A sequence of choices.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The sequence that grows from this number.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from the range, which must not be empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.number() % (range.end - range.start)
    }

    /// Two numbers from the range, the smaller first. `None` where it has not two.
    pub fn two(&mut self, range: Range<u64>) -> Option<(u64, u64)> {
        if range.end < range.start + 2 {
            return None;
        }
        let first = self.within(range.start..range.end - 1);
        Some((first, self.within(first + 1..range.end)))
    }

    /// Whether a coin fell on its head.
    pub fn coin(&mut self) -> bool {
        self.number().is_multiple_of(2)
    }

    /// One of these, of which there must be one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.number() % u64::try_from(from.len()).unwrap();
        &from[usize::try_from(at).unwrap()]
    }

    /// An id that nothing has.
    pub fn id(&mut self) -> Uuid {
        Uuid::from_u64_pair(self.number(), self.number())
    }

    /// The same bytes but for one bit.
    pub fn flipped<const N: usize>(&mut self, mut bytes: [u8; N]) -> [u8; N] {
        let at = usize::try_from(self.number() % u64::try_from(N).unwrap()).unwrap();
        bytes[at] ^= 1 << (self.number() % 8);
        bytes
    }
}
