//! JSON as the format has it, read without mercy: no member twice, no number that two readers could
//! take for different ones, and no array where an object belongs.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, SeqAccess, Unexpected, Visitor, value::MapAccessDeserializer},
};
use serde_json::{Map, Number, Value};

use crate::canonical;

/// A struct that is written as an object. What is derived would take an array of its values too.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyObject<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyObject<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(OnlyObject(PhantomData)).map(Object)
    }
}

/// An integer of 0 or more that every parser reads exactly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole(pub(super) u64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u64::deserialize(deserializer)?;
        if canonical::is_exact(&number.into()) {
            Ok(Self(number))
        } else {
            Err(D::Error::invalid_value(Unexpected::Unsigned(number), &"a smaller number"))
        }
    }
}

/// A string, borrowed from the line where nothing in it is escaped.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyText;

        impl<'de> Visitor<'de> for OnlyText {
            type Value = Cow<'de, str>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }

        deserializer.deserialize_str(OnlyText).map(Text)
    }
}

/// An object of whatever members, each there once, that has a canonical form.
#[derive(Debug)]
pub(super) struct Details(pub(super) Map<String, Value>);

impl<'de> Deserialize<'de> for Details {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Map<String, Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                members(map)
            }
        }

        deserializer.deserialize_map(Members).map(Details)
    }
}

fn members<'de, A: MapAccess<'de>>(mut map: A) -> Result<Map<String, Value>, A::Error> {
    let mut members = Map::new();
    while let Some(name) = map.next_key::<String>()? {
        let Exact(value) = map.next_value()?;
        if members.insert(name, value).is_some() {
            return Err(A::Error::custom("a member is there twice"));
        }
    }
    Ok(members)
}

/// A value that has a canonical form.
struct Exact(Value);

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Exact)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without fraction or exponent, within 2^53")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        exact(number.into()).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        exact(number.into()).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Exact(value)) = values.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value, A::Error> {
        members(map).map(Value::Object)
    }
}

fn exact(number: Number) -> Option<Value> {
    canonical::is_exact(&number).then_some(Value::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details(text: &str) -> Option<Map<String, Value>> {
        serde_json::from_str::<Details>(text).ok().map(|details| details.0)
    }

    #[test]
    fn what_has_a_canonical_form_is_read_as_it_is() {
        let text =
            r#" {"b":[null,true,-9007199254740991,9007199254740991,"\u00e9"],"a":{"c":{}}} "#;
        let read = details(text).unwrap();
        assert_eq!(Value::Object(read), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn a_member_twice_is_refused_however_deep() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"b":[{"a":1,"a":1}]}"#,
            r#"{"b":{"a":{},"a":{}}}"#,
        ] {
            assert_eq!(details(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_readers_take_for_different_ones_are_refused() {
        for number in ["1.0", "1.5", "1e2", "1E2", "-0", "9007199254740992", "-9007199254740992"] {
            assert_eq!(details(&format!(r#"{{"a":{number}}}"#)), None, "{number}");
        }
        for number in ["01", "+1", ".5", "NaN", "18446744073709551616"] {
            assert_eq!(details(&format!(r#"{{"a":[{number}]}}"#)), None, "{number}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_refused() {
        assert_eq!(details(r#"{"a":"\ud83d"}"#), None);
        assert_eq!(details(r#"{"a":"\ud83d\ude00"}"#).unwrap()["a"], "😀");
    }

    #[test]
    fn an_array_is_no_object() {
        assert!(serde_json::from_str::<Details>("[]").is_err());
        assert!(serde_json::from_str::<Object<(Whole,)>>("[1]").is_err());
    }
}
