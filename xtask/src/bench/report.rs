//! What a run found: a table for whoever waits for it, and a file for the next one.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use super::figures::{Figure, Goal};
use super::machine::Machine;

/// A run, as it is kept in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The command line that repeats it.
    pub(crate) command: String,
    pub(crate) date: String,
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    pub(crate) repeats: u32,
    pub(crate) seconds: u64,
    pub(crate) figures: Vec<Figure>,
}

impl Report {
    /// Reads one that was written.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let read = fs::read(file).with_context(|| format!("reading `{}`", file.display()))?;
        serde_json::from_slice(&read).with_context(|| format!("`{}` is no run", file.display()))
    }

    /// Writes it.
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let written = serde_json::to_string_pretty(self)?;
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making `{}`", folder.display()))?;
        }
        fs::write(file, written + "\n").with_context(|| format!("writing `{}`", file.display()))
    }

    /// The table, as Markdown.
    pub(crate) fn table(&self) -> String {
        let mut lines = vec![
            "| what | median | least to most | unit | p50, p99, p99.9 ms | server, stores µs of CPU | of the floor | by CPU | goal |"
                .to_owned(),
            "|---|---|---|---|---|---|---|---|---|".to_owned(),
        ];
        lines.extend(self.figures.iter().map(row));
        lines.join("\n")
    }
}

fn row(figure: &Figure) -> String {
    let Figure { name, unit, value, ratio, details, .. } = figure;
    let detail = |name: &str| details.get(name).map(|spread| number(spread.median));
    let by_cpu = details.get("cpu_ratio").map(|spread| format!("{:.3}", spread.median));
    let details = |names: &[&str]| {
        names.iter().filter_map(|name| detail(name)).collect::<Vec<_>>().join(", ")
    };
    let times = details(&["p50_ms", "p99_ms", "p999_ms"]);
    let cpu = details(&["server_us", "stores_us"]);
    let ratio = ratio.as_ref().map(|it| format!("{:.3} of `{}`", it.of_it.median, it.floor));
    let goal = figure.goal.map(goal).unwrap_or_default();
    let met = match figure.is_met() {
        Some(true) => " met",
        Some(false) => " MISSED",
        None => "",
    };
    format!(
        "| {name} | {} | {} to {} | {unit} | {times} | {cpu} | {} | {} | {goal}{met} |",
        number(value.median),
        number(value.min),
        number(value.max),
        ratio.unwrap_or_default(),
        by_cpu.unwrap_or_default(),
    )
}

fn goal(goal: Goal) -> String {
    match goal {
        Goal::RatioAtLeast(least) => format!("at least {least}"),
        Goal::RatioAtMost(most) => format!("at most {most} times"),
        Goal::AtMost(most) => format!("at most {}", number(most)),
    }
}

/// With three digits at least, and the thousands of large ones apart.
pub(crate) fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut told = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::super::figures::Better;
    use super::*;

    #[test]
    fn numbers_are_told_as_people_write_them() {
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(number(812.4), "812");
        assert_eq!(number(9.64), "9.6");
    }

    #[test]
    fn a_row_tells_the_figure_its_ratio_and_whether_the_goal_is_met() {
        let figure = Figure::of("tokens", "requests/s", Better::Higher, &[900.0, 1_000.0, 1_200.0]);
        let figure = figure.unwrap().against("sign", &[0.5]).with_goal(Goal::RatioAtLeast(0.6));
        let figure = figure.with_detail("p99_ms", &[4.2]).with_detail("server_us", &[61.0]);
        let figure = figure.with_detail("cpu_ratio", &[0.55]);
        let expected = "| tokens | 1,000 | 900 to 1,200 | requests/s | 4.2 | 61.0 | 0.500 of `sign` | 0.550 | at least 0.6 MISSED |";
        assert_eq!(row(&figure), expected);
    }
}
