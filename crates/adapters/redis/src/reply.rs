//! What the script answers, read so that nothing of another form passes for an admission.

use std::time::Duration;

use kernel::Timestamp;
use redis::Value;
use tenancy::{Admission, Rate};

use crate::{answer::Answer, failure::Failure};

/// How long after its counting began a server may have lost requests of the last minute. The clocks
/// of two replicas may differ by a few seconds.
const YOUTH: Duration = Duration::from_secs(65);

/// The five numbers of the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reply {
    admission: Admission,
    since: Timestamp,
    known: bool,
}

impl Reply {
    /// # Errors
    /// [`Failure::Nonsense`] for anything that the script would not say of this rate.
    pub(crate) fn read(value: &Value, rate: Rate) -> Result<Self, Failure> {
        let Value::Array(items) = value else {
            return Err(Failure::Nonsense("no list"));
        };
        let [
            Value::Int(admitted),
            Value::Int(remaining),
            Value::Int(resets_at),
            Value::Int(since),
            Value::Int(known),
        ] = items.as_slice()
        else {
            return Err(Failure::Nonsense("not five numbers"));
        };
        let remaining = u64::try_from(*remaining).ok().filter(|left| *left <= rate.per_minute);
        let admission = Admission {
            admitted: is_yes(*admitted)?,
            limit: rate.per_minute,
            remaining: remaining.ok_or(Failure::Nonsense("a remainder above the limit"))?,
            resets_at: instant(*resets_at)?,
        };
        Ok(Self { admission, since: instant(*since)?, known: is_yes(*known)? })
    }

    /// Whether all requests of the minute before `now` are counted decides what it is worth.
    pub(crate) fn at(self, now: Timestamp) -> Answer {
        let admission = self.admission;
        if self.known && self.since.plus(YOUTH) <= now {
            return Answer::Found(admission);
        }
        let since = if self.known { self.since.min(now) } else { now };
        Answer::Absent { admission, until: since.plus(YOUTH) }
    }
}

fn is_yes(number: i64) -> Result<bool, Failure> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Failure::Nonsense("neither yes nor no")),
    }
}

fn instant(micros: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_unix_micros(micros).map_err(|_| Failure::Nonsense("no instant"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { per_minute: 10 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_micros((1_700_000_000 + second) * 1_000_000).unwrap()
    }

    fn list(numbers: &[i64]) -> Value {
        Value::Array(numbers.iter().copied().map(Value::Int).collect())
    }

    fn reply(since: i64, known: i64) -> Reply {
        let (resets, since) = (at(60).unix_micros(), at(since).unix_micros());
        Reply::read(&list(&[1, 9, resets, since, known]), RATE).unwrap()
    }

    #[test]
    fn five_numbers_are_an_answer() {
        let expected = Admission { admitted: true, limit: 10, remaining: 9, resets_at: at(60) };
        assert_eq!(reply(-600, 1).admission, expected);
        assert_eq!(reply(-600, 1).since, at(-600));
    }

    #[test]
    fn anything_else_is_no_admission() {
        let text = Value::BulkString(b"1".to_vec());
        let mixed = Value::Array(vec![
            text.clone(),
            Value::Int(1),
            Value::Int(1),
            Value::Int(1),
            Value::Int(1),
        ]);
        for bad in [
            Value::Nil,
            Value::Okay,
            Value::Int(1),
            text,
            mixed,
            list(&[]),
            list(&[1, 9, 1, 1]),
            list(&[1, 9, 1, 1, 1, 1]),
            list(&[2, 9, 1, 1, 1]),
            list(&[-1, 9, 1, 1, 1]),
            list(&[1, 11, 1, 1, 1]),
            list(&[1, -1, 1, 1, 1]),
            list(&[1, 9, -1, 1, 1]),
            list(&[1, 9, i64::MAX, 1, 1]),
            list(&[1, 9, 1, i64::MAX, 1]),
            list(&[1, 9, 1, 1, 2]),
        ] {
            let read = Reply::read(&bad, RATE);
            assert!(matches!(read, Err(Failure::Nonsense(_))), "{bad:?}");
        }
    }

    #[test]
    fn counts_are_whole_a_minute_after_they_began_and_not_before() {
        let is_found = |since, known| matches!(reply(since, known).at(at(0)), Answer::Found(_));
        assert!(is_found(-65, 1));
        assert!(is_found(-3_600, 1));
        assert!(!is_found(-64, 1));
        assert!(!is_found(0, 1));
        assert!(!is_found(30, 1));
        assert!(!is_found(-3_600, 0));
    }

    #[test]
    fn it_says_until_when_they_are_not_and_believes_no_future() {
        for (since, known, until) in [(-10, 1, 55), (0, 1, 65), (30, 1, 65), (-10, 0, 65)] {
            let Answer::Absent { until: told, .. } = reply(since, known).at(at(0)) else {
                panic!("counts since {since} were found");
            };
            assert_eq!(told, at(until), "since {since}");
        }
    }
}
