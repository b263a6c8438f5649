//! Strict JSON: one object, no name twice at any depth, nothing after it.
//!
//! Of a doubled name one reader takes the first value and another the last. A verifier that reads
//! the one and a user that reads the other is how forged tokens pass.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Deserializer, Map, Number, Value};

use crate::compact::Malformed;

/// Reads bytes as one JSON object.
///
/// # Errors
/// [`Malformed`] where they are none, a name stands twice, or anything follows. Depth is bounded by
/// the parser, at 128.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Malformed> {
    let mut deserializer = Deserializer::from_slice(bytes);
    let value = deserializer.deserialize_any(Strict).map_err(|_| Malformed)?;
    deserializer.end().map_err(|_| Malformed)?;
    match value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(Malformed)
        }
    }
}

/// Makes a [`Value`] of what has no name twice.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a number"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Self)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jv_08_what_is_not_one_object_with_each_name_once_is_refused() {
        assert!(object(br#"{"sub":"a","nested":{"a":[1,-1,1.5,true,null]}}"#).is_ok());
        for bad in [
            &br#"{"sub":"a","sub":"a"}"#[..],
            br#"{"sub":"a","s\u0075b":"b"}"#,
            br#"{"a":{"b":1,"b":2}}"#,
            br#"{"a":[{"b":1,"b":2}]}"#,
            b"\xef\xbb\xbf{}",
            b"{} ,",
            b"{}{}",
            b"{}\0",
            b"[]",
            b"null",
            b"",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{\"a\":\"\xff\"}",
        ] {
            assert_eq!(object(bad), Err(Malformed), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn ds_05_depth_is_bounded() {
        let deep = [b"{\"a\":".as_slice(), &[b'['; 100_000]].concat();
        assert_eq!(object(&deep), Err(Malformed));
    }
}
