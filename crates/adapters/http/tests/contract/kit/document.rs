//! `docs/openapi.yaml`, and what it demands of an answer.

use std::{
    cmp::Reverse,
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use axum::http::Method;
use http_api::route::Dialect;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

const TEXT: &str = include_str!("../../../../../../docs/openapi.yaml");

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document {
    root: serde_norway::from_str(TEXT).unwrap(),
    validators: Mutex::default(),
});

/// The headers of the house, on whatever answer.
const HOUSE: [&str; 7] = [
    "x-request-id",
    "x-content-type-options",
    "content-security-policy",
    "referrer-policy",
    "x-frame-options",
    "cross-origin-resource-policy",
    "strict-transport-security",
];

/// The document. Its validators are made once each.
pub(crate) struct Document {
    root: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// An operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) body: &'a Value,
}

impl Document {
    pub(crate) fn get() -> &'static Self {
        &DOCUMENT
    }

    pub(crate) fn root(&self) -> &Value {
        &self.root
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let mut operations = Vec::new();
        for (path, item) in self.root["paths"].as_object().unwrap() {
            for (name, body) in item.as_object().unwrap() {
                if name == "parameters" {
                    continue;
                }
                let method = name.to_uppercase().parse().unwrap();
                operations.push(Operation { method, path, body });
            }
        }
        operations
    }

    /// What a path of a request is called in the document, if it is there.
    fn template(&self, path: &str) -> Option<&str> {
        let path = path.split('?').next().unwrap();
        let templates = self.root["paths"].as_object().unwrap().keys();
        let mut matching: Vec<_> = templates
            .filter(|template| matches(template, path, self.spans_slashes(template)))
            .map(String::as_str)
            .collect();
        // A literal segment is closer than a named one, and the sooner the better.
        matching
            .sort_by_key(|template| (template.matches('{').count(), Reverse(template.find('{'))));
        matching.first().copied()
    }

    /// Whether the last parameter of a path goes on to its end.
    fn spans_slashes(&self, template: &str) -> bool {
        let parameters = self.root["paths"][template]["parameters"].as_array();
        parameters.into_iter().flatten().any(|parameter| parameter["x-spans-slashes"] == true)
    }

    /// Follows a reference, if it is one.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.root.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    /// Holds an answer against the document.
    pub(crate) fn check(&self, method: &Method, path: &str, answer: &Answer) {
        let told = format!(
            "{method} {path}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body).chars().take(400).collect::<String>()
        );
        for name in HOUSE {
            assert!(answer.header(name).is_some(), "no {name}: {told}");
        }
        let response = self.response(method, path, answer.status);
        let response = response.unwrap_or_else(|| panic!("this status is not documented: {told}"));
        self.check_headers(response, answer, &told);
        if *method == Method::HEAD {
            assert!(answer.body.is_empty(), "{told}");
        } else {
            self.check_body(response, answer, &told);
        }
    }

    /// The documented response. What can come from any path is documented once.
    fn response(&self, method: &Method, path: &str, status: u16) -> Option<&Value> {
        let components = &self.root["components"]["responses"];
        let Some(template) = self.template(path) else {
            return (status == 404)
                .then(|| &self.root["paths"]["/errors/{code}"]["get"]["responses"]["404"]);
        };
        let asked = if *method == Method::HEAD { &Method::GET } else { method };
        let item = &self.root["paths"][template];
        let name = asked.as_str().to_lowercase();
        // Methods are case-sensitive: `get` is none of them.
        match item.get(&name).filter(|_| name.to_uppercase() == asked.as_str()) {
            Some(operation) => operation["responses"].get(status.to_string()),
            None => {
                let oauth = http_api::routes()
                    .iter()
                    .any(|route| route.path == template && route.dialect == Dialect::OAuth);
                let name = if oauth { "OAuthMethodNotAllowed" } else { "MethodNotAllowed" };
                (status == 405).then(|| &components[name])
            }
        }
        .map(|response| self.resolve(response))
    }

    fn check_headers(&self, response: &Value, answer: &Answer, told: &str) {
        let headers = response["headers"].as_object().unwrap();
        for (name, header) in headers {
            let header = self.resolve(header);
            let Some(text) = answer.header(name) else {
                assert!(header["required"] != true, "no {name}: {told}");
                continue;
            };
            let schema = &header["schema"];
            let value = match schema["type"].as_str() {
                Some("integer") => json!(text.parse::<u64>().unwrap()),
                _ => json!(text),
            };
            self.validate(schema, &value, &format!("{name}: {text}: {told}"));
        }
        for limit in ["x-ratelimit-limit", "retry-after", "etag", "location", "www-authenticate"] {
            let known = headers.keys().any(|name| name.eq_ignore_ascii_case(limit));
            // The rate that an address has left may be shown with any refusal.
            let shown = answer.header(limit).is_some() && limit != "x-ratelimit-limit";
            assert!(known || !shown, "{limit} is not documented: {told}");
        }
    }

    fn check_body(&self, response: &Value, answer: &Answer, told: &str) {
        let content = response["content"].as_object();
        let Some(content) = content else {
            assert!(answer.body.is_empty(), "a body that is not documented: {told}");
            return;
        };
        let sent = answer.header("content-type").unwrap_or_else(|| panic!("no type: {told}"));
        let essence = sent.split(';').next().unwrap();
        let media = content.get(essence);
        let media = media.unwrap_or_else(|| panic!("{essence} is not documented: {told}"));
        if essence == "application/octet-stream" {
            return;
        }
        let body = match essence {
            "application/json" | "application/problem+json" => {
                serde_json::from_slice(&answer.body).unwrap()
            }
            _ => json!(String::from_utf8(answer.body.clone()).unwrap()),
        };
        self.validate(&media["schema"], &body, told);
    }

    /// Holds a value against a schema of the document.
    pub(crate) fn validate(&self, schema: &Value, value: &Value, told: &str) {
        let validator = self.validator(schema);
        let faults: Vec<_> = validator
            .iter_errors(value)
            .map(|fault| format!("{} at {}", fault, fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{faults:?}: {told}");
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(|broken| broken.into_inner());
        let made = || {
            let whole = json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "components": self.root["components"],
                "allOf": [schema],
            });
            let options = jsonschema::options().should_validate_formats(true);
            Arc::new(options.build(&whole).unwrap())
        };
        validators.entry(schema.to_string()).or_insert_with(made).clone()
    }
}

fn matches(template: &str, path: &str, spans_slashes: bool) -> bool {
    let segments = template.split('/').count();
    let given = path.splitn(if spans_slashes { segments } else { usize::MAX }, '/');
    let (mut named, mut given) = (template.split('/'), given);
    loop {
        match (named.next(), given.next()) {
            (None, None) => return true,
            (Some(named), Some(given)) if named == given => {}
            (Some(named), Some(given)) if named.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}
