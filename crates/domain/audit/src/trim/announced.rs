//! What may be erased was announced, and for a while: whoever reads the log has the time to keep it,
//! and an operator the time to put a clock or a number of days right.

use std::time::Duration;

use kernel::Timestamp;
use serde_json::Value;

use super::{CONTENT_BEFORE, PERSONAL_DATA_BEFORE, Retention};
use crate::{
    log::LoggedEvent,
    sequence::{LeafRecord, LogState, Trimmed},
};

/// How long everything stays that was announced to be erased.
pub const ANNOUNCED_FOR: Duration = Duration::from_secs(3_600);

/// How often more is announced: seldom enough that what was announced before is erased in between.
pub const ANNOUNCED_EVERY: Duration = Duration::from_secs(86_400);

/// The event that says what the log's row says of what may be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announcement {
    position: Option<u64>,
    at: Timestamp,
}

impl Announcement {
    /// Finds it among the newest events of its kind. The newest by its time is not the last one where a
    /// clock was set back.
    #[must_use]
    pub fn of(trimmed: Trimmed, events: &[LoggedEvent]) -> Option<Self> {
        let found = events.iter().find(|logged| {
            let number = |name| logged.event.metadata.get(name).and_then(Value::as_u64);
            let said = (number(CONTENT_BEFORE), number(PERSONAL_DATA_BEFORE));
            said == (Some(trimmed.content), Some(trimmed.personal_data))
        })?;
        let position = found.place.map(|place| place.position);
        Some(Self { position, at: found.event.timestamp })
    }

    /// Whether what it announces may be erased now: a checkpoint covers it, and it is old enough.
    #[must_use]
    pub fn lets_erase(self, state: &LogState, now: Timestamp) -> bool {
        let is_signed = self.position.is_some_and(|position| position < state.signed_size());
        is_signed && now.since(self.at) >= ANNOUNCED_FOR
    }

    /// Whether another one may follow. One from the future was written by a wrong clock: whoever puts
    /// that right shall not wait for it.
    #[must_use]
    pub fn lets_another_follow(self, now: Timestamp) -> bool {
        self.at > now || now.since(self.at) >= ANNOUNCED_EVERY
    }
}

