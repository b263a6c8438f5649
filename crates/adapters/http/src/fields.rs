//! Reads the fields of a body or a query, and gathers everything that is wrong with them.
//!
//! A caller with three bad fields learns of three, not of the first. What nobody asked for is
//! refused too: a misspelt optional field would otherwise be lost without a word.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

use kernel::Timestamp;
use serde_json::{Map, Value};

use crate::problem::{FieldErrors, Problem};

/// The value of one field, as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// Out of a JSON body.
    Json(Value),
    /// Out of a query, where everything is text.
    Text(String),
}

/// Why a value is refused, said of the field: "must be …".
pub(crate) type Reason = String;

/// The fields of one request. Ask for each that is known, then [`Fields::finish`].
#[derive(Debug, Default)]
pub(crate) struct Fields {
    given: BTreeMap<String, Given>,
    errors: FieldErrors,
}

impl Fields {
    /// Fields that were taken out of a request, and what was wrong with it already.
    pub(crate) fn new(given: BTreeMap<String, Given>, errors: FieldErrors) -> Self {
        Self { given, errors }
    }

    /// A field that must be there. `None` once it is missing or bad: [`Fields::finish`] then fails.
    pub(crate) fn required<T>(
        &mut self,
        name: &str,
        reader: impl FnOnce(Given) -> Result<T, Reason>,
    ) -> Option<T> {
        let value = self.take(name);
        if value.is_none() {
            self.errors.add(name, "is required");
        }
        self.read(name, value?, reader)
    }

    /// A field that may be absent; `null` is absent too. `None` also once it is bad:
    /// [`Fields::finish`] then fails.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        reader: impl FnOnce(Given) -> Result<T, Reason>,
    ) -> Option<T> {
        let value = self.take(name)?;
        self.read(name, value, reader)
    }

    /// A field that may be there and means nothing.
    pub(crate) fn ignore(&mut self, name: &str) {
        self.given.remove(name);
    }

    /// Refuses the request at once if it names a field that never changes.
    pub(crate) fn refuse_immutable(&self, names: &[&str]) -> Result<(), Problem> {
        let mut sent = FieldErrors::default();
        for name in names.iter().filter(|name| self.given.contains_key(**name)) {
            sent.add(*name, "cannot be changed");
        }
        if sent.is_empty() { Ok(()) } else { Err(Problem::immutable(sent)) }
    }

    /// Refuses each field that is `null`. Where a field is to be changed, passing over a `null` would
    /// look to its sender like having taken the value away.
    pub(crate) fn refuse_nulls(&mut self) {
        let nulls = self.given.iter().filter(|(_, given)| **given == Given::Json(Value::Null));
        for (name, _) in nulls {
            self.errors.add(name, "must not be null");
        }
    }

    /// Says that a field is bad for a reason that its own value does not show, such as another
    /// field's value.
    pub(crate) fn refuse(&mut self, name: &str, reason: impl Into<Reason>) {
        self.errors.add(name, reason);
    }

    /// Whether one of these fields was found to be bad.
    pub(crate) fn is_refused(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.errors.names(name))
    }

    /// Makes the outcome, if nothing was wrong; otherwise tells all that was.
    pub(crate) fn finish<T>(mut self, make: impl FnOnce() -> Option<T>) -> Result<T, Problem> {
        for name in self.given.into_keys() {
            self.errors.add(name, "is not known here");
        }
        if !self.errors.is_empty() {
            return Err(Problem::validation(self.errors));
        }
        make().ok_or_else(|| Problem::internal("a field was read as bad, and nothing said why"))
    }

    fn take(&mut self, name: &str) -> Option<Given> {
        self.given.remove(name).filter(|given| *given != Given::Json(Value::Null))
    }

    fn read<T>(
        &mut self,
        name: &str,
        value: Given,
        reader: impl FnOnce(Given) -> Result<T, Reason>,
    ) -> Option<T> {
        reader(value).map_err(|reason| self.errors.add(name, reason)).ok()
    }
}

