//! Every `$ref` leads somewhere within the document.

use serde_json::Value;

use crate::violation::Violation;

const RULE: &str = "every `$ref` resolves within the document";

/// The references that lead nowhere, or out of the document.
pub(crate) fn violations(document: &Value) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut waiting = vec![("#".to_owned(), document)];
    while let Some((place, value)) = waiting.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    found.extend(unresolved(document, &place, target));
                }
                // An example is data: a `$ref` in it is a member of that data.
                let kept = members.iter().filter(|(key, _)| key.as_str() != "example");
                waiting.extend(kept.map(|(key, value)| (format!("{place}/{key}"), value)));
            }
            Value::Array(items) => {
                waiting.extend(
                    (0..).zip(items).map(|(at, item): (usize, _)| (format!("{place}/{at}"), item)),
                );
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

fn unresolved(document: &Value, place: &str, target: &str) -> Option<Violation> {
    let found = target.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
    found.is_none().then(|| Violation::new(place, format!("`{target}` leads nowhere"), RULE))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_to_nothing_is_refused() {
        let document =
            json!({"a": [{"$ref": "#/components/schemas/Agent"}], "components": {"schemas": {}}});
        let found = violations(&document);
        assert_eq!(found.len(), 1);
        assert!(
            found
                .iter()
                .any(|v| { v.to_string().starts_with("#/a/0: `#/components/schemas/Agent`") })
        );
    }

    #[test]
    fn a_reference_out_of_the_document_is_refused() {
        assert_eq!(violations(&json!({"$ref": "agent.yaml#/Agent"})).len(), 1);
    }

    #[test]
    fn a_reference_that_resolves_passes_and_an_example_may_hold_anything() {
        let document = json!({
            "a": {"$ref": "#/b~1c"}, "b/c": {}, "d": {"example": {"$ref": "#/nowhere"}}
        });
        assert_eq!(violations(&document), []);
    }
}