impl Retention {
    /// Whether the last events whose content and whose personal data may be erased are over now, too.
    /// Where the clock or the days were put right since it was announced, they are not: all of it
    /// stays until they are.
    #[must_use]
    pub fn still_lets_go(
        self,
        content: Option<&LeafRecord>,
        personal_data: Option<&LeafRecord>,
        now: Timestamp,
    ) -> bool {
        let mut content = content.iter().filter_map(|record| record.event.as_ref());
        let personal_data = personal_data.iter().filter_map(|record| record.event.as_ref());
        let mut personal_data = personal_data.filter(|event| event.salt.is_some());
        content.all(|event| event.timestamp < self.content_cutoff(now))
            && personal_data.all(|event| event.timestamp < self.personal_data_cutoff(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        checkpoint::{Checkpoint, SignedCheckpoint},
        event::Action,
        log::Place,
        merkle::Hash,
        sample::{at, event, origin},
        sequence::Leaf,
    };

    const TRIMMED: Trimmed = Trimmed { content: 3, personal_data: 5 };
    const HOUR: i64 = 3_600;
    const DAY: i64 = 86_400;

    fn announcement(position: Option<u64>, time: i64, trimmed: Trimmed) -> LoggedEvent {
        let mut event = event(7, at(time));
        event.action = Action::LogTrimmed;
        event.metadata.insert(CONTENT_BEFORE.to_owned(), trimmed.content.into());
        event.metadata.insert(PERSONAL_DATA_BEFORE.to_owned(), trimmed.personal_data.into());
        let place = position.map(|position| Place { position, out_of_order: false });
        LoggedEvent { event, place }
    }

    fn signed(size: u64) -> LogState {
        let checkpoint = Checkpoint { origin: origin(), size, root: Hash::of(b"") };
        let signed = Some(SignedCheckpoint { checkpoint, note: String::new() });
        LogState { size: size + 5, signed, trimmed: TRIMMED, ..LogState::default() }
    }

    fn lets_erase(position: Option<u64>, size: u64, age: i64) -> bool {
        let events = [announcement(position, DAY, TRIMMED)];
        let found = Announcement::of(TRIMMED, &events).unwrap();
        found.lets_erase(&signed(size), at(DAY + age))
    }

    #[test]
    fn what_was_announced_under_a_checkpoint_for_an_hour_may_be_erased() {
        assert!(lets_erase(Some(9), 10, HOUR));
        assert!(lets_erase(Some(9), 10, 90 * DAY));
    }

    #[test]
    fn what_was_announced_within_the_hour_stays() {
        assert!(!lets_erase(Some(9), 10, HOUR - 1));
        assert!(!lets_erase(Some(9), 10, 0));
        assert!(!lets_erase(Some(9), 10, -90 * DAY), "a clock was set back");
    }

    #[test]
    fn au_04_what_no_checkpoint_says_is_announced_stays() {
        assert!(!lets_erase(Some(10), 10, HOUR));
        assert!(!lets_erase(None, 10, HOUR));
        let found = Announcement::of(TRIMMED, &[announcement(Some(0), 0, TRIMMED)]).unwrap();
        assert!(!found.lets_erase(&LogState::default(), at(DAY)));
    }

    #[test]
    fn au_04_an_event_that_says_something_else_than_the_row_announces_nothing() {
        let less = Trimmed { content: 2, ..TRIMMED };
        let more = Trimmed { personal_data: 6, ..TRIMMED };
        let mut torn = announcement(Some(9), 0, TRIMMED);
        torn.event.metadata.clear();
        let others = [announcement(Some(9), 0, less), announcement(Some(8), 0, more), torn];
        assert_eq!(Announcement::of(TRIMMED, &others), None);
        let mut events = others.to_vec();
        events.push(announcement(Some(4), DAY, TRIMMED));
        let found = Announcement::of(TRIMMED, &events).unwrap();
        assert_eq!(found, Announcement { position: Some(4), at: at(DAY) });
    }

    #[test]
    fn another_follows_after_a_day_or_where_the_last_one_is_from_the_future() {
        let last = Announcement { position: None, at: at(DAY) };
        assert!(!last.lets_another_follow(at(DAY)));
        assert!(!last.lets_another_follow(at(2 * DAY - 1)));
        assert!(last.lets_another_follow(at(2 * DAY)));
        assert!(last.lets_another_follow(at(DAY - 1)));
    }

    fn leaf(age: i64) -> LeafRecord {
        let event = event(1, at(1_000 * DAY - age * DAY));
        let place = Place { position: 1, out_of_order: false };
        let (commitment, hash) = (Hash::of(b"c"), Hash::of(b"h"));
        LeafRecord { leaf: Leaf { place, event: event.id, commitment, hash }, event: Some(event) }
    }

    fn still(content: Option<&LeafRecord>, personal_data: Option<&LeafRecord>) -> bool {
        let retention = Retention { content_days: 90, personal_data_days: 30 };
        retention.still_lets_go(content, personal_data, at(1_000 * DAY))
    }

    #[test]
    fn what_was_announced_stays_once_the_days_are_put_right() {
        assert!(still(Some(&leaf(91)), Some(&leaf(31))));
        assert!(!still(Some(&leaf(89)), Some(&leaf(31))));
        assert!(!still(Some(&leaf(91)), Some(&leaf(29))));
        assert!(!still(None, Some(&leaf(29))));
    }

    #[test]
    fn what_is_gone_already_keeps_nothing_else() {
        assert!(still(None, None));
        let gone = LeafRecord { event: None, ..leaf(1) };
        assert!(still(Some(&gone), Some(&gone)));
        let mut bare = leaf(1);
        bare.event.as_mut().unwrap().salt = None;
        assert!(still(None, Some(&bare)));
        assert!(!still(Some(&bare), Some(&bare)), "its content is there");
    }
}
