//! Whether somebody is still good: the answer that organizations, agents and credentials give alike.

use crate::time::Timestamp;

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

#[cfg(test)]
mod tests {
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
}
