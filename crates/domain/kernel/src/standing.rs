//! Whether somebody is still good: the answer that organizations, agents and credentials give alike.

use std::time::Duration;

use crate::time::{CLOCK_SKEW, Timestamp};

/// As little later as the id of a token can tell.
const TICK: Duration = Duration::from_millis(1);

/// The standing of an organization, an agent or a credential at some instant.
///
/// Crates that do not know each other hand this to the one function that judges a token, so that
/// every path weighs the same facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Good. Tokens from this instant or before are dead all the same: the party was not good
    /// without a break since.
    Good {
        /// The watermark, if there is one.
        not_before: Option<Timestamp>,
    },
    /// Not good: suspended, revoked, expired or gone. Nothing of it is good either.
    Ended,
}

impl Standing {
    /// Good, with no watermark.
    pub const GOOD: Self = Self::Good { not_before: None };

    /// The standing of two parties of which one belongs to the other: good only if both are, from
    /// the later of their watermarks on.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Good { not_before: one }, Self::Good { not_before: two }) => {
                Self::Good { not_before: one.max(two) }
            }
            (Self::Ended, _) | (_, Self::Ended) => Self::Ended,
        }
    }
}

/// The watermark after a break at this instant, given the one before: later than all that was made
/// until then.
///
/// A replica whose clock is ahead by what clocks may be apart has made tokens that seem to be from
/// after the break. And a watermark may lie ahead of every clock, where there was a break a moment ago:
/// what was made since is from the tick after it ([`after`]), and must die too. It never goes back,
/// though a clock may: what it has killed would live again.
#[must_use]
pub fn broken(watermark: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let made_elsewhere = now.plus(CLOCK_SKEW);
    watermark.map_or(made_elsewhere, |last| made_elsewhere.max(after(Some(last), last)))
}

/// The instant by which something is told to be made, where there is a watermark: now, but never at or
/// before that. Else it would be born dead, since watermarks lie ahead of clocks.
#[must_use]
pub fn after(watermark: Option<Timestamp>, now: Timestamp) -> Timestamp {
    watermark.map_or(now, |last| now.max(last.plus(TICK)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_later_watermark_counts_and_an_end_ends_all() {
        let at = |micros| Timestamp::from_unix_micros(micros).ok();
        let early = Standing::Good { not_before: at(1) };
        let late = Standing::Good { not_before: at(2) };
        assert_eq!(early.and(late), late);
        assert_eq!(Standing::GOOD.and(early), early);
        assert_eq!(late.and(Standing::Ended), Standing::Ended);
        assert_eq!(Standing::Ended.and(late), Standing::Ended);
    }

    proptest! {
        /// Breaks and tokens by replicas whose clocks are no further apart than they may be.
        #[test]
        fn ck_01_a_break_kills_whatever_was_made_before_it_and_nothing_that_is_made_after(
            steps in proptest::collection::vec((any::<bool>(), 0_u64..20, 0_u64..=10), 1..30),
        ) {
            let (mut time, mut watermark) = (Timestamp::from_unix_micros(1_000_000_000).unwrap(), None);
            let mut made = Vec::new();
            for (breaks, passed, ahead) in steps {
                time = time.plus(Duration::from_secs(passed));
                let clock = time.plus(Duration::from_secs(ahead));
                if breaks {
                    watermark = Some(broken(watermark, clock));
                    prop_assert!(made.iter().all(|it| Some(*it) <= watermark));
                    made.clear();
                } else {
                    made.push(after(watermark, clock));
                    prop_assert!(made.iter().all(|it| watermark.is_none_or(|last| *it > last)));
                }
            }
        }
    }
}
