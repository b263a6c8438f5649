//! What has got slower since another run: in ratios, so that the machine may have got slower too.

use super::figures::{Better, Figure};

/// What changes by less may be chance.
const NOISE: f64 = 0.1;

/// How one figure has changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    name: String,
    before: f64,
    now: f64,
    /// How many times as good it is: more than one is better, whichever way the figure goes.
    times_as_good: f64,
    of: &'static str,
}

impl Change {
    /// Whether it is more than chance.
    pub(crate) fn is_beyond_chance(&self) -> bool {
        self.times_as_good >= 1.0 + NOISE || self.times_as_good <= 1.0 / (1.0 + NOISE)
    }

    /// In one line.
    pub(crate) fn told(&self) -> String {
        let Self { name, before, now, times_as_good, of } = self;
        let mark = match (self.is_beyond_chance(), *times_as_good < 1.0) {
            (true, true) => "WORSE ",
            (true, false) => "better",
            (false, _) => "      ",
        };
        format!(
            "{mark} {times_as_good:.2} times as good: {name}, {before:.3} before, {now:.3} now ({of})"
        )
    }
}

/// Each figure of both runs: by its ratio to its floor where both have the same, else by itself; and
/// by the ratio of CPU times, which says more where the machine was busy with something else.
pub(crate) fn changes(before: &[Figure], now: &[Figure]) -> Vec<Change> {
    let pairs = now.iter().filter_map(|figure| {
        let earlier = before.iter().find(|one| one.name == figure.name && one.unit == figure.unit);
        Some((earlier?, figure))
    });
    pairs
        .flat_map(|(earlier, figure)| [change(earlier, figure), change_by_cpu(earlier, figure)])
        .flatten()
        .collect()
}

fn change(before: &Figure, now: &Figure) -> Option<Change> {
    let ratios = before.ratio.as_ref().zip(now.ratio.as_ref());
    let ratios = ratios.filter(|(before, now)| before.floor == now.floor);
    let ratios = ratios.map(|(before, now)| (before.of_it.median, now.of_it.median));
    let of = ratios.map_or("without a floor", |_| "of its floor");
    let (before, after) = ratios.unwrap_or((before.value.median, now.value.median));
    let times_as_good = match now.better {
        Better::Higher => after / before,
        Better::Lower => before / after,
    };
    let name = now.name.clone();
    let change = Change { name, before, now: after, times_as_good, of };
    times_as_good.is_finite().then_some(change)
}

fn change_by_cpu(before: &Figure, now: &Figure) -> Option<Change> {
    let ratio = |figure: &Figure| figure.details.get("cpu_ratio").map(|ratio| ratio.median);
    let (name, of) = (now.name.clone(), "of its floor by CPU");
    let (before, now) = (ratio(before)?, ratio(now)?);
    Some(Change { name, before, now, times_as_good: now / before, of })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(value: f64, ratio: f64) -> Figure {
        let figure = Figure::of("tokens", "requests/s", Better::Higher, &[value]).unwrap();
        figure.against("sign", &[ratio])
    }

    fn only(before: Figure, now: Figure) -> Change {
        let changes = changes(&[before], &[now]);
        assert_eq!(changes.len(), 1);
        changes[0].clone()
    }

    #[test]
    fn a_slower_machine_is_no_slower_server() {
        let change = only(rate(20_000.0, 0.5), rate(10_000.0, 0.49));
        assert!(!change.is_beyond_chance(), "{change:?}");
        assert!(change.told().starts_with("       0.98 times as good: tokens"), "{change:?}");
    }

    #[test]
    fn what_is_worse_by_more_than_a_tenth_is_marked() {
        assert!(only(rate(1.0, 0.6), rate(1.0, 0.5)).told().starts_with("WORSE "));
        assert!(only(rate(1.0, 0.5), rate(1.0, 0.6)).told().starts_with("better"));
    }

    #[test]
    fn less_time_is_better_than_more() {
        let time = |value| Figure::of("start", "ms", Better::Lower, &[value]).unwrap();
        assert!(only(time(10.0), time(20.0)).told().starts_with("WORSE  0.50 times as good"));
        assert!(only(time(20.0), time(10.0)).told().starts_with("better 2.00 times as good"));
    }

    #[test]
    fn the_ratio_of_cpu_times_is_compared_beside_that_of_rates() {
        let before = rate(1.0, 0.5).with_detail("cpu_ratio", &[0.4]);
        let now = rate(1.0, 0.5).with_detail("cpu_ratio", &[0.2]);
        let told: Vec<String> = changes(&[before], &[now]).iter().map(Change::told).collect();
        assert_eq!(
            told[1],
            "WORSE  0.50 times as good: tokens, 0.400 before, 0.200 now (of its floor by CPU)"
        );
        assert_eq!(told.len(), 2);
    }

    #[test]
    fn ratios_to_different_floors_are_not_compared() {
        let now = Figure::of("tokens", "requests/s", Better::Higher, &[100.0]).unwrap();
        let change = only(rate(100.0, 0.5), now.against("hello", &[0.1]));
        assert!(change.of == "without a floor" && !change.is_beyond_chance(), "{change:?}");
    }

    #[test]
    fn what_only_one_of_the_runs_has_is_left_out() {
        assert!(changes(&[], &[rate(1.0, 1.0)]).is_empty());
        assert!(changes(&[rate(1.0, 1.0)], &[]).is_empty());
    }
}
