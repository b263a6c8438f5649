//! An instant, to the microsecond, between 1970 and 9999.

use std::{fmt, str::FromStr, time::Duration};

use thiserror::Error;
use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339, macros};

/// Text or a number that is no instant between 1970 and 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be an RFC 3339 time between 1970 and 9999, such as `2026-11-21T08:00:00Z`")]
pub struct InvalidTimestamp;

/// How far clocks of different machines may be apart: what one says was made may lie this far ahead
/// of another's.
pub const CLOCK_SKEW: Duration = Duration::from_secs(10);

/// An instant in UTC with the precision of a microsecond, which both databases can keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last microsecond of the year 9999, past which RFC 3339 has no form.
    const MAX: i64 = 253_402_300_799_999_999;

    /// The instant that lies so many microseconds after 1970.
    ///
    /// # Errors
    /// When it lies before 1970 or after 9999.
    pub const fn from_unix_micros(micros: i64) -> Result<Self, InvalidTimestamp> {
        if micros < 0 || micros > Self::MAX {
            return Err(InvalidTimestamp);
        }
        Ok(Self(micros))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.0.unsigned_abs() / 1_000
    }

    /// The part of a millisecond that has passed, in 4096ths.
    pub(crate) fn fraction_of_millisecond(self) -> u16 {
        u16::try_from(self.0 % 1_000 * 4_096 / 1_000).unwrap_or(0)
    }

    /// Whole seconds since 1970: the NumericDate of RFC 7519 section 2.
    #[must_use]
    pub const fn unix_seconds(self) -> i64 {
        self.0 / 1_000_000
    }

    /// The instant `by` later, or the last one that there is.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_micros()).unwrap_or(Self::MAX);
        Self(self.0.saturating_add(by).min(Self::MAX))
    }

    /// The instant `by` earlier, or 1970.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_micros()).unwrap_or(Self::MAX);
        Self(self.0.saturating_sub(by).max(0))
    }

    /// How long after `earlier` this is; zero if it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| InvalidTimestamp)?;
        let micros = parsed.unix_timestamp_nanos() / 1_000;
        i64::try_from(micros).map_err(|_| InvalidTimestamp).and_then(Self::from_unix_micros)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with a `Z` and six digits of fraction, so that text sorts as time does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = macros::format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z"
        );
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .map_err(|_| fmt::Error)?;
        let text = at.to_offset(UtcOffset::UTC).format(form).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_time_with_an_offset_is_kept_in_utc() {
        let at: Timestamp = "2026-11-21T10:00:00.5+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-11-21T08:00:00.500000Z");
    }

    #[test]
    fn text_that_is_no_time_is_refused() {
        for bad in ["", "now", "2026-11-21", "2026-13-01T00:00:00Z", "1969-12-31T23:59:59Z"] {
            assert_eq!(bad.parse::<Timestamp>(), Err(InvalidTimestamp), "{bad}");
        }
    }

    #[test]
    fn ck_03_times_past_2038_and_2106_and_up_to_the_end_of_9999_are_read_and_told() {
        for (text, seconds) in [
            ("2038-01-19T03:14:08.000000Z", 1 << 31),
            ("2106-02-07T06:28:16.000000Z", 1 << 32),
            ("9999-12-31T23:59:59.000000Z", 253_402_300_799),
        ] {
            let at: Timestamp = text.parse().unwrap();
            assert_eq!((at.unix_seconds(), at.to_string().as_str()), (seconds, text));
        }
        for past in ["10000-01-01T00:00:00Z", "9999-12-31T23:59:59-00:01", "99999-01-01T00:00:00Z"]
        {
            assert_eq!(past.parse::<Timestamp>(), Err(InvalidTimestamp), "{past}");
        }
    }

    #[test]
    fn ck_03_a_leap_second_is_the_end_of_the_second_before_it_where_there_can_be_one() {
        for leap in ["2016-12-31T23:59:60Z", "2017-01-01T01:59:60.5+02:00"] {
            let at: Timestamp = leap.parse().unwrap();
            assert_eq!(at.to_string(), "2016-12-31T23:59:59.999999Z", "{leap}");
        }
        for none in ["2016-12-30T23:59:60Z", "2016-12-31T12:30:60Z", "2016-12-31T23:59:61Z"] {
            assert_eq!(none.parse::<Timestamp>(), Err(InvalidTimestamp), "{none}");
        }
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let last = Timestamp(Timestamp::MAX);
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(Timestamp(5).minus(Duration::from_secs(1)), Timestamp(0));
        assert_eq!(Timestamp(0).since(last), Duration::ZERO);
    }

    proptest! {
        #[test]
        fn text_and_back_is_the_same_instant(micros in 0..=Timestamp::MAX) {
            let at = Timestamp::from_unix_micros(micros).unwrap();
            prop_assert_eq!(at.to_string().parse(), Ok(at));
        }
    }
}
