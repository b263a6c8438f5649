//! Every example is one that its own schema accepts.

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use super::document::{self, Body};
use crate::violation::Violation;

const RULE: &str = "every example is valid by the schema beside it";
const DOCUMENT: &str = "urn:agentidp:openapi";

/// The examples of bodies that their schemas refuse, and the schemas that are none.
pub(crate) fn violations(document: &Value) -> Vec<Violation> {
    let registry = Registry::new()
        .draft(Draft::Draft202012)
        .add(DOCUMENT, document)
        .and_then(|registry| registry.prepare());
    let registry = match registry {
        Ok(registry) => registry,
        Err(error) => return vec![Violation::new("the document", error.to_string(), RULE)],
    };
    let mut found = Vec::new();
    for operation in document::operations(document) {
        for body in document::bodies(document, &operation) {
            found.extend(of_body(document, &registry, &body));
        }
    }
    found
}

fn of_body(document: &Value, registry: &Registry<'_>, body: &Body<'_>) -> Vec<Violation> {
    if body.content.get("schema").is_none() {
        return Vec::new();
    }
    // A pointer inside a URI: the braces of a path template and the like must be escaped there.
    let schema = json!({"$ref": format!("{DOCUMENT}#{}/schema", percent_encode(&body.pointer))});
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_registry(registry)
        .should_validate_formats(true)
        .build(&schema);
    match validator {
        Ok(validator) => refusals(document, &validator, body),
        Err(error) => {
            vec![Violation::new(body.place.as_str(), format!("its schema is none: {error}"), RULE)]
        }
    }
}

fn refusals(document: &Value, validator: &Validator, body: &Body<'_>) -> Vec<Violation> {
    let mut found = Vec::new();
    for (name, example) in examples(document, body.content) {
        for error in validator.iter_errors(example) {
            let at = error.instance_path().to_string();
            let what = format!("{name}, at `{at}`: {error}");
            found.push(Violation::new(body.place.as_str(), what, RULE));
        }
    }
    found
}

fn examples<'a>(document: &'a Value, content: &'a Value) -> Vec<(String, &'a Value)> {
    let single = content.get("example").map(|example| ("its example".to_owned(), example));
    let named = document::members(content.get("examples")).filter_map(|(name, example)| {
        let (_, example) = document::resolve(document, String::new(), example);
        Some((format!("its example `{name}`"), example.get("value")?))
    });
    single.into_iter().chain(named).collect()
}

fn percent_encode(pointer: &str) -> String {
    let mut encoded = String::new();
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"/~-._".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a document whose one body has this example.
    fn found(example: &Value) -> Vec<String> {
        let document = json!({
            "openapi": "3.1.0",
            "paths": {"/agents/{agentId}": {"get": {"responses": {"200": {"content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Agent"}, "example": example
                }
            }}}}}},
            "components": {"schemas": {
                "Agent": {
                    "type": "object", "required": ["agentId"], "additionalProperties": false,
                    "properties": {
                        "agentId": {"type": "string", "format": "uuid"},
                        "createdAt": {"type": "string", "format": "date-time"},
                        "status": {"$ref": "#/components/schemas/Status"}
                    }
                },
                "Status": {"type": "string", "enum": ["active", "suspended"]}
            }}
        });
        violations(&document).iter().map(ToString::to_string).collect()
    }

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn an_example_of_its_schema_passes() {
        let example =
            json!({"agentId": ID, "createdAt": "2026-01-02T03:04:05Z", "status": "active"});
        assert_eq!(found(&example), Vec::<String>::new());
    }

    #[test]
    fn an_example_of_another_form_is_refused() {
        for example in [
            json!({}),
            json!({"agentId": "seven"}),
            json!({"agentId": 7}),
            json!({"agentId": ID, "createdAt": "yesterday"}),
            json!({"agentId": ID, "status": "asleep"}),
            json!({"agentId": ID, "surplus": true}),
        ] {
            assert_eq!(found(&example).len(), 1, "{example}");
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_with_its_place() {
        let told = found(&json!({"agentId": 7, "status": "asleep"}));
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|t| t.contains("GET /agents/{agentId} response 200")), "{told:?}");
        assert!(told.iter().any(|t| t.contains("at `/status`")), "{told:?}");
    }

    #[test]
    fn a_named_example_is_checked_behind_its_reference() {
        let document = json!({
            "openapi": "3.1.0",
            "paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {
                "schema": {"type": "integer"}, "examples": {"wrong": {"$ref": "#/components/examples/Word"}}
            }}}}}},
            "components": {"examples": {"Word": {"value": "one"}}}
        });
        assert_eq!(violations(&document).len(), 1);
    }
}
