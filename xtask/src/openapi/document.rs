//! Walking an OpenAPI document: its operations and the bodies that they speak of.

use serde_json::{Map, Value};

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const DEEPEST_REFERENCE: usize = 16;

/// One method of one path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    /// What the path says for all its methods.
    pub(crate) shared: &'a Value,
    pub(crate) own: &'a Value,
}

/// A body of a request or of a response, in one media type.
#[derive(Debug, Clone)]
pub(crate) struct Body<'a> {
    /// For the reader: `POST /token response 200 application/json`.
    pub(crate) place: String,
    /// For a machine: the JSON pointer to this media type.
    pub(crate) pointer: String,
    pub(crate) media_type: &'a str,
    pub(crate) is_request: bool,
    pub(crate) content: &'a Value,
}

impl Operation<'_> {
    /// How the operation is named to the reader.
    pub(crate) fn place(&self) -> String {
        format!("{} {}", self.method.to_uppercase(), self.path)
    }

    fn pointer(&self) -> String {
        format!("/paths/{}/{}", escape(self.path), self.method)
    }
}

/// Every operation of the document.
pub(crate) fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, shared) in members(document.get("paths")) {
        for method in METHODS {
            if let Some(own) = shared.get(method) {
                found.push(Operation { path, method, shared, own });
            }
        }
    }
    found
}

/// The responses of an operation, by status, each with the pointer to where it is written.
pub(crate) fn responses<'a>(
    document: &'a Value,
    operation: &Operation<'a>,
) -> Vec<(&'a str, String, &'a Value)> {
    members(operation.own.get("responses"))
        .map(|(status, response)| {
            let pointer = format!("{}/responses/{status}", operation.pointer());
            let (pointer, response) = resolve(document, pointer, response);
            (status, pointer, response)
        })
        .collect()
}

/// Every body of the operation.
pub(crate) fn bodies<'a>(document: &'a Value, operation: &Operation<'a>) -> Vec<Body<'a>> {
    let mut found = Vec::new();
    if let Some(request) = operation.own.get("requestBody") {
        let pointer = format!("{}/requestBody", operation.pointer());
        let (pointer, request) = resolve(document, pointer, request);
        found.extend(contents(&format!("{} request", operation.place()), &pointer, request, true));
    }
    for (status, pointer, response) in responses(document, operation) {
        let place = format!("{} response {status}", operation.place());
        found.extend(contents(&place, &pointer, response, false));
    }
    found
}

fn contents<'a>(place: &str, pointer: &str, of: &'a Value, is_request: bool) -> Vec<Body<'a>> {
    members(of.get("content"))
        .map(|(media_type, content)| Body {
            place: format!("{place} {media_type}"),
            pointer: format!("{pointer}/content/{}", escape(media_type)),
            media_type,
            is_request,
            content,
        })
        .collect()
}

/// Follows `$ref` within the document. One that leads nowhere stays as it is: another check tells of it.
pub(crate) fn resolve<'a>(
    document: &'a Value,
    mut pointer: String,
    mut value: &'a Value,
) -> (String, &'a Value) {
    for _ in 0..DEEPEST_REFERENCE {
        let target = value.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
        let Some((to, found)) = target.and_then(|to| Some((to, document.pointer(to)?))) else {
            break;
        };
        (pointer, value) = (to.to_owned(), found);
    }
    (pointer, value)
}

/// The members of an object, and none of what is no object.
pub(crate) fn members(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_object).into_iter().flat_map(Map::iter).map(|(k, v)| (k.as_str(), v))
}

fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}
