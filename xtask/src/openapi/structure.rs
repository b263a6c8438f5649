//! What every operation of the document must say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::document::{self, Operation};
use crate::violation::Violation;

const VERSION: &str = "the document is OpenAPI 3.1, whose schemas are JSON Schema";
const COMPLETE: &str = "every operation has `operationId`, `summary`, `tags` and `security`";
const UNIQUE: &str = "an `operationId` names one operation";
const DESCRIBED: &str = "every operation has responses, each with a `description`";
const SHOWN: &str = "every request body and JSON response body has an `example` or `examples`";
const PARAMETERS: &str =
    "the path's `{parameters}` are those that the operation declares, each required";

/// What the operations leave out.
pub(crate) fn violations(document: &Value) -> Vec<Violation> {
    let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
    let mut found = Vec::new();
    if !version.starts_with("3.1.") {
        found.push(Violation::new("openapi", format!("it is `{version}`"), VERSION));
    }
    let operations = document::operations(document);
    found.extend(repeated_ids(&operations));
    for operation in &operations {
        found.extend(incomplete(operation));
        found.extend(undescribed(document, operation));
        found.extend(without_example(document, operation));
        found.extend(parameters(document, operation));
    }
    found
}

fn incomplete(operation: &Operation<'_>) -> Vec<Violation> {
    let is_text = |key: &str| {
        operation.own.get(key).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty())
    };
    let list = |key: &str| operation.own.get(key).and_then(Value::as_array);
    let said = [
        ("operationId", is_text("operationId")),
        ("summary", is_text("summary")),
        ("tags", list("tags").is_some_and(|tags| !tags.is_empty())),
        // An empty list is a statement too: nobody is asked who they are.
        ("security", list("security").is_some()),
    ];
    said.into_iter()
        .filter(|(_, is_said)| !is_said)
        .map(|(key, _)| Violation::new(operation.place(), format!("`{key}` is missing"), COMPLETE))
        .collect()
}

