//! Tests of what is over, against a rule that is written out in full.

use proptest::prelude::*;

use super::*;
use crate::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    log::Place,
    merkle::Hash,
    sample::{at, event, organization, origin},
    sequence::{Leaf, Trimmed},
};

const DAYS: i64 = 86_400;
const NOW: i64 = 1_000 * DAYS;
const RETENTION: Retention = Retention { content_days: 90, personal_data_days: 30 };

/// A log whose events are so many days old.
#[derive(Debug, Clone)]
struct Log {
    ages: Vec<i64>,
    signed: u64,
    trimmed: Trimmed,
}

impl Log {
    fn of(ages: &[i64]) -> Self {
        let signed = ages.len() as u64;
        Self { ages: ages.to_vec(), signed, trimmed: Trimmed::default() }
    }

    fn state(&self) -> LogState {
        let checkpoint = Checkpoint { origin: origin(), size: self.signed, root: Hash::of(b"") };
        let signed =
            (self.signed > 0).then(|| SignedCheckpoint { checkpoint, note: String::new() });
        let size = self.ages.len() as u64;
        LogState { size, signed, trimmed: self.trimmed, ..LogState::default() }
    }

    /// The leaf at a position, as it is once everything that may be is erased.
    fn leaf(&self, position: u64) -> LeafRecord {
        let age = self.ages[usize::try_from(position).unwrap()];
        let mut event = event(position, at(NOW - age * DAYS));
        if position < self.trimmed.personal_data {
            (event.salt, event.origin.address, event.origin.user_agent) = (None, None, None);
        }
        let place = Place { position, out_of_order: false };
        let (commitment, hash) = (Hash::of(b"c"), Hash::of(b"h"));
        let leaf = Leaf { place, event: event.id, commitment, hash };
        LeafRecord { leaf, event: (position >= self.trimmed.content).then_some(event) }
    }

    /// What is over, as whoever erases finds it.
    fn cut(&self, retention: Retention) -> Option<LogTrimmed> {
        self.read(retention, 1).0
    }

    /// What is over, and which leaves were read for it, page by page.
    fn read(&self, retention: Retention, page: u64) -> (Option<LogTrimmed>, Vec<u64>) {
        let mut cut = Cut::after(&self.state(), retention, at(NOW));
        let mut read = Vec::new();
        loop {
            let end = (cut.from() + page).min(self.ages.len() as u64);
            let positions: Vec<u64> = (cut.from()..end).collect();
            read.extend(&positions);
            let goes_on = positions.iter().all(|&position| cut.take(&self.leaf(position)));
            if positions.is_empty() || !goes_on {
                return (cut.change(organization()), read);
            }
        }
    }

    /// What is over, by the rule: the events from the start on that are all old enough, signed, or
    /// over before.
    fn model(&self, retention: Retention) -> Trimmed {
        let over = |days: u32, before: u64| {
            let old = |age: &i64| *age > i64::from(days);
            let run = self.ages.iter().enumerate();
            let run = run.take_while(|(at, age)| (*at as u64) < before || old(age)).count() as u64;
            run.min(self.signed)
        };
        let content = over(retention.content_days, self.trimmed.content);
        let days = retention.personal_data_days.min(retention.content_days);
        let personal_data = over(days, self.trimmed.personal_data.max(content));
        Trimmed { content, personal_data }
    }
}

fn over(log: &Log) -> Option<(u64, u64)> {
    log.cut(RETENTION).map(|change| (change.after().content, change.after().personal_data))
}

#[test]
fn what_is_older_than_the_days_is_over() {
    assert_eq!(over(&Log::of(&[200, 100, 50, 40, 10, 0])), Some((2, 4)));
    assert_eq!(over(&Log::of(&[50, 10])), Some((0, 1)));
    assert_eq!(over(&Log::of(&[10, 0])), None);
    assert_eq!(over(&Log::of(&[])), None);
    assert_eq!(over(&Log::of(&[200, 200])), Some((2, 2)));
}

#[test]
fn an_event_is_kept_to_its_last_day() {
    assert_eq!(over(&Log::of(&[90])), Some((0, 1)));
    assert_eq!(over(&Log::of(&[91])), Some((1, 1)));
    assert_eq!(over(&Log::of(&[30])), None);
}

#[test]
fn an_old_event_behind_a_younger_one_waits_for_it() {
    assert_eq!(over(&Log::of(&[200, 50, 200])), Some((1, 3)));
    assert_eq!(over(&Log::of(&[200, 10, 200])), Some((1, 1)));
    assert_eq!(over(&Log::of(&[10, 200, 200])), None);
}

#[test]
fn what_no_checkpoint_covers_is_not_over() {
    let log = Log { signed: 2, ..Log::of(&[200, 200, 200]) };
    assert_eq!(over(&log), Some((2, 2)));
    assert_eq!(over(&Log { signed: 0, ..log }), None);
}

