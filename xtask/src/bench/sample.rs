//! One measurement of one scenario, and what many of them come to.

use super::clients::Latency;
use super::figures::{Better, Figure};
use super::floor::Pace;
use super::load::Outcome;
use super::scenario::Scenario;

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) outcome: Outcome,
    /// What the floor did right before.
    pub(crate) floor: Pace,
    /// Microseconds of CPU for each request, with what has to be done for it afterwards.
    pub(crate) server_us: f64,
    /// Likewise of PostgreSQL and Redis.
    pub(crate) stores_us: Option<f64>,
    /// At a fixed rate.
    pub(crate) paced: Option<Latency>,
}

impl Sample {
    /// How much of its floor it reaches.
    pub(crate) fn ratio(&self) -> f64 {
        self.outcome.rate() / self.floor.rate
    }

    /// How much of its CPU time would have done for the floor: what others do on the machine, and
    /// waiting for a disk, leave it as it is.
    fn ratio_of_cpu(&self) -> f64 {
        self.floor.us / self.server_us
    }
}

/// What they come to: the requests a second, and the latency at a fixed rate where it was taken.
pub(crate) fn figures(scenario: Scenario, samples: &[Sample]) -> Vec<Figure> {
    let mut figures: Vec<Figure> = rate(scenario, samples).into_iter().collect();
    figures.extend(latency(scenario, samples));
    figures
}

fn rate(scenario: Scenario, samples: &[Sample]) -> Option<Figure> {
    let each = |value: fn(&Sample) -> f64| samples.iter().map(value).collect::<Vec<_>>();
    let rates = each(|sample| sample.outcome.rate());
    let mut figure = Figure::of(&scenario.name(), "requests/s", Better::Higher, &rates)?
        .against(&scenario.floor().name(), &each(Sample::ratio))
        .with_detail("floor_rate", &each(|sample| sample.floor.rate))
        .with_detail("floor_us", &each(|sample| sample.floor.us))
        .with_detail("cpu_ratio", &each(Sample::ratio_of_cpu))
        .with_detail("p50_ms", &each(|sample| sample.outcome.p50))
        .with_detail("p99_ms", &each(|sample| sample.outcome.p99))
        .with_detail("server_us", &each(|sample| sample.server_us))
        .with_detail(
            "stores_us",
            &samples.iter().filter_map(|it| it.stores_us).collect::<Vec<_>>(),
        );
    figure.goal = scenario.goal();
    Some(figure)
}

fn latency(scenario: Scenario, samples: &[Sample]) -> Option<Figure> {
    let paced: Vec<Latency> = samples.iter().filter_map(|sample| sample.paced).collect();
    let each = |value: fn(&Latency) -> f64| paced.iter().map(value).collect::<Vec<_>>();
    let name = format!("{}: 99 % at 70 % of the rate", scenario.name());
    let mut figure = Figure::of(&name, "ms", Better::Lower, &each(|it| it.p99))?
        .with_detail("rate", &each(|it| it.rate))
        .with_detail("p50_ms", &each(|it| it.p50))
        .with_detail("p99_ms", &each(|it| it.p99))
        .with_detail("p999_ms", &each(|it| it.p999))
        .with_detail("max_ms", &each(|it| it.max));
    figure.goal = scenario.latency_goal();
    Some(figure)
}

#[cfg(test)]
mod tests {
    use super::super::scenario::all;
    use super::*;

    fn sample(rate: u64, floor: f64) -> Sample {
        let outcome = Outcome { requests: rate, seconds: 1.0, p50: 1.0, p99: 2.0 };
        let rate = 0.7 * outcome.rate();
        let paced = Latency { requests: 1, rate, p50: 1.0, p99: 3.0, p999: 4.0, max: 5.0 };
        let floor = Pace { rate: floor, us: 20.0 };
        Sample { outcome, floor, server_us: 50.0, stores_us: None, paced: Some(paced) }
    }

    #[test]
    fn a_ratio_is_of_the_floor_of_its_own_round() {
        // The second round had half of the machine: the medians of rates and floors would not tell.
        let samples = [sample(500, 1_000.0), sample(200, 500.0), sample(600, 1_000.0)];
        let figures = figures(all()[0], &samples);
        let ratio = figures[0].ratio.as_ref().unwrap();
        assert_eq!([ratio.of_it.min, ratio.of_it.median, ratio.of_it.max], [0.4, 0.5, 0.6]);
        assert_eq!(figures[0].value.median, 500.0);
        assert_eq!(figures[0].details["cpu_ratio"].median, 0.4);
        assert!(!figures[0].details.contains_key("stores_us"));
    }

    #[test]
    fn latency_is_a_figure_of_its_own() {
        let figures = figures(all()[0], &[sample(500, 1_000.0)]);
        let [_, latency] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!(latency.value.median, 3.0);
        assert_eq!(latency.details["p999_ms"].median, 4.0);
        assert_eq!(latency.is_met(), Some(true));
    }

    #[test]
    fn what_failed_each_time_is_no_figure() {
        assert!(figures(all()[0], &[]).is_empty());
    }
}
