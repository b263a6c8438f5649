//! The effective configuration as TOML: what is set, to what, and by whom. What it prints can be
//! used as a configuration file, but for the secrets, of which it has only a mask.

use std::io::{self, Write};

use figment::value::Value;
use tokens::Issuer;

use super::Mode;
use super::keys::{self, Fallback, Key};
use super::problem::Place;
use super::read::{list, place_of, whole};
use super::source::Settings;

/// What stands for the value of a secret, whatever its length.
const MASK: &str = "********";

/// One key with its effective value, secrets masked already: the values themselves are not kept.
#[derive(Debug, Clone)]
pub(super) struct Line {
    key: &'static Key,
    literal: Option<String>,
    place: Place,
}

/// A line of every key, in the order of the table.
pub(super) fn lines(settings: &Settings, issuer: Option<&Issuer>, mode: Mode) -> Vec<Line> {
    keys::ALL.iter().map(|key| line(key, settings, issuer, mode)).collect()
}

fn line(key: &'static Key, settings: &Settings, issuer: Option<&Issuer>, mode: Mode) -> Line {
    let derived =
        |literal: Option<String>, from| Line { key, literal, place: Place::Derived(from) };
    match settings.value(key) {
        Some(value) => {
            Line { key, literal: Some(literal(key, value)), place: place_of(settings, key) }
        }
        None if key.name == keys::MODE.name => {
            derived(Some(quoted(mode.name())), "follows from the issuer")
        }
        None if key.name == keys::ISSUER.name => match issuer {
            Some(issuer) => derived(Some(quoted(issuer.as_str())), "follows from the port"),
            None => derived(None, "follows from the port, once it is bound"),
        },
        None => Line { key, literal: None, place: Place::Default },
    }
}

/// Writes the lines as TOML.
pub(super) fn write(lines: &[Line], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# The configuration in effect. Secrets are masked.")?;
    let mut table = "";
    for line in lines {
        let (inside, name) = line.key.name.rsplit_once('.').unwrap_or(("", line.key.name));
        if inside != table {
            writeln!(out, "\n[{inside}]")?;
            table = inside;
        }
        match &line.literal {
            Some(literal) => writeln!(out, "{name} = {literal} # {}", line.place)?,
            None if line.place == Place::Default => writeln!(out, "# {name} is not set")?,
            None => writeln!(out, "# {name} {}", line.place)?,
        }
    }
    Ok(())
}

fn literal(key: &Key, value: &Value) -> String {
    if key.secret {
        return quoted(MASK);
    }
    match key.fallback {
        Fallback::EmptyList | Fallback::List(_) => {
            let entries = list(value).unwrap_or_default();
            let quoted: Vec<_> = entries.iter().filter_map(Value::as_str).map(quoted).collect();
            format!("[{}]", quoted.join(", "))
        }
        Fallback::Unset | Fallback::Text(_) | Fallback::Number(_) => match whole(value) {
            Some(number) if is_number(key, value) => number.to_string(),
            Some(_) | None => quoted(value.as_str().unwrap_or_default()),
        },
    }
}

/// A folder may be named `7`; a number from the environment is text too.
fn is_number(key: &Key, value: &Value) -> bool {
    let numeric = matches!(key.fallback, Fallback::Number(_)) || key.name.starts_with("plans.");
    numeric || value.as_str().is_none()
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut literal = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            other if other.is_control() => {
                literal.push_str(&format!("\\u{:04X}", u32::from(other)));
            }
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}
