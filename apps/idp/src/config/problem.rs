//! What can be wrong with a configuration, and how it is told: where it came from, what is
//! expected, and never the value of a secret.

use std::fmt;
use std::path::{Path, PathBuf};

use figment::value::Value;

use super::keys::Key;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The table of keys.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// The environment variable of that name.
    Variable(String),
    /// The value of another key, told in a few words.
    Derived(&'static str),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file `{}`", printable(&path.to_string_lossy())),
            Self::Variable(name) => write!(f, "environment variable `{}`", printable(name)),
            Self::Derived(from) => f.write_str(from),
        }
    }
}

/// How much of a refused value may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The value itself, on one line and not too long.
    Shown(String),
    /// Its kind, where it has no short text.
    Kind(&'static str),
    /// Nothing: it is secret, or may hold a password.
    Hidden,
}

impl Found {
    /// What may be told of a value of that key.
    pub(super) fn of(key: &Key, value: &Value) -> Self {
        if key.secret {
            return Self::Hidden;
        }
        match value {
            Value::String(_, text) => Self::text(text),
            Value::Char(_, letter) => Self::text(&letter.to_string()),
            Value::Bool(_, truth) => Self::text(&truth.to_string()),
            Value::Num(..) => match (value.to_i128(), value.to_u128(), value.to_f64()) {
                (Some(number), _, _) => Self::text(&number.to_string()),
                (None, Some(number), _) => Self::text(&number.to_string()),
                (None, None, Some(number)) => Self::text(&number.to_string()),
                (None, None, None) => Self::Kind("a number"),
            },
            Value::Empty(..) => Self::Kind("nothing"),
            Value::Dict(..) => Self::Kind("a table"),
            Value::Array(..) => Self::Kind("a list"),
        }
    }

    /// What may be told of a text: nothing where it may be a URL with a password in it, since
    /// such a one gets pasted into the wrong variable.
    pub(super) fn text(text: &str) -> Self {
        if text.is_empty() {
            Self::Kind("empty")
        } else if text.contains("://") && text.contains('@') {
            Self::Hidden
        } else {
            Self::Shown(printable(text))
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(text) => write!(f, ", not `{text}`"),
            Self::Kind(kind) => write!(f, ", not {kind}"),
            Self::Hidden => f.write_str(" (the value given is not shown)"),
        }
    }
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file has a key that does not exist.
    #[error("{place}: unknown key `{}`{}", printable(key), suggestion(*nearby))]
    UnknownKey {
        /// The file.
        place: Place,
        /// The dotted name.
        key: String,
        /// What was probably meant.
        nearby: Option<&'static str>,
    },
    /// The environment has a variable of ours that does not exist.
    #[error("unknown environment variable `{}`{}", printable(variable), suggestion(*nearby))]
    UnknownVariable {
        /// Its name.
        variable: String,
        /// What was probably meant.
        nearby: Option<&'static str>,
    },
    /// A value stands where the file should have a table.
    #[error("{place}: `{key}` must be a table")]
    NotATable {
        /// The file.
        place: Place,
        /// The dotted name.
        key: String,
    },
    /// A value is not of the form that its key asks for.
    #[error("{place}: `{key}` must be {expected}{found}{}", reason(because.as_deref()))]
    BadValue {
        /// Where the value came from.
        place: Place,
        /// The key's name.
        key: &'static str,
        /// What its value must be.
        expected: &'static str,
        /// What it is.
        found: Found,
        /// Which rule it breaks, where there are several.
        because: Option<String>,
    },
    /// A value is of the right form, and yet not taken.
    #[error("{place}: `{key}` is refused: {because}")]
    Refused {
        /// Where the value came from.
        place: Place,
        /// The key's name.
        key: &'static str,
        /// Why, and what to do.
        because: &'static str,
    },
    /// A value is missing that this configuration cannot do without.
    #[error("`{key}` (environment variable `{variable}`) must be set: {because}")]
    Missing {
        /// The key's name.
        key: &'static str,
        /// Its environment variable.
        variable: &'static str,
        /// Why.
        because: &'static str,
    },
    /// The configuration file cannot be read.
    #[error("file `{}`, named by {named_by}, cannot be read: {because}", path_text(file))]
    UnreadableFile {
        /// The file.
        file: PathBuf,
        /// What named it.
        named_by: &'static str,
        /// Why.
        because: String,
    },
    /// The configuration file is not TOML. The parser's own words are kept out: they may repeat
    /// the line, and the line may hold a secret.
    #[error("file `{}` is not valid TOML{}", path_text(file), position(*at))]
    MalformedFile {
        /// The file.
        file: PathBuf,
        /// Line and column, from 1, where known.
        at: Option<(usize, usize)>,
    },
}

/// Every problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn new(found: Vec<Problem>) -> Self {
        Self(found)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("the configuration has a problem:")?,
            count => write!(f, "the configuration has {count} problems:")?,
        }
        self.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
    }
}

impl std::error::Error for Problems {}

/// The text on one line, and not longer than a line: it may come from anywhere.
pub(super) fn printable(text: &str) -> String {
    let longest = 100;
    let mut short: String = text
        .chars()
        .take(longest)
        .map(|letter| if letter.is_control() { '\u{fffd}' } else { letter })
        .collect();
    if text.chars().nth(longest).is_some() {
        short.push('…');
    }
    short
}

fn path_text(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

fn suggestion(nearby: Option<&str>) -> String {
    nearby.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

fn reason(because: Option<&str>) -> String {
    because.map(|rule| format!(": {rule}")).unwrap_or_default()
}

fn position(at: Option<(usize, usize)>) -> String {
    at.map(|(line, column)| format!(" at line {line}, column {column}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn a_text_from_outside_stays_on_one_line_and_short() {
        assert_eq!(printable("a\nb\u{1b}[31m"), "a\u{fffd}b\u{fffd}[31m");
        assert_eq!(printable(&"x".repeat(500)).chars().count(), 101);
    }

    #[test]
    fn nothing_is_told_of_a_secret_or_of_a_url_with_a_password() {
        let value = Value::from("canary");
        assert_eq!(Found::of(keys::PEPPER, &value), Found::Hidden);
        let value = Value::from("https://root:canary@example.com");
        assert_eq!(Found::of(keys::ISSUER, &value), Found::Hidden);
    }

    #[test]
    fn one_problem_and_several_read_as_sentences() {
        let one = Problem::UnknownVariable { variable: "IDP_X".into(), nearby: None };
        let text = Problems(vec![one.clone()]).to_string();
        assert_eq!(
            text,
            "the configuration has a problem:\n  - unknown environment variable `IDP_X`"
        );
        assert!(Problems(vec![one.clone(), one]).to_string().contains("has 2 problems:"));
    }
}
