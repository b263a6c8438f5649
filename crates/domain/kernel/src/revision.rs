//! How often a record was changed: what a change names to prove that it is not stale.

/// The revision of a record. It starts at 1 and grows by one with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u32);

impl Revision {
    /// The revision of a record that was just made.
    pub const FIRST: Self = Self(1);

    /// A stored revision, if the number can be one.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        u32::try_from(number).ok().filter(|number| *number > 0).map(Self)
    }

    /// The revision after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}
