//! The values of table `audit`: what leaves the audit logs, and what is erased of them.

use std::path::PathBuf;

use url::Url;

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

/// Where a witness takes checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessUrl(Url);

impl WitnessUrl {
    /// Reads a URL. One with a user in it is refused: it would be logged with its password.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_whole = url.query().is_none() && url.fragment().is_none();
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        (is_plain && is_whole && is_http).then_some(Self(url))
    }

    /// The URL.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_is_an_http_url_without_a_user() {
        for text in ["https://witness.example.com", "http://127.0.0.1:8080/some/prefix/"] {
            assert!(WitnessUrl::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "witness.example.com",
            "ftp://witness.example.com",
            "https://user:word@witness.example.com",
            "https://witness.example.com/?a=b",
            "https://witness.example.com/#a",
        ] {
            assert!(WitnessUrl::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn standard_output_takes_what_is_named() {
        let none = StandardOutput::default();
        let both = none.with("events").unwrap().with("checkpoints").unwrap();
        assert_eq!(both, StandardOutput { checkpoints: true, events: true });
        assert_eq!(none.with("logs"), None);
    }
}
