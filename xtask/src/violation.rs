//! A broken rule, and how a list of them is told.

use std::fmt;

/// One place that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    place: String,
    what: String,
    rule: &'static str,
}

impl Violation {
    pub(crate) fn new(
        place: impl Into<String>,
        what: impl Into<String>,
        rule: &'static str,
    ) -> Self {
        Self { place: place.into(), what: what.into(), rule }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}\n    rule: {}", self.place, self.what, self.rule)
    }
}

/// Fails with every violation at once, so that nobody mends them one run at a time.
pub(crate) fn none_of(mut violations: Vec<Violation>) -> anyhow::Result<()> {
    if violations.is_empty() {
        return Ok(());
    }
    violations.sort();
    for violation in &violations {
        eprintln!("{violation}");
    }
    anyhow::bail!("{} violations, each listed above", violations.len())
}
