//! What has got more expensive since another run.

use super::{super::report::number, Counts};

/// What changes by less may be chance: the order of a hash table, the bits of a number that was drawn.
const NOISE: f64 = 0.01;

/// A line for each function that both runs have and that changed, the greatest rise first.
pub(super) fn changes(before: &Counts, now: &Counts) -> Vec<String> {
    let mut changes: Vec<(f64, String)> = now
        .iter()
        .filter_map(|(name, count)| {
            let before = before.get(name)?;
            let times = count.instructions / before.instructions;
            let mark = match times {
                more if more > 1.0 + NOISE => "WORSE ",
                less if less < 1.0 - NOISE => "better",
                _ => return None,
            };
            let told = format!(
                "{mark} {times:.3} times: {name}, {} instructions before, {} now; {} allocations \
                 before, {} now",
                number(before.instructions),
                number(count.instructions),
                number(before.allocations),
                number(count.allocations),
            );
            Some((times, told))
        })
        .collect();
    changes.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    changes.into_iter().map(|(_, told)| told).collect()
}

#[cfg(test)]
mod tests {
    use super::super::count::Count;
    use super::*;

    fn counts(each: &[(&str, f64)]) -> Counts {
        let count = |instructions| Count { instructions, allocations: 2.0 };
        each.iter().map(|(name, instructions)| ((*name).to_owned(), count(*instructions))).collect()
    }

    #[test]
    fn what_got_more_expensive_is_told_first_and_what_may_be_chance_is_not() {
        let before = counts(&[("a", 1_000.0), ("b", 1_000.0), ("c", 1_000.0), ("gone", 1.0)]);
        let now = counts(&[("a", 500.0), ("b", 1_005.0), ("c", 1_100.0), ("new", 1.0)]);
        let told = changes(&before, &now);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].starts_with("WORSE  1.100 times: c, 1,000 instructions before"),
            "{told:?}"
        );
        assert!(told[1].starts_with("better 0.500 times: a"), "{told:?}");
    }
}