/// Reads text into a type that is right by construction.
pub(crate) fn text<T>(given: Given) -> Result<T, Reason>
where
    T: FromStr<Err: Display>,
{
    let text = match given {
        Given::Json(Value::String(text)) | Given::Text(text) => text,
        Given::Json(_) => return Err("must be a string".to_owned()),
    };
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// Reads a list of texts. Of several bad items the first is told.
pub(crate) fn text_list<T>(given: Given) -> Result<Vec<T>, Reason>
where
    T: FromStr<Err: Display>,
{
    let Given::Json(Value::Array(items)) = given else {
        return Err("must be an array of strings".to_owned());
    };
    let item =
        |(at, item)| text(Given::Json(item)).map_err(|reason| format!("item {at}: {reason}"));
    (1..).zip(items).map(item).collect()
}

/// Reads true or false.
pub(crate) fn boolean(given: Given) -> Result<bool, Reason> {
    match given {
        Given::Json(Value::Bool(value)) => Ok(value),
        Given::Text(text) if text == "true" => Ok(true),
        Given::Text(text) if text == "false" => Ok(false),
        Given::Json(_) | Given::Text(_) => Err("must be true or false".to_owned()),
    }
}

/// Reads a whole number into any type that takes one.
pub(crate) fn whole_number<N: TryFrom<i64>>(given: Given) -> Result<N, Reason> {
    let number = match given {
        Given::Json(Value::Number(number)) => number.as_i64(),
        // Only the one spelling: `+5`, `05` and ` 5` are no second names of 5.
        Given::Text(text) => text.parse().ok().filter(|number: &i64| number.to_string() == text),
        Given::Json(_) => None,
    };
    let number = number.ok_or_else(|| "must be a whole number".to_owned())?;
    N::try_from(number).map_err(|_| "is out of range".to_owned())
}

/// Reads an object.
pub(crate) fn object(given: Given) -> Result<Map<String, Value>, Reason> {
    match given {
        Given::Json(Value::Object(members)) => Ok(members),
        Given::Json(_) | Given::Text(_) => Err("must be an object".to_owned()),
    }
}

/// Reads an RFC 3339 time.
pub(crate) fn timestamp(given: Given) -> Result<Timestamp, Reason> {
    text(given)
}

#[cfg(test)]
mod tests {
    use kernel::AgentId;
    use serde_json::json;

    use super::*;

    fn json_fields(value: Value) -> Fields {
        let Value::Object(members) = value else { panic!("an object") };
        let given = members.into_iter().map(|(name, value)| (name, Given::Json(value)));
        Fields::new(given.collect(), FieldErrors::default())
    }

    fn reasons(problem: &Problem) -> Value {
        let issuer = "https://idp.example.com".parse().unwrap();
        problem.body(&issuer, "r-1")["details"]["fields"].clone()
    }

    #[test]
    fn rg_01_everything_that_is_wrong_is_told_at_once() {
        let mut fields = json_fields(json!({
            "agentId": "no", "limit": 1.5, "isPublic": "yes", "metadata": [], "expiresAt": "soon",
            "capabilities": ["a", 3], "isAdmin": true, "organizationId": "any", "name": null,
        }));
        fields.ignore("organizationId");
        assert_eq!(fields.required("agentId", text::<AgentId>), None);
        assert_eq!(fields.required("email", text::<String>), None);
        assert_eq!(fields.required("name", text::<String>), None);
        assert_eq!(fields.optional("owner", text::<String>), None);
        assert_eq!(fields.optional("limit", whole_number::<u32>), None);
        assert_eq!(fields.optional("isPublic", boolean), None);
        assert_eq!(fields.optional("metadata", object), None);
        assert_eq!(fields.optional("expiresAt", timestamp), None);
        assert_eq!(fields.optional("capabilities", text_list::<String>), None);
        fields.refuse("email", "comes too late to count");
        let problem = fields.finish(|| Some(())).unwrap_err();
        assert_eq!(
            reasons(&problem),
            json!({
                "agentId": "must be a UUID in lower case with hyphens",
                "email": "is required",
                "name": "is required",
                "limit": "must be a whole number",
                "isPublic": "must be true or false",
                "metadata": "must be an object",
                "expiresAt":
                    "must be an RFC 3339 time between 1970 and 9999, such as `2026-11-21T08:00:00Z`",
                "capabilities": "item 2: must be a string",
                "isAdmin": "is not known here",
            })
        );
    }

    #[test]
    fn good_fields_are_read() {
        let mut fields =
            json_fields(json!({"limit": 7, "isPublic": false, "owner": "a", "x": ["b"]}));
        let limit = fields.required("limit", whole_number::<u8>);
        let public = fields.optional("isPublic", boolean);
        let owner = fields.optional("owner", text::<String>);
        let list = fields.optional("x", text_list::<String>);
        let read = fields.finish(|| Some((limit?, public?, owner?, list?))).unwrap();
        assert_eq!(read, (7, false, "a".to_owned(), vec!["b".to_owned()]));
    }

    #[test]
    fn a_number_has_one_spelling_and_a_range() {
        let number = |text: &str| whole_number::<u8>(Given::Text(text.to_owned()));
        assert_eq!(number("5"), Ok(5));
        for bad in ["+5", "05", " 5", "", "5.0", "1e1", "９"] {
            assert_eq!(number(bad), Err("must be a whole number".to_owned()), "{bad}");
        }
        assert_eq!(number("256"), Err("is out of range".to_owned()));
        assert_eq!(number("-1"), Err("is out of range".to_owned()));
        let past = Given::Json(json!(9_223_372_036_854_775_808_u64));
        assert_eq!(whole_number::<i64>(past), Err("must be a whole number".to_owned()));
    }

    #[test]
    fn a_field_that_never_changes_is_refused_at_once() {
        let fields = json_fields(json!({"email": "a@example.com", "owner": "b"}));
        let problem = fields.refuse_immutable(&["agentId", "email"]).unwrap_err();
        assert_eq!(reasons(&problem), json!({"email": "cannot be changed"}));
        assert!(fields.refuse_immutable(&["agentId"]).is_ok());
    }
}