#[test]
fn what_is_over_already_is_not_told_again() {
    let trimmed = Trimmed { content: 2, personal_data: 4 };
    let log = Log { trimmed, ..Log::of(&[200, 100, 50, 40, 10, 0]) };
    assert_eq!(over(&log), None);
    // Days that were made longer bring nothing back.
    let longer = Retention { content_days: 400, personal_data_days: 400 };
    assert_eq!(log.cut(longer), None);
}

#[test]
fn personal_data_is_never_kept_longer_than_content() {
    let longer = Retention { content_days: 30, personal_data_days: 90 };
    let change = Log::of(&[50, 10]).cut(longer).unwrap();
    assert_eq!(change.after(), Trimmed { content: 1, personal_data: 1 });
    assert_eq!(longer.personal_data_cutoff(at(NOW)), longer.content_cutoff(at(NOW)));
}

#[test]
fn what_is_known_to_be_over_is_not_read_again() {
    let trimmed = Trimmed { content: 1, personal_data: 4 };
    let log = Log { trimmed, ..Log::of(&[200, 60, 50, 40, 35, 10, 0]) };
    let (change, read) = log.read(RETENTION, 1);
    assert_eq!(change.unwrap().after(), Trimmed { content: 1, personal_data: 5 });
    assert_eq!(read, [1, 4, 5]);
}

#[test]
fn a_leaf_that_is_missing_ends_what_is_over() {
    let log = Log::of(&[200, 200, 200]);
    let mut cut = Cut::after(&log.state(), RETENTION, at(NOW));
    assert!(cut.take(&log.leaf(0)));
    assert!(!cut.take(&log.leaf(2)));
    let after = cut.change(organization()).unwrap().after();
    assert_eq!(after, Trimmed { content: 1, personal_data: 1 });
}

/// What somebody tore out is not covered by a rule afterwards.
#[test]
fn au_04_what_is_gone_before_an_event_said_so_is_not_over() {
    let log = Log::of(&[200, 200, 200]);
    for torn in [true, false] {
        let mut cut = Cut::after(&log.state(), RETENTION, at(NOW));
        assert!(cut.take(&log.leaf(0)));
        let mut leaf = log.leaf(1);
        if torn {
            leaf.event = None;
        } else {
            leaf.event.as_mut().unwrap().salt = None;
        }
        assert!(!cut.take(&leaf));
        let after = cut.change(organization()).unwrap().after();
        assert_eq!(after, Trimmed { content: 1, personal_data: 1 });
    }
}

#[test]
fn the_event_says_how_far() {
    let change = Log::of(&[200, 50, 10]).cut(RETENTION).unwrap();
    assert_eq!((change.organization(), change.before()), (organization(), Trimmed::default()));
    let event = change.event();
    assert_eq!((event.action(), event.metadata().len()), (Action::LogTrimmed, 2));
    assert_eq!(event.metadata()["contentBefore"], 1);
    assert_eq!(event.metadata()["personalDataBefore"], 2);
    assert_eq!(event.resource(), Some(&log_of(organization())));
    assert_eq!(change.into_after(), Trimmed { content: 1, personal_data: 2 });
}

#[test]
fn only_a_log_that_is_halted_is_acknowledged() {
    let state = LogState::default();
    assert_eq!(LogAcknowledged::new(organization(), &state, "x"), Err(NotHalted));
    let halted = LogState { halted: Some("found".to_owned()), ..state };
    let change = LogAcknowledged::new(organization(), &halted, "the reason").unwrap();
    assert_eq!(change.organization(), organization());
    let event = change.event();
    assert_eq!(event.action(), Action::LogAcknowledged);
    assert_eq!(event.metadata()["found"], "found");
    assert_eq!(event.metadata()["reason"], "the reason");
    assert_eq!(event.resource(), Some(&log_of(organization())));
}

fn logs() -> impl Strategy<Value = Log> {
    let age = prop_oneof![0_i64..20, 25_i64..35, 85_i64..95, 200_i64..210];
    prop::collection::vec(age, 0..12).prop_flat_map(|ages| {
        let size = ages.len() as u64;
        (Just(ages), 0..=size, 0..=size, 0..=size).prop_map(|(ages, one, two, three)| {
            let mut marks = [one, two, three];
            marks.sort_unstable();
            let [content, personal_data, signed] = marks;
            Log { ages, signed, trimmed: Trimmed { content, personal_data } }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_over_is_what_the_rule_says(
        log in logs(),
        content_days in 0_u32..120,
        personal_data_days in 0_u32..120,
        page in 1_u64..5,
    ) {
        let retention = Retention { content_days, personal_data_days };
        let (change, _) = log.read(retention, page);
        let after = change.as_ref().map_or(log.trimmed, LogTrimmed::after);
        prop_assert_eq!(after, log.model(retention));
        prop_assert!(after.content <= after.personal_data && after.personal_data <= log.signed);
        prop_assert!(after.content >= log.trimmed.content);
        prop_assert!(after.personal_data >= log.trimmed.personal_data);
        prop_assert_eq!(change.is_some(), after != log.trimmed);
    }
}
