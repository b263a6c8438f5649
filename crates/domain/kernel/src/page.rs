//! Pages of a list: where one starts, how long it is, and how many rows there are in all.

use std::num::NonZeroU32;

/// How many rows a page holds: 1 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

impl Limit {
    /// The longest page.
    pub const MAX: u32 = 100;

    /// A limit, if the number lies between 1 and 100.
    #[must_use]
    pub fn new(rows: u32) -> Option<Self> {
        (1..=Self::MAX).contains(&rows).then_some(Self(rows))
    }

    /// The number of rows.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Limit {
    /// Twenty rows, as the contract says.
    fn default() -> Self {
        Self(20)
    }
}

/// Where a page starts. Lists run from the newest id to the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<Id> {
    /// At the first row of this page, counted from 1.
    Page(NonZeroU32),
    /// At the first row older than this one.
    After(Id),
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest<Id> {
    /// Where it starts.
    pub start: Start<Id>,
    /// How many rows it may hold.
    pub limit: Limit,
}

impl<Id: Copy> PageRequest<Id> {
    /// How many rows come before the page.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self.start {
            Start::Page(page) => u64::from(page.get() - 1) * u64::from(self.limit.get()),
            Start::After(_) => 0,
        }
    }

    /// The id that every row of the page must be older than, if any.
    #[must_use]
    pub fn older_than(&self) -> Option<Id> {
        match self.start {
            Start::Page(_) => None,
            Start::After(id) => Some(id),
        }
    }
}

/// How many rows match in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Exactly so many.
    Exactly(u64),
    /// So many or more: counting on would cost more than the answer is worth.
    AtLeast(u64),
}

impl Total {
    /// How far rows are counted.
    pub const COUNTED_TO: u64 = 10_000;

    /// The total of a count that stopped after [`Total::COUNTED_TO`] and one.
    #[must_use]
    pub const fn counted(rows: u64) -> Self {
        if rows > Self::COUNTED_TO { Self::AtLeast(Self::COUNTED_TO) } else { Self::Exactly(rows) }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, Id> {
    /// The rows, newest first.
    pub rows: Vec<T>,
    /// How many match in all.
    pub total: Total,
    /// The last row's id, if older ones follow.
    pub next: Option<Id>,
}

impl<T, Id> Page<T, Id> {
    /// Makes a page of rows that were fetched one past the limit, which tells whether more follow.
    #[must_use]
    pub fn from_one_past(
        mut rows: Vec<T>,
        limit: Limit,
        total: Total,
        id: impl Fn(&T) -> Id,
    ) -> Self {
        let limit = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(id) } else { None };
        Self { rows, total, next }
    }

    /// The same page with each row turned into something else.
    #[must_use]
    pub fn map<U>(self, into: impl FnMut(T) -> U) -> Page<U, Id> {
        Page { rows: self.rows.into_iter().map(into).collect(), total: self.total, next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_another_follows() {
        let limit = Limit::new(2).unwrap();
        let full = Page::from_one_past(vec![9, 8, 7], limit, Total::Exactly(3), |row| *row);
        assert_eq!((full.rows, full.next), (vec![9, 8], Some(8)));
        let last = Page::from_one_past(vec![7], limit, Total::Exactly(3), |row| *row);
        assert_eq!((last.rows, last.next), (vec![7], None));
    }

    #[test]
    fn a_limit_lies_between_1_and_100() {
        assert!(Limit::new(0).is_none() && Limit::new(101).is_none());
        assert_eq!(Limit::new(100).map(Limit::get), Some(100));
    }

    #[test]
    fn counting_stops_at_ten_thousand() {
        assert_eq!(Total::counted(10_000), Total::Exactly(10_000));
        assert_eq!(Total::counted(10_001), Total::AtLeast(10_000));
    }
}
