//! What must be found of a tampering: as exactly as the way knows it.

use std::{fmt, ops::RangeInclusive};

use audit::verify::{Code, Finding};

/// What a finding may be. Where there are several, the contents of the log decide which is met first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected(Vec<(RangeInclusive<u64>, Code)>);

impl Expected {
    /// This, at this position and no other.
    #[must_use]
    pub fn at(position: u64, code: Code) -> Self {
        Self(vec![(position..=position, code)])
    }

    /// Or that, somewhere in here.
    #[must_use]
    pub fn or(mut self, positions: RangeInclusive<u64>, code: Code) -> Self {
        self.0.push((positions, code));
        self
    }

    /// Whether a finding is it.
    #[must_use]
    pub fn is(&self, finding: &Finding) -> bool {
        self.0
            .iter()
            .any(|(positions, code)| *code == finding.code && positions.contains(&finding.position))
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (positions, code)) in self.0.iter().enumerate() {
            let or = if number > 0 { " or " } else { "" };
            write!(f, "{or}{}..={}: {}", positions.start(), positions.end(), code.name())?;
        }
        Ok(())
    }
}
