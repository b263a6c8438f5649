//! Turns the bytes of a body into fields: strict JSON, no name twice at any depth, no U+0000.
//!
//! Of a doubled name, one reader takes the first value and another the last. Whoever checks and
//! whoever acts could then see different requests, so neither gets to see it.

use std::{collections::BTreeMap, fmt};

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Number, Value, error::Category};

use crate::{
    fields::{Fields, Given},
    problem::{FieldErrors, Problem},
};

/// The name under which the body as a whole is reported.
const BODY: &str = "body";

impl Fields {
    /// The members of the JSON object that these bytes are. Doubled names and U+0000 are kept for
    /// [`Fields::finish`] to tell with everything else.
    ///
    /// # Errors
    /// When the bytes are no JSON object.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let mut members = Members::default();
        let mut deserializer = Deserializer::from_slice(bytes);
        deserializer
            .deserialize_any(&mut members)
            .and_then(|()| deserializer.end())
            .map_err(|error| Problem::validation(FieldErrors::of(BODY, reason(&error))))?;
        Ok(Self::new(members.given, members.errors))
    }
}

/// What is wrong, and where. The parser's own words stay inside: some quote the input.
fn reason(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Data => "must be a JSON object".to_owned(),
        Category::Eof => "ends in the middle of the JSON object".to_owned(),
        Category::Syntax | Category::Io => format!(
            "is not valid JSON in UTF-8, or nested more than 127 levels deep, at line {line} \
             column {column}"
        ),
    }
}

/// Collects the members of the outermost object.
#[derive(Default)]
struct Members {
    given: BTreeMap<String, Given>,
    errors: FieldErrors,
}

impl<'de> Visitor<'de> for &mut Members {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let mut faults = Faults::default();
            let value = map.next_value_seed(Strict(&mut faults))?;
            if name.contains('\0') {
                // The name itself must not be told: it would carry what was refused.
                self.errors.add(BODY, "must not hold U+0000 in a name");
                continue;
            }
            if let Some(fault) = faults.first {
                self.errors.add(&*name, fault);
            }
            if self.given.contains_key(&name) {
                self.errors.add(&*name, "is given more than once");
            }
            self.given.insert(name, Given::Json(value));
        }
        Ok(())
    }
}

/// What is wrong inside one field. It is told of the field and not of the place in it: a deep path
/// that is told of many places would make the answer far longer than the request.
#[derive(Default)]
struct Faults {
    first: Option<&'static str>,
}

impl Faults {
    fn note(&mut self, fault: &'static str) {
        self.first.get_or_insert(fault);
    }

    fn check(&mut self, text: &str) {
        if text.contains('\0') {
            self.note("must not hold U+0000");
        }
    }
}

/// Makes a [`Value`] and notes what is wrong with it.
struct Strict<'a>(&'a mut Faults);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        self.0.check(text);
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(Strict(self.0))? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            self.0.check(&name);
            let value = map.next_value_seed(Strict(self.0))?;
            if members.insert(name, value).is_some() {
                self.0.note("holds a name more than once");
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::fields;

    fn reasons(problem: &Problem) -> Value {
        let issuer = "https://idp.example.com".parse().unwrap();
        problem.body(&issuer, "r-1")["details"]["fields"].clone()
    }

    /// What is wrong with a body whose fields `a` and `b` may be anything.
    fn wrong(bytes: &[u8]) -> Value {
        let outcome = Fields::parse(bytes).and_then(|mut fields| {
            fields.ignore("a");
            fields.ignore("b");
            fields.finish(|| Some(()))
        });
        outcome.map_or_else(|problem| reasons(&problem), |()| Value::Null)
    }

    #[test]
    fn rg_05_what_is_no_json_object_is_refused() {
        let utf_16: Vec<u8> = "{\"a\":1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let bad: [&[u8]; 17] = [
            b"",
            b" ",
            b"{",
            b"{\"a\":",
            b"{\"a\":1}x",
            b"{\"a\":1}{}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{\"a\":1,}",
            b"{/**/}",
            b"\xef\xbb\xbf{}",
            &utf_16,
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\n\"}",
            b"{'a':1}",
            b"{\"a\":01}",
        ];
        for bytes in bad {
            let wrong = wrong(bytes);
            assert!(wrong["body"].is_string(), "{}: {wrong}", String::from_utf8_lossy(bytes));
        }
        for bytes in ["[]", "\"idp_sk_canary\"", "7", "null", "true"] {
            assert_eq!(wrong(bytes.as_bytes()), json!({"body": "must be a JSON object"}));
        }
        assert_eq!(wrong(b"{\"a\":{\"b\":[1,\"\\ud83d\\ude00\",null]},\"b\":-0.5}"), Value::Null);
    }

    #[test]
    fn rg_05_a_doubled_name_is_refused_at_any_depth() {
        assert_eq!(wrong(b"{\"a\":1,\"a\":1}"), json!({"a": "is given more than once"}));
        assert_eq!(wrong(b"{\"a\":1,\"\\u0061\":1}"), json!({"a": "is given more than once"}));
        assert_eq!(
            wrong(b"{\"a\":[{\"x\":{\"y\":1,\"z\":2,\"y\":1}}],\"c\":1}"),
            json!({"a": "holds a name more than once", "c": "is not known here"})
        );
    }

    #[test]
    fn nul_is_refused_wherever_it_hides() {
        assert_eq!(wrong(b"{\"a\":\"x\\u0000\"}"), json!({"a": "must not hold U+0000"}));
        assert_eq!(wrong(b"{\"a\":[{\"\\u0000\":1}]}"), json!({"a": "must not hold U+0000"}));
        assert_eq!(wrong(b"{\"\\u0000\":1}"), json!({"body": "must not hold U+0000 in a name"}));
    }

    #[test]
    fn ds_05_depth_is_bounded() {
        let deep = [b"{\"a\":".as_slice(), "[".repeat(100_000).as_bytes()].concat();
        assert!(wrong(&deep)["body"].is_string());
        assert!(wrong("[".repeat(100_000).as_bytes())["body"].is_string());
        let objects = "{\"a\":".repeat(100_000);
        assert!(wrong(objects.as_bytes())["body"].is_string());
    }

    #[test]
    fn a_field_that_is_bad_in_two_ways_keeps_the_graver_reason() {
        let mut fields = Fields::parse(b"{\"a\":1,\"a\":2}").unwrap();
        fields.optional("a", fields::text::<String>);
        let problem = fields.finish(|| Some(())).unwrap_err();
        assert_eq!(reasons(&problem), json!({"a": "is given more than once"}));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let _ = Fields::parse(&bytes);
        }

        #[test]
        fn what_was_written_is_read(name in "[^\0]{1,8}", text in "[^\0]*", number in any::<i64>()) {
            let body = json!({name.clone(): [text, number, {"deep": null}]});
            let fields = Fields::parse(body.to_string().as_bytes());
            let mut fields = fields.unwrap();
            let read = fields.required(&name, Ok);
            prop_assert_eq!(read, Some(Given::Json(body[&name].clone())));
            prop_assert!(fields.finish(|| Some(())).is_ok());
        }
    }
}
