//! Canonical JSON: one text for one value, so that a hash over it can be made again.
//!
//! `docs/audit-format.md` states it. No library's output is relied on: a member's order or an
//! escape that changed with an update would break every log.

use serde_json::{Map, Number, Value};

/// The greatest integer that every JSON parser keeps exactly (RFC 8259, section 6).
const EXACT: i64 = (1 << 53) - 1;

/// The text of most events is shorter.
const USUAL_LENGTH: usize = 512;

/// The same object with nothing in it that has no canonical form: a number with a fraction, or too
/// large for others to read exactly, becomes a text.
#[must_use]
pub fn normalized(object: &Map<String, Value>) -> Map<String, Value> {
    object.iter().map(|(name, value)| (name.clone(), normal(value))).collect()
}

fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) if !is_exact(number) => Value::String(number.to_string()),
        Value::Array(values) => values.iter().map(normal).collect(),
        Value::Object(object) => Value::Object(normalized(object)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Whether a number has a canonical form.
#[must_use]
pub fn is_exact(number: &Number) -> bool {
    number.as_i64().is_some_and(|number| (-EXACT..=EXACT).contains(&number))
}

/// The canonical text of an object, as if [`normalized`] had made it.
#[must_use]
pub fn text(object: &Map<String, Value>) -> String {
    let mut out = String::with_capacity(USUAL_LENGTH);
    write_object(object, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) if is_exact(number) => out.push_str(&number.to_string()),
        Value::Number(number) => write_text(&number.to_string(), out),
        Value::String(text) => write_text(text, out),
        Value::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(value, out);
            }
            out.push(']');
        }
        Value::Object(object) => write_object(object, out),
    }
}

fn write_object(object: &Map<String, Value>, out: &mut String) {
    let mut members: Vec<(&String, &Value)> = object.iter().collect();
    // The order of UTF-8 is that of code points.
    members.sort_unstable_by_key(|(name, _)| *name);
    out.push('{');
    for (at, (name, value)) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    // Most of a text stands for itself, and is copied as a whole.
    while let Some(length) = rest.bytes().position(is_escaped) {
        let (plain, escaped) = rest.split_at(length);
        out.push_str(plain);
        let mut characters = escaped.chars();
        if let Some(character) = characters.next() {
            write_escape(character, out);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Whether a byte is a character that does not stand for itself. None is a part of another character.
const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..b' ')
}

fn write_escape(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        control => out.push_str(&format!("\\u{:04x}", u32::from(control))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn members_are_sorted_by_code_point_and_nothing_else_is_between_them() {
        let value =
            object(&json!({"b": 1, "a": [true, null, {"z": "", "y": -5}], "ä": "é", "B": 2}));
        assert_eq!(text(&value), r#"{"B":2,"a":[true,null,{"y":-5,"z":""}],"b":1,"ä":"é"}"#);
    }

    #[test]
    fn au_12_controls_are_escaped_in_one_way() {
        let value = object(&json!({"a": "\u{1b}[31m\r\n\t\u{8}\u{c}\"\\/\u{7f}\u{2028}"}));
        assert_eq!(text(&value), "{\"a\":\"\\u001b[31m\\r\\n\\t\\b\\f\\\"\\\\/\u{7f}\u{2028}\"}");
    }

    #[test]
    fn a_number_that_others_could_not_read_exactly_becomes_a_text() {
        let value = object(
            &json!({"a": 1.5, "b": [9_007_199_254_740_992_i64, -9_007_199_254_740_991_i64]}),
        );
        let normal = normalized(&value);
        assert_eq!(text(&normal), r#"{"a":"1.5","b":["9007199254740992",-9007199254740991]}"#);
        assert_eq!(normalized(&normal), normal);
        assert_eq!(text(&value), text(&normal));
    }
}
