//! What is erased next, of what may be.

use std::ops::Range;

use crate::sequence::Trimmed;

/// Up to which position something may be erased, and is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// May be.
    pub may: Trimmed,
    /// Is.
    pub is: Trimmed,
}

/// What is erased in one transaction. Runs are of positions; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Of these the content, and personal data with it.
    pub content: Range<u64>,
    /// Of these the personal data alone.
    pub personal_data: Range<u64>,
    /// Up to which position what is erased then.
    pub after: Trimmed,
}

impl Erasure {
    /// The next of so many events at most: content first. `None` where nothing is left to erase.
    #[must_use]
    pub fn next(self, most: u64) -> Option<Step> {
        let Self { may, is } = self;
        let content = run(is.content, may.content, most);
        let left = most.saturating_sub(count(&content));
        let personal_data = run(is.personal_data.max(content.end), may.personal_data, left);
        let after = Trimmed { content: content.end, personal_data: personal_data.end };
        let step = Step { content, personal_data, after };
        (step.count() > 0).then_some(step)
    }
}

impl Step {
    /// How many events it is of.
    #[must_use]
    pub fn count(&self) -> u64 {
        count(&self.content).saturating_add(count(&self.personal_data))
    }
}

/// The next positions, at most so many.
fn run(is: u64, may: u64, most: u64) -> Range<u64> {
    is..may.min(is.saturating_add(most)).max(is)
}

const fn count(run: &Range<u64>) -> u64 {
    run.end.saturating_sub(run.start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trimmed(content: u64, personal_data: u64) -> Trimmed {
        Trimmed { content, personal_data }
    }

    fn next(may: (u64, u64), is: (u64, u64), most: u64) -> Option<Step> {
        Erasure { may: trimmed(may.0, may.1), is: trimmed(is.0, is.1) }.next(most)
    }

    #[test]
    fn content_goes_first_and_takes_personal_data_along() {
        let step = next((3, 5), (0, 0), 100).unwrap();
        assert_eq!((step.content.clone(), step.personal_data.clone()), (0..3, 3..5));
        assert_eq!((step.after, step.count()), (trimmed(3, 5), 5));
    }

    #[test]
    fn no_more_is_erased_at_once_than_asked_for() {
        let step = next((3, 5), (0, 0), 2).unwrap();
        assert_eq!((step.content.clone(), step.personal_data.is_empty()), (0..2, true));
        assert_eq!((step.after, step.count()), (trimmed(2, 2), 2));
        let step = next((3, 5), (2, 2), 2).unwrap();
        assert_eq!((step.content, step.personal_data), (2..3, 3..4));
        assert_eq!(next((3, 5), (0, 0), 0), None);
    }

    #[test]
    fn content_whose_personal_data_is_gone_leaves_the_mark_of_that_where_it_is() {
        let step = next((3, 9), (1, 7), 2).unwrap();
        assert_eq!((step.content, step.personal_data.is_empty()), (1..3, true));
        assert_eq!(step.after, trimmed(3, 7));
    }

    #[test]
    fn nothing_is_erased_twice_or_before_it_may_be() {
        assert_eq!(next((3, 5), (3, 5), 100), None);
        assert_eq!(next((0, 0), (0, 0), 100), None);
        // Marks that lie further than they may are a store's trouble, and no reason to erase.
        assert_eq!(next((1, 2), (3, 5), 100), None);
    }

    proptest! {
        #[test]
        fn bite_by_bite_everything_is_erased_once(
            (content, more) in (0_u64..40, 0_u64..40),
            (erased, most) in (0_u64..20, 1_u64..9),
        ) {
            let may = trimmed(content, content + more);
            let start = trimmed(erased.min(content), erased.min(content));
            let (mut is, mut contents, mut personal) = (start, Vec::new(), Vec::new());
            while let Some(step) = (Erasure { may, is }).next(most) {
                prop_assert!((1..=most).contains(&step.count()));
                contents.extend(step.content);
                personal.extend(step.personal_data);
                is = step.after;
            }
            prop_assert_eq!(is, may);
            prop_assert_eq!(contents, (start.content..may.content).collect::<Vec<_>>());
            prop_assert_eq!(personal, (may.content..may.personal_data).collect::<Vec<_>>());
        }
    }
}
