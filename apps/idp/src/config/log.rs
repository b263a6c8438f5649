//! What is logged, and in which form.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// A line for people.
    Human,
    /// A JSON object a line.
    Json,
}

impl LogFormat {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "auto" => Some(Self::Auto),
            "human" => Some(Self::Human),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A valid filter of log lines: a level, or a list of `target=level`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

/// The rule that a refused filter breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidLogFilter {
    /// A word alone that is no level.
    #[error("a word alone must be a level, a target needs `=` and its level")]
    BareWord,
    /// It cannot be read otherwise.
    #[error("it cannot be read as a filter")]
    Form,
}

impl LogFilter {
    /// Reads a filter. A word alone must be a level: the filter language takes any other for a
    /// target, and then `log = "inof"` would silence the whole log without a word.
    ///
    /// # Errors
    /// Tells the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, InvalidLogFilter> {
        let directives: Vec<&str> = text.split(',').map(str::trim).collect();
        for directive in &directives {
            let bare = !directive.contains(['=', '[']);
            let level = !directive.is_empty() && directive.parse::<LevelFilter>().is_ok();
            if bare && !level {
                return Err(InvalidLogFilter::BareWord);
            }
        }
        let plain = directives.join(",");
        match EnvFilter::builder().parse(&plain) {
            Ok(_) => Ok(Self(plain)),
            Err(_) => Err(InvalidLogFilter::Form),
        }
    }

    /// The filter, as the log takes it.
    pub fn directives(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_a_log_filter() {
        use InvalidLogFilter::*;
        for (text, outcome) in [
            ("info", Ok("info")),
            ("WARN", Ok("WARN")),
            ("off", Ok("off")),
            ("info,idp=debug,sqlx=warn", Ok("info,idp=debug,sqlx=warn")),
            ("info, idp=debug", Ok("info,idp=debug")),
            ("inof", Err(BareWord)),
            ("idp", Err(BareWord)),
            ("", Err(BareWord)),
            ("info,", Err(BareWord)),
            ("idp=loud", Err(Form)),
            ("idp=debug=trace", Err(Form)),
        ] {
            let parsed = LogFilter::parse(text);
            assert_eq!(parsed, outcome.map(|plain| LogFilter(plain.to_owned())), "{text}");
        }
    }
}
