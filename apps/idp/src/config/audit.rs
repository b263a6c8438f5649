//! The values of table `audit`: what leaves the audit logs, and what is erased of them.

use std::path::PathBuf;

use outlets::WitnessUrl;

/// What leaves the audit logs, and what is erased of them.
#[derive(Debug, Clone)]
pub struct Audit {
    /// The file that each checkpoint is appended to.
    pub checkpoint_file: Option<PathBuf>,
    /// The file that each event is appended to.
    pub events_file: Option<PathBuf>,
    /// What is written to standard output.
    pub stdout: StandardOutput,
    /// Who is asked to sign each checkpoint too.
    pub witness: Option<WitnessUrl>,
    /// For how many days personal data is kept, where content is not over earlier.
    pub personal_data_days: u32,
}

/// What of the audit logs is written to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StandardOutput {
    /// Checkpoints.
    pub checkpoints: bool,
    /// Events.
    pub events: bool,
}

impl StandardOutput {
    /// The same with what this entry of the list names. `None` where it names nothing.
    pub(super) fn with(self, entry: &str) -> Option<Self> {
        match entry {
            "checkpoints" => Some(Self { checkpoints: true, ..self }),
            "events" => Some(Self { events: true, ..self }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_output_takes_what_is_named() {
        let none = StandardOutput::default();
        let both = none.with("events").unwrap().with("checkpoints").unwrap();
        assert_eq!(both, StandardOutput { checkpoints: true, events: true });
        assert_eq!(none.with("logs"), None);
    }
}
