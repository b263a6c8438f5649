//! What was measured: figures with their unit, their floor and their goal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::spread::Spread;

/// Which of two figures of one kind is the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    /// As of requests a second.
    Higher,
    /// As of a time, or of memory.
    Lower,
}

/// What a figure is held against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    /// The ratio to the floor is to be at least this.
    RatioAtLeast(f64),
    /// The ratio to the floor is to be at most this.
    RatioAtMost(f64),
    /// The figure itself is to be at most this.
    AtMost(f64),
}

/// The ratio of a figure to another that was measured beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    /// The name of the other.
    pub(crate) floor: String,
    pub(crate) of_it: Spread,
}

/// One figure. Its name says what is measured, and on which store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) better: Better,
    pub(crate) value: Spread,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<Ratio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) goal: Option<Goal>,
    /// What else is known of it, such as the CPU time of a request, by names that tell the unit.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) details: BTreeMap<String, Spread>,
}

impl Figure {
    /// Of these measurements; nothing where there are none.
    pub(crate) fn of(name: &str, unit: &str, better: Better, values: &[f64]) -> Option<Self> {
        let (name, unit) = (name.to_owned(), unit.to_owned());
        let value = Spread::of(values)?;
        Some(Self { name, unit, better, value, ratio: None, goal: None, details: BTreeMap::new() })
    }

    /// With its ratio to a floor, of which one was measured beside each of them: the median of the
    /// ratios, which a slower minute of the machine leaves as it is.
    #[must_use]
    pub(crate) fn against(mut self, floor: &str, ratios: &[f64]) -> Self {
        let ratio = |of_it| Ratio { floor: floor.to_owned(), of_it };
        self.ratio = Spread::of(ratios).map(ratio);
        self
    }

    /// With what it is to reach.
    #[must_use]
    pub(crate) fn with_goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    /// With something else that is known of it.
    #[must_use]
    pub(crate) fn with_detail(mut self, name: &str, values: &[f64]) -> Self {
        self.details.extend(Spread::of(values).map(|spread| (name.to_owned(), spread)));
        self
    }

    /// Whether it is what it is to be; nothing where nobody asks, or where there is no ratio.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let ratio = self.ratio.as_ref().map(|ratio| ratio.of_it.median);
        match self.goal? {
            Goal::RatioAtLeast(least) => ratio.map(|ratio| ratio >= least),
            Goal::RatioAtMost(most) => ratio.map(|ratio| ratio <= most),
            Goal::AtMost(most) => Some(self.value.median <= most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure() -> Figure {
        Figure::of("a thing", "requests/s", Better::Higher, &[90.0, 100.0, 120.0]).unwrap()
    }

    #[test]
    fn a_goal_of_a_ratio_looks_at_the_ratio_and_not_at_the_figure() {
        let figure = figure().against("hello", &[0.5, 0.3, 0.4]);
        assert_eq!(figure.clone().with_goal(Goal::RatioAtLeast(0.4)).is_met(), Some(true));
        assert_eq!(figure.clone().with_goal(Goal::RatioAtLeast(0.41)).is_met(), Some(false));
        assert_eq!(figure.clone().with_goal(Goal::RatioAtMost(0.4)).is_met(), Some(true));
        assert_eq!(figure.with_goal(Goal::RatioAtMost(0.39)).is_met(), Some(false));
    }

    #[test]
    fn a_goal_of_a_size_looks_at_the_median() {
        assert_eq!(figure().with_goal(Goal::AtMost(100.0)).is_met(), Some(true));
        assert_eq!(figure().with_goal(Goal::AtMost(99.0)).is_met(), Some(false));
    }

    #[test]
    fn without_a_goal_or_without_a_ratio_nothing_is_met_or_missed() {
        assert_eq!(figure().is_met(), None);
        assert_eq!(figure().with_goal(Goal::RatioAtLeast(0.1)).is_met(), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let figure = figure().against("hello", &[0.5]).with_goal(Goal::AtMost(1.0));
        let figure = figure.with_detail("server_us", &[1.0]);
        let written = serde_json::to_string(&figure).unwrap();
        assert_eq!(serde_json::from_str::<Figure>(&written).unwrap(), figure);
    }
}