fn repeated_ids(operations: &[Operation<'_>]) -> Vec<Violation> {
    let mut owners: BTreeMap<&str, String> = BTreeMap::new();
    let mut found = Vec::new();
    for operation in operations {
        let Some(id) = operation.own.get("operationId").and_then(Value::as_str) else {
            continue;
        };
        if let Some(other) = owners.insert(id, operation.place()) {
            let what = format!("`{id}` is the `operationId` of {other} too");
            found.push(Violation::new(operation.place(), what, UNIQUE));
        }
    }
    found
}

fn undescribed(document: &Value, operation: &Operation<'_>) -> Vec<Violation> {
    let responses = document::responses(document, operation);
    if responses.is_empty() {
        return vec![Violation::new(
            operation.place(),
            "`responses` is missing or empty",
            DESCRIBED,
        )];
    }
    let described = |response: &Value| {
        response
            .get("description")
            .and_then(Value::as_str)
            .is_some_and(|text| !text.trim().is_empty())
    };
    responses
        .iter()
        .filter(|(_, _, response)| !described(response))
        .map(|(status, _, _)| {
            let place = format!("{} response {status}", operation.place());
            Violation::new(place, "`description` is missing", DESCRIBED)
        })
        .collect()
}

fn without_example(document: &Value, operation: &Operation<'_>) -> Vec<Violation> {
    let is_json = |media_type: &str| {
        let bare = media_type.split(';').next().unwrap_or(media_type).trim();
        bare == "application/json" || bare.ends_with("+json")
    };
    let is_shown = |content: &Value| {
        content.get("example").is_some()
            || document::members(content.get("examples")).next().is_some()
    };
    document::bodies(document, operation)
        .into_iter()
        .filter(|body| (body.is_request || is_json(body.media_type)) && !is_shown(body.content))
        .map(|body| Violation::new(body.place, "it has no example", SHOWN))
        .collect()
}

fn parameters(document: &Value, operation: &Operation<'_>) -> Vec<Violation> {
    let in_path: BTreeSet<&str> = operation
        .path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect();
    let declared = declared_parameters(document, operation);
    let missing = in_path.difference(&declared).map(|name| format!("`{name}` is not declared"));
    let surplus = declared.difference(&in_path).map(|name| format!("`{name}` is not in the path"));
    missing.chain(surplus).map(|what| Violation::new(operation.place(), what, PARAMETERS)).collect()
}

fn declared_parameters<'a>(document: &'a Value, operation: &Operation<'a>) -> BTreeSet<&'a str> {
    [operation.shared, operation.own]
        .into_iter()
        .filter_map(|part| part.get("parameters").and_then(Value::as_array))
        .flatten()
        .map(|parameter| document::resolve(document, String::new(), parameter).1)
        .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("path"))
        .filter(|parameter| parameter.get("required").and_then(Value::as_bool) == Some(true))
        .filter_map(|parameter| parameter.get("name").and_then(Value::as_str))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A document that passes, for each test to break in one place.
    fn whole() -> Value {
        json!({
            "openapi": "3.1.0",
            "paths": {"/agents/{agentId}": {
                "parameters": [{"$ref": "#/components/parameters/AgentId"}],
                "patch": {
                    "operationId": "changeAgent", "summary": "Changes an agent", "tags": ["agents"],
                    "security": [],
                    "requestBody": {"content": {"application/json": {"example": {}}}},
                    "responses": {
                        "200": {"description": "Changed", "content": {"application/json": {"examples": {"a": {"value": {}}}}}},
                        "404": {"$ref": "#/components/responses/NotFound"}
                    }
                }
            }},
            "components": {
                "parameters": {"AgentId": {"name": "agentId", "in": "path", "required": true}},
                "responses": {"NotFound": {"description": "None", "content": {"application/problem+json": {"example": {}}}}}
            }
        })
    }

    const OPERATION: &str = "/paths/~1agents~1{agentId}/patch";

    /// What is found once `member` is taken out of the object at `pointer`.
    fn without(pointer: &str, member: &str) -> Vec<String> {
        let mut document = whole();
        let object = document.pointer_mut(pointer).and_then(Value::as_object_mut).unwrap();
        object.remove(member).unwrap();
        violations(&document).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_document_passes() {
        assert_eq!(violations(&whole()), []);
    }

    #[test]
    fn an_operation_that_leaves_something_out_is_refused() {
        for member in ["operationId", "summary", "tags", "security", "responses"] {
            let found = without(OPERATION, member);
            assert!(
                found.iter().any(|told| told.contains(&format!("`{member}`"))),
                "{member}: {found:?}"
            );
        }
    }

    #[test]
    fn a_response_without_a_description_is_refused_also_behind_a_reference() {
        assert_eq!(without(&format!("{OPERATION}/responses/200"), "description").len(), 1);
        assert_eq!(without("/components/responses/NotFound", "description").len(), 1);
    }

    #[test]
    fn a_body_without_an_example_is_refused() {
        for (pointer, member) in [
            (format!("{OPERATION}/requestBody/content/application~1json"), "example"),
            (format!("{OPERATION}/responses/200/content/application~1json"), "examples"),
            (
                "/components/responses/NotFound/content/application~1problem+json".to_owned(),
                "example",
            ),
        ] {
            assert_eq!(without(&pointer, member).len(), 1, "{pointer}");
        }
    }

    #[test]
    fn a_path_parameter_that_is_not_declared_is_refused() {
        assert_eq!(without("/paths/~1agents~1{agentId}", "parameters").len(), 1);
        assert_eq!(without("/components/parameters/AgentId", "required").len(), 1);
    }

    #[test]
    fn a_parameter_that_the_path_does_not_have_is_refused() {
        let mut document = whole();
        let name = document.pointer_mut("/components/parameters/AgentId/name").unwrap();
        *name = json!("id");
        assert_eq!(violations(&document).len(), 2);
    }

    #[test]
    fn an_id_for_two_operations_is_refused() {
        let mut document = whole();
        let path = document.pointer_mut("/paths/~1agents~1{agentId}").unwrap();
        let copy = path.get("patch").unwrap().clone();
        path.as_object_mut().unwrap().insert("post".to_owned(), copy);
        assert_eq!(violations(&document).len(), 1);
    }

    #[test]
    fn an_older_version_is_refused() {
        let mut document = whole();
        *document.pointer_mut("/openapi").unwrap() = json!("3.0.3");
        assert_eq!(violations(&document).len(), 1);
    }
}
